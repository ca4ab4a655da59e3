#include "infrastructure/sandbox/process_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace conductorai::infrastructure {

namespace {

std::string read_at(int folder, const std::string& path) {
  const UniqueFd file(::openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[4096];
  ssize_t got = 0;
  while (file && (got = ::read(file.get(), buffer, sizeof buffer)) > 0) text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

std::int64_t number_after(std::string_view text, std::string_view label) {
  const auto at = text.find(label);
  if (at == std::string_view::npos) return -1;
  text.remove_prefix(at + label.size());
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::int64_t value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::int64_t resident_bytes(int proc, const std::string& pid) {
  static const std::int64_t page = ::sysconf(_SC_PAGESIZE);
  const std::string text = read_at(proc, pid + "/statm");
  const auto space = text.find(' ');
  return space == std::string::npos ? 0 : std::max<std::int64_t>(0, number_after(text, " ")) * page;
}

/// A page shared by n processes counts 1/n: forked workers are not charged for what they share.
std::int64_t proportional_bytes(int proc, const std::string& pid) {
  const auto kib = number_after(read_at(proc, pid + "/smaps_rollup"), "\nPss:");
  return kib >= 0 ? kib * 1024 : resident_bytes(proc, pid);
}

std::vector<std::string> names_in(int parent, const char* path, bool numbers_only) {
  std::vector<std::string> names;
  const int fd = ::openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(fd), ::closedir);
  while (const dirent* entry = ::readdir(folder.get()))
    if (entry->d_name[0] != '.' && (!numbers_only || (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')))
      names.emplace_back(entry->d_name);
  return names;
}

std::int64_t unlinked_bytes(int proc, const std::string& pid) {
  std::int64_t bytes = 0;
  const std::string folder = pid + "/fd";
  for (const auto& name : names_in(proc, folder.c_str(), true)) {
    struct stat info{};
    if (::fstatat(proc, (folder + "/" + name).c_str(), &info, 0) == 0 && S_ISREG(info.st_mode) && info.st_nlink == 0)
      bytes += info.st_blocks * 512;
  }
  return bytes;
}

TreeSample measure(int proc, const std::vector<std::string>& pids, std::int64_t memory_limit, bool unlinked) {
  TreeSample sample;
  sample.processes = static_cast<int>(pids.size());
  for (const auto& pid : pids) sample.memory_bytes += resident_bytes(proc, pid);
  if (sample.memory_bytes > memory_limit) {
    sample.memory_bytes = 0;
    for (const auto& pid : pids) sample.memory_bytes += proportional_bytes(proc, pid);
  }
  if (unlinked)
    for (const auto& pid : pids) sample.unlinked_bytes += unlinked_bytes(proc, pid);
  return sample;
}

/// An inode without content costs the kernel about a kilobyte.
std::int64_t used_bytes(int folder) {
  struct statvfs info{};
  if (::fstatvfs(folder, &info) != 0) return 0;
  return static_cast<std::int64_t>((info.f_blocks - info.f_bfree) * info.f_frsize + (info.f_files - info.f_ffree) * 1024);
}

}  // namespace

/// Opened once and kept: the first process may hide its own view later, and its number may be given away.
bool NamespaceTree::enter() {
  if (proc_) return true;
  const std::string root = "/proc/" + std::to_string(init_) + "/root";
  UniqueFd proc(::open((root + "/proc").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Before its root is changed, "root" is the machine's own: there the number of the first process is not 1's own view.
  struct stat own{};
  struct stat theirs{};
  if (!proc || ::stat("/proc/1", &own) != 0 || ::fstatat(proc.get(), "1", &theirs, 0) != 0 || own.st_dev == theirs.st_dev) return false;
  for (const char* name : {"/tmp", "/dev/shm"}) {
    UniqueFd folder(::open((root + name).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder) scratch_.push_back(std::move(folder));
  }
  proc_ = std::move(proc);
  return true;
}

TreeSample NamespaceTree::look(std::int64_t memory_limit, bool unlinked) {
  if (!enter()) return {};
  auto pids = names_in(proc_.get(), ".", true);
  std::erase(pids, "1");  // bubblewrap's
  TreeSample sample = measure(proc_.get(), pids, memory_limit, unlinked);
  for (const auto& folder : scratch_) sample.scratch_bytes += used_bytes(folder.get());
  return sample;
}

std::vector<pid_t> descendants(pid_t root) {
  std::vector<pid_t> found{root};
  for (std::size_t next = 0; next < found.size(); ++next) {
    const std::string tasks = "/proc/" + std::to_string(found[next]) + "/task";
    for (const auto& task : names_in(AT_FDCWD, tasks.c_str(), true)) {
      const std::string children = read_at(AT_FDCWD, tasks + "/" + task + "/children");
      for (const char* at = children.c_str(); *at != '\0';) {
        pid_t pid = 0;
        const auto parsed = std::from_chars(at, children.c_str() + children.size(), pid);
        if (parsed.ec != std::errc{}) break;
        found.push_back(pid);
        at = parsed.ptr + std::strspn(parsed.ptr, " ");
      }
    }
  }
  found.erase(found.begin());
  return found;
}

TreeSample DescendantTree::look(std::int64_t memory_limit, bool unlinked) {
  const UniqueFd proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::vector<std::string> pids;
  for (const pid_t pid : descendants(root_)) pids.push_back(std::to_string(pid));
  return measure(proc.get(), pids, memory_limit, unlinked);
}

}  // namespace conductorai::infrastructure
