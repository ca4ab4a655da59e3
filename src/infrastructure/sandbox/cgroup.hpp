#pragma once
// A cgroup for one run, where the machine lets us make one: exact memory and task limits on top of rlimits and watchdog.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "infrastructure/process/fd.hpp"

namespace conductorai::infrastructure {

struct CgroupLimits {
  std::int64_t memory_bytes = 0;
  std::int64_t tasks = 0;
};

class Cgroup {
 public:
  /// Null where none can be made: no hierarchy, no permission, no controller. `root` is /sys/fs/cgroup and `self` the text of
  /// /proc/self/cgroup but for tests. Version 2 where its controllers are available, else version 1.
  static std::unique_ptr<Cgroup> make(const std::filesystem::path& root, const std::string& self, const std::string& name,
                                      CgroupLimits limits);
  ~Cgroup();
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;

  /// As LaunchSpec takes them: the open `tasks` files of version 1, the open folder of version 2 (-1 for version 1).
  [[nodiscard]] std::vector<int> tasks() const;
  [[nodiscard]] int folder() const { return version_ == 2 ? ways_in_.front().get() : -1; }
  [[nodiscard]] int version() const { return version_; }
  /// The kernel killed something in it for want of memory.
  [[nodiscard]] bool out_of_memory() const;
  [[nodiscard]] std::int64_t peak_memory_bytes() const;
  /// A fork was refused.
  [[nodiscard]] bool out_of_tasks() const;

 private:
  Cgroup() = default;
  bool join_version_2(const std::filesystem::path& parent, const std::string& name, CgroupLimits limits);
  bool join_version_1(const std::filesystem::path& root, const std::string& self, const std::string& name, CgroupLimits limits);
  /// `way_in`: what is opened to join it, below the folder.
  bool add_folder(std::filesystem::path folder, const char* way_in);

  int version_ = 0;
  std::vector<std::filesystem::path> folders_;
  std::vector<UniqueFd> ways_in_;
  std::filesystem::path memory_;
  std::filesystem::path pids_;
};

/// `Cgroup::make` on this machine; the first call removes what dead processes left.
std::unique_ptr<Cgroup> make_run_cgroup(const std::string& name, CgroupLimits limits);

/// Removes groups that a killed owner left: those named "conductorai-<pid>-…" whose process is gone.
void remove_dead_cgroups(const std::filesystem::path& root, const std::string& self);

}  // namespace conductorai::infrastructure
