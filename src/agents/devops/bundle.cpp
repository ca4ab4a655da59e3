#include "agents/devops/bundle.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "agents/devops/tar.hpp"
#include "core/codec.hpp"

namespace conductorai::agents {
namespace {

namespace fs = std::filesystem;

// Whether a link's target, taken from the link's own folder, stays below the root at every step.
bool stays_inside(std::string_view path, std::string_view target) {
  if (target.empty() || target.front() == '/') return false;
  int depth = 0;
  for (const char c : path) depth += c == '/' ? 1 : 0;
  while (!target.empty()) {
    const auto slash = target.find('/');
    const auto part = target.substr(0, slash);
    if (part == "..")
      --depth;
    else if (!part.empty() && part != ".")
      ++depth;
    if (depth < 0) return false;
    if (slash == std::string_view::npos) break;
    target.remove_prefix(slash + 1);
  }
  return true;
}

// No folder on the way is a link: nothing outside the workspace is read.
bool passes_link(const fs::path& root, const fs::path& path) {
  fs::path walked = root;
  std::error_code error;
  for (const auto& part : path.parent_path()) {
    walked /= part;
    if (fs::is_symlink(fs::symlink_status(walked, error))) return true;
  }
  return false;
}

class Collector {
 public:
  Collector(fs::path root, std::int64_t bytes_max) : root_(std::move(root)), bytes_max_(bytes_max) {}

  Result<void> add(const std::string& path) {
    struct stat status{};
    if (passes_link(root_, path) || ::lstat((root_ / path).c_str(), &status) != 0)
      return fail(ErrorCode::permission_denied, "a file of the tree cannot be read for the bundle", path);
    if (S_ISLNK(status.st_mode)) return add_link(path);
    if (!S_ISREG(status.st_mode)) return fail(ErrorCode::permission_denied, "only files and links go into a bundle", path);
    return add_file(path, status);
  }

  Bundle finish() { return {.tar = tar_.finish(), .files = std::move(files_)}; }

 private:
  Result<void> add_link(const std::string& path) {
    std::error_code error;
    const std::string target = fs::read_symlink(root_ / path, error).string();
    if (error || !stays_inside(path, target))
      return fail(ErrorCode::permission_denied, "a symlink leaves the workspace: " + target, path, "bundles hold no such links");
    tar_.add({.path = path, .executable = false, .link_target = target}, {});
    files_.push_back({.path = path, .sha256 = {}, .size = 0});
    return {};
  }

  Result<void> add_file(const std::string& path, const struct stat& status) {
    total_ += status.st_size;
    if (total_ > bytes_max_)
      return fail(ErrorCode::invalid_argument, "the files of the bundle have more than " + std::to_string(bytes_max_) + " bytes", path,
                  "raise `with: { bundle-max: … }`");
    std::string content(static_cast<std::size_t>(status.st_size), '\0');
    std::ifstream file(root_ / path, std::ios::binary);
    if (!file.read(content.data(), static_cast<std::streamsize>(content.size())) && status.st_size > 0)
      return fail(ErrorCode::unavailable, "a file of the tree cannot be read for the bundle", path);
    tar_.add({.path = path, .executable = (status.st_mode & S_IXUSR) != 0, .link_target = {}}, content);
    files_.push_back({.path = path, .sha256 = core::sha256_hex(content), .size = status.st_size});
    return {};
  }

  fs::path root_;
  std::int64_t bytes_max_;
  std::int64_t total_ = 0;
  TarWriter tar_;
  std::vector<BundledFile> files_;
};

// As sha256sum writes names that hold a backslash or a line end.
std::string sum_line(const BundledFile& file) {
  std::string name;
  bool escaped = false;
  for (const char c : file.path) {
    const bool special = c == '\\' || c == '\n' || c == '\r';
    escaped = escaped || special;
    name += special ? std::string("\\") + (c == '\\' ? '\\' : c == '\n' ? 'n' : 'r') : std::string(1, c);
  }
  return (escaped ? "\\" : "") + file.sha256 + "  " + name + "\n";
}

}  // namespace

task<Result<Bundle>> make_bundle(Workspace& workspace, std::int64_t bytes_max) {
  auto files = co_await workspace.list_files();
  if (!files) co_return fail(files.error());
  Collector collector(workspace.root(), bytes_max);
  for (const std::string& path : *files)
    if (auto added = collector.add(path); !added) co_return fail(added.error());
  co_return collector.finish();
}

std::string checksums(const std::vector<BundledFile>& files) {
  std::string text;
  for (const BundledFile& file : files)
    if (!file.sha256.empty()) text += sum_line(file);
  return text;
}

}  // namespace conductorai::agents
