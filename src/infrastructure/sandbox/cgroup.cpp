#include "infrastructure/sandbox/cgroup.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <sstream>
#include <system_error>

#include "base/read_text.hpp"

namespace conductorai::infrastructure {

namespace fs = std::filesystem;

namespace {

bool write_text(const fs::path& path, const std::string& text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::int64_t number_in(const fs::path& path, const std::string& label) {
  std::istringstream text(read_text(path));
  std::string word;
  std::int64_t value = 0;
  if (label.empty()) return text >> value ? value : 0;
  while (text >> word >> value)
    if (word == label) return value;
  return 0;
}

/// Lines are "ID:CONTROLLERS:PATH"; version 2 has no controllers.
std::optional<fs::path> path_of(const std::string& self, const std::string& controller) {
  std::istringstream lines(self);
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    if (names == "," + controller + "," || (!controller.empty() && names.find("," + controller + ",") != std::string::npos))
      return fs::path(line.substr(second + 1)).relative_path();
  }
  return std::nullopt;
}

bool has_word(const std::string& text, const std::string& word) {
  return (" " + text + " ").find(word) != std::string::npos;
}

/// Folders in which a version 2 group with both controllers can be made: next to us, where our own group was delegated, or at the top.
std::vector<fs::path> version_2_parents(const fs::path& root, const std::string& self) {
  std::vector<fs::path> found;
  const auto own = path_of(self, "");
  if (!own) return found;
  for (const fs::path& parent : {root / *own, (root / *own).parent_path(), root}) {
    const std::string enabled = read_text(parent / "cgroup.subtree_control");
    if (has_word(enabled, "memory") && has_word(enabled, "pids")) found.push_back(parent);
  }
  return found;
}

fs::path version_1_parent(const fs::path& root, const std::string& self, const std::string& controller) {
  const auto own = path_of(self, controller);
  return own ? root / controller / *own : fs::path{};
}

void remove_dead_in(const fs::path& parent) {
  std::error_code error;
  for (fs::directory_iterator it(parent, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename();
    constexpr std::string_view kPrefix = "conductorai-";
    if (!name.starts_with(kPrefix)) continue;
    pid_t pid = 0;
    const char* digits = name.c_str() + kPrefix.size();
    if (std::from_chars(digits, name.c_str() + name.size(), pid).ec != std::errc{} || pid <= 0) continue;
    if (::kill(pid, 0) != 0 && errno == ESRCH) ::rmdir(it->path().c_str());
  }
}

}  // namespace

std::unique_ptr<Cgroup> Cgroup::make(const fs::path& root, const std::string& self, const std::string& name, CgroupLimits limits) {
  for (const auto& parent : version_2_parents(root, self)) {
    std::unique_ptr<Cgroup> group(new Cgroup);
    if (group->join_version_2(parent, name, limits)) return group;
  }
  std::unique_ptr<Cgroup> group(new Cgroup);
  return group->join_version_1(root, self, name, limits) ? std::move(group) : nullptr;
}

bool Cgroup::join_version_2(const fs::path& parent, const std::string& name, CgroupLimits limits) {
  const fs::path folder = parent / name;
  if (!add_folder(folder, "") || !write_text(folder / "memory.max", std::to_string(limits.memory_bytes)) ||
      !write_text(folder / "pids.max", std::to_string(limits.tasks)))
    return false;
  write_text(folder / "memory.swap.max", "0");  // absent without swap
  version_ = 2;
  memory_ = pids_ = folder;
  return true;
}

bool Cgroup::join_version_1(const fs::path& root, const std::string& self, const std::string& name, CgroupLimits limits) {
  const fs::path memory = version_1_parent(root, self, "memory");
  const fs::path pids = version_1_parent(root, self, "pids");
  if (memory.empty() || pids.empty()) return false;
  memory_ = memory / name;
  pids_ = pids / name;
  if (!add_folder(memory_, "tasks") || !write_text(memory_ / "memory.limit_in_bytes", std::to_string(limits.memory_bytes))) return false;
  write_text(memory_ / "memory.memsw.limit_in_bytes", std::to_string(limits.memory_bytes));  // absent without swap accounting
  if (pids_ != memory_ && !add_folder(pids_, "tasks")) return false;
  if (!write_text(pids_ / "pids.max", std::to_string(limits.tasks))) return false;
  version_ = 1;
  return true;
}

bool Cgroup::add_folder(fs::path folder, const char* way_in) {
  std::error_code error;
  if (!fs::create_directory(folder, error)) return false;
  folders_.push_back(folder);
  ways_in_.emplace_back(::open((folder / way_in).c_str(), (*way_in == '\0' ? O_RDONLY | O_DIRECTORY : O_WRONLY) | O_CLOEXEC));
  return static_cast<bool>(ways_in_.back());
}

/// Empty by then: the run's processes are gone.
Cgroup::~Cgroup() {
  ways_in_.clear();
  for (const auto& folder : folders_) ::rmdir(folder.c_str());
}

std::vector<int> Cgroup::tasks() const {
  std::vector<int> out;
  if (version_ == 1)
    for (const auto& fd : ways_in_) out.push_back(fd.get());
  return out;
}

bool Cgroup::out_of_memory() const {
  return number_in(memory_ / (version_ == 2 ? "memory.events" : "memory.oom_control"), "oom_kill") > 0;
}

std::int64_t Cgroup::peak_memory_bytes() const {
  return number_in(memory_ / (version_ == 2 ? "memory.peak" : "memory.max_usage_in_bytes"), "");
}

bool Cgroup::out_of_tasks() const {
  return number_in(pids_ / "pids.events", "max") > 0;
}

void remove_dead_cgroups(const fs::path& root, const std::string& self) {
  for (const auto& parent : version_2_parents(root, self)) remove_dead_in(parent);
  for (const char* controller : {"memory", "pids"})
    if (const auto parent = version_1_parent(root, self, controller); !parent.empty()) remove_dead_in(parent);
}

std::unique_ptr<Cgroup> make_run_cgroup(const std::string& name, CgroupLimits limits) {
  const fs::path root = "/sys/fs/cgroup";
  const std::string self = read_text("/proc/self/cgroup");
  static const bool cleaned = (remove_dead_cgroups(root, self), true);
  return cleaned ? Cgroup::make(root, self, name, limits) : nullptr;
}

}  // namespace conductorai::infrastructure
