// Whole-tree walks of worktree_files.hpp: removal, and the search for planted repositories.

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "infrastructure/process/fd.hpp"
#include "infrastructure/workspace/workspace_path.hpp"
#include "infrastructure/workspace/worktree_files.hpp"

namespace conductorai::infrastructure {

namespace {

constexpr int kFolderFlags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_RDONLY;
constexpr int kDepthMax = 200;       // folders open at once; git records no deeper path than PATH_MAX anyway
constexpr int kRemoveDepthMax = 50;  // below it folders are moved up before they are emptied

std::unexpected<Error> walk_failure(int error, std::string where) {
  return fail(ErrorCode::unavailable, std::strerror(error), std::move(where));
}

struct Entry {
  std::string name;
  bool folder = false;
};

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

/// Names in an open folder. Reads a duplicate, so `folder` stays usable.
Result<std::vector<Entry>> entries_of(int folder, const std::string& where) {
  const int copy = ::openat(folder, ".", kFolderFlags);
  if (copy < 0) return walk_failure(errno, where);
  std::unique_ptr<DIR, CloseDir> dir(::fdopendir(copy));
  if (!dir) {
    ::close(copy);
    return walk_failure(errno, where);
  }
  std::vector<Entry> out;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    bool is_folder = entry->d_type == DT_DIR;
    if (entry->d_type == DT_UNKNOWN) {
      struct stat info{};
      is_folder = ::fstatat(folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
    }
    out.push_back({std::string(name), is_folder});
  }
  return out;
}

/// Generated code may have taken its own permissions away.
UniqueFd open_folder_for_removal(int parent, const char* name) {
  UniqueFd folder(::openat(parent, name, kFolderFlags));
  if (!folder && errno == EACCES && ::fchmodat(parent, name, 0700, 0) == 0) folder.reset(::openat(parent, name, kFolderFlags));
  if (folder) ::fchmod(folder.get(), 0700);
  return folder;
}

class Remover {
 public:
  explicit Remover(int top) : top_(top) {}

  Result<void> empty(int folder, int depth, const std::string& where) {
    auto entries = entries_of(folder, where);
    if (!entries) return fail(entries.error());
    for (const Entry& entry : *entries) {
      auto removed = entry.folder ? remove_folder(folder, entry.name, depth, where) : unlink(folder, entry.name, 0, where);
      if (!removed) return removed;
    }
    return {};
  }

 private:
  static Result<void> unlink(int folder, const std::string& name, int flags, const std::string& where) {
    if (::unlinkat(folder, name.c_str(), flags) != 0 && errno != ENOENT) return walk_failure(errno, where + "/" + name);
    return {};
  }
  Result<void> remove_folder(int parent, const std::string& name, int depth, const std::string& where) {
    UniqueFd folder = open_folder_for_removal(parent, name.c_str());
    if (!folder && errno == ENOENT) return {};
    if (!folder) return walk_failure(errno, where + "/" + name);
    if (depth >= kRemoveDepthMax) {
      // Deeper than our descriptors should go: it becomes a neighbour of the top folders and is emptied from there.
      const std::string hoisted = ".conductorai-hoisted-" + std::to_string(++hoisted_);
      if (::renameat(parent, name.c_str(), top_, hoisted.c_str()) != 0) return walk_failure(errno, where + "/" + name);
      return {};
    }
    if (auto emptied = empty(folder.get(), depth + 1, where + "/" + name); !emptied) return emptied;
    return unlink(parent, name, AT_REMOVEDIR, where);
  }

  int top_;
  int hoisted_ = 0;
};

class GitEntrySearch {
 public:
  explicit GitEntrySearch(std::vector<std::string>& found) : found_(found) {}

  Result<void> walk(int folder, const std::string& prefix, int depth) {
    if (depth > kDepthMax || prefix.size() > 4000)
      return fail(ErrorCode::invalid_argument, "folders are nested too deep", prefix.substr(0, 80) + "…");
    auto entries = entries_of(folder, prefix);
    if (!entries) return fail(entries.error());
    for (const Entry& entry : *entries) {
      if (is_git_name(entry.name)) {
        found_.push_back(prefix + entry.name);
      } else if (entry.folder) {
        UniqueFd below(::openat(folder, entry.name.c_str(), kFolderFlags));
        if (!below) return walk_failure(errno, prefix + entry.name);
        if (auto walked = walk(below.get(), prefix + entry.name + "/", depth + 1); !walked) return walked;
      }
    }
    return {};
  }

 private:
  std::vector<std::string>& found_;
};

}  // namespace

Result<void> empty_folder(const std::filesystem::path& folder) {
  UniqueFd top = open_folder_for_removal(AT_FDCWD, folder.c_str());
  if (!top && errno == ENOENT) return {};
  if (!top) return walk_failure(errno, folder.string());
  Remover remover(top.get());
  while (true) {
    if (auto emptied = remover.empty(top.get(), 0, folder.string()); !emptied) return emptied;
    auto left = entries_of(top.get(), folder.string());  // what was hoisted meanwhile
    if (!left) return fail(left.error());
    if (left->empty()) return {};
  }
}

Result<void> remove_tree(const std::filesystem::path& folder) {
  struct stat info{};
  if (::lstat(folder.c_str(), &info) != 0) return errno == ENOENT ? Result<void>{} : walk_failure(errno, folder.string());
  if (!S_ISDIR(info.st_mode)) {
    if (::unlink(folder.c_str()) != 0) return walk_failure(errno, folder.string());
    return {};
  }
  if (auto emptied = empty_folder(folder); !emptied) return emptied;
  if (::rmdir(folder.c_str()) != 0 && errno != ENOENT) return walk_failure(errno, folder.string());
  return {};
}

Result<std::vector<std::string>> find_git_entries(const std::filesystem::path& root) {
  UniqueFd top(::open(root.c_str(), kFolderFlags));
  if (!top) return walk_failure(errno, root.string());
  std::vector<std::string> found;
  GitEntrySearch search(found);
  if (auto walked = search.walk(top.get(), "", 0); !walked) return fail(walked.error());
  std::ranges::sort(found);
  return found;
}

}  // namespace conductorai::infrastructure
