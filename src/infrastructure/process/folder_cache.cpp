#include "infrastructure/process/folder_cache.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <system_error>
#include <vector>

namespace conductorai::infrastructure {

namespace fs = std::filesystem;

namespace {

struct Kept {
  fs::path path;
  fs::file_time_type opened;
  std::int64_t bytes;
};

std::int64_t bytes_in(const fs::path& folder) {
  std::int64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    struct stat status{};
    if (::lstat(it->path().c_str(), &status) == 0) bytes += std::int64_t{status.st_blocks} * 512;
  }
  return bytes;
}

std::vector<Kept> all_kept(const fs::path& root) {
  std::vector<Kept> all;
  std::error_code error;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error))
    all.push_back({it->path(), fs::last_write_time(it->path(), error), bytes_in(it->path())});
  return all;
}

}  // namespace

Result<fs::path> FolderCache::open(const std::string& key) const {
  if (bytes_max_ <= 0) return fail(ErrorCode::unsupported, "no folders are kept");
  fs::path folder = root_ / key;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    const bool forbidden = error == std::errc::permission_denied;
    return fail(forbidden ? ErrorCode::permission_denied : ErrorCode::resource_exhausted,
                "cannot make a folder to keep things in: " + error.message(), folder.string());
  }
  ::chmod(root_.c_str(), 0711);  // passed through by the sandbox's user, listed by nobody
  if (auto given = give_to(area_, folder); !given) return fail(given.error());
  fs::last_write_time(folder, fs::file_time_type::clock::now(), error);
  make_room(folder);
  return folder;
}

void FolderCache::make_room(const fs::path& opened) const {
  std::vector<Kept> all = all_kept(root_);
  std::ranges::sort(all, {}, &Kept::opened);
  std::int64_t total = 0;
  for (const Kept& kept : all) total += kept.bytes;
  for (const Kept& kept : all) {
    if (total <= bytes_max_) return;
    if (kept.path == opened) continue;
    std::error_code ignored;  // what cannot go now goes another time
    fs::remove_all(kept.path, ignored);
    total -= kept.bytes;
  }
}

}  // namespace conductorai::infrastructure
