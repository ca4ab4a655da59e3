#pragma once
// Starts a process with what posix_spawn has no hook for: a change of user, a parent-death signal, limits, a cgroup.

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/result.hpp"

namespace conductorai::infrastructure {

struct ResourceLimit {
  int resource = 0;  // RLIMIT_…
  std::uint64_t value = 0;
};
struct RunAs {
  uid_t uid = 0;
  gid_t gid = 0;
};

struct LaunchSpec {
  std::string program;  // absolute
  std::vector<std::string> argv;
  std::vector<std::string> environment;  // NAME=value
  std::filesystem::path working_directory;
  std::vector<int> descriptors;  // [n] becomes descriptor n; nothing else is open in the child
  std::optional<RunAs> user;     // dropped to, without supplementary groups
  std::vector<ResourceLimit> limits;
  // A move between groups waits for every thread of the machine, ten milliseconds and more; these two ways do not.
  std::vector<int> cgroup_tasks;  // open `tasks` files of version 1 groups, to join as a lone thread
  int cgroup_folder = -1;         // open folder of a version 2 group, to be born in
  int death_signal = 9;           // what the child gets when the calling *thread* ends
};

/// By vfork: no copy of a large program, no second executable. Session of its own, default signals.
/// Errors: not_found, permission_denied (the program), unavailable (anything else; `where` names the stage).
Result<pid_t> launch(const LaunchSpec& spec);

/// Sets RLIMIT_NPROC of another process; where that is refused, by a short-lived child of that process's user: root may lack
/// CAP_SYS_RESOURCE in a container.
Result<void> limit_tasks(pid_t pid, std::uint64_t tasks, std::optional<RunAs> user);

}  // namespace conductorai::infrastructure
