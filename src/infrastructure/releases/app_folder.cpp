#include "infrastructure/releases/app_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "infrastructure/process/work_area.hpp"
#include "infrastructure/releases/durable_file.hpp"

namespace conductorai::infrastructure::releases {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kNameMax = 64;

std::uint64_t hash_of(std::string_view text) {  // FNV-1a
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

struct flock whole_file(short type) {
  return {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0, .l_pid = 0};
}

}  // namespace

std::string safe_name(const std::string& text) {
  std::string name = text.substr(0, kNameMax);
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    if (!plain) c = '_';
  }
  if (name.empty() || name[0] == '.') name.insert(name.begin(), '_');
  if (name != text) name += fmt::format("-{:08x}", hash_of(text) & 0xffffffffU);
  return name;
}

AppFolder::AppFolder(fs::path state_dir, std::string name)
    : state_dir_(fs::absolute(state_dir).lexically_normal()), name_(std::move(name)), path_(state_dir_ / "releases" / name_) {
  // One work area may serve many state directories.
  files_root_ = work_area(state_dir_).root / "releases" / fmt::format("{:016x}", hash_of(state_dir_.string())) / name_;
}

AppFolder AppFolder::of(const fs::path& state_dir, const std::string& app, const std::string& environment) {
  return {state_dir, safe_name(app) + "@" + safe_name(environment)};
}

std::vector<AppFolder> AppFolder::all(const fs::path& state_dir) {
  std::vector<AppFolder> found;
  std::error_code error;
  for (fs::directory_iterator it(state_dir / "releases", error), end; !error && it != end; it.increment(error))
    if (it->is_directory(error)) found.emplace_back(state_dir, it->path().filename().string());
  std::ranges::sort(found, {}, &AppFolder::name_);
  return found;
}

Result<void> AppFolder::make() const {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) return file_error("cannot make the folder of releases", path_, error.value());
  ::chmod(path_.c_str(), 0700);
  const auto area = make_work_area(state_dir_);
  if (!area) return fail(area.error());
  fs::create_directories(files_root_, error);
  if (error) return file_error("cannot make the folder of releases", files_root_, error.value());
  // The sandbox's user passes through, whatever our mask.
  if (area->drops_privileges)
    for (fs::path folder = files_root_; folder != area->root; folder = folder.parent_path()) ::chmod(folder.c_str(), 0755);
  return {};
}

Result<UniqueFd> AppFolder::lock() const {
  UniqueFd fd(::open((path_ / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return file_error("cannot lock the app's releases", path_ / "lock", errno);
  struct flock lock = whole_file(F_WRLCK);
  if (::fcntl(fd.get(), F_OFD_SETLK, &lock) == 0) return fd;
  if (errno == EAGAIN || errno == EACCES) return UniqueFd{};
  return file_error("cannot lock the app's releases", path_ / "lock", errno);
}

bool AppFolder::supervised() const {
  const UniqueFd fd(::open((path_ / "lock").c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) return false;
  struct flock lock = whole_file(F_WRLCK);
  return ::fcntl(fd.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace conductorai::infrastructure::releases
