#pragma once
// NamespaceDoor: sockets inside the network of a sandbox, which has no way out and no way in. A helper process of ours joins the sandbox's
// network namespace, makes sockets there and hands them over; a socket stays in the namespace it was made in. Nothing runs inside the
// sandbox for it, and nothing inside sees it.

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "conductorai/result.hpp"
#include "conductorai/task.hpp"
#include "infrastructure/process/fd.hpp"
#include "infrastructure/process/work_area.hpp"
#include "runtime/loop.hpp"

namespace conductorai::infrastructure::releases {

class NamespaceDoor {
 public:
  /// `process`: any process in the namespace. `helper`: a program whose main calls release_exec_main. Errors: unavailable.
  static task<Result<std::unique_ptr<NamespaceDoor>>> open(runtime::Loop& loop, pid_t process, WorkArea area, std::filesystem::path helper);
  ~NamespaceDoor();
  NamespaceDoor(const NamespaceDoor&) = delete;
  NamespaceDoor& operator=(const NamespaceDoor&) = delete;

  /// A TCP socket inside, not connected, non-blocking. Errors: unavailable (the helper has ended).
  Result<UniqueFd> socket();

 private:
  NamespaceDoor(UniqueFd channel, pid_t helper) : channel_(std::move(channel)), helper_(helper) {}
  Result<void> ask();
  Result<void> take();

  UniqueFd channel_;
  pid_t helper_;
  bool asked_ = false;
  std::vector<UniqueFd> ready_;  // made in advance: one question buys several
};

/// The helper's main: `channel` is the socket that requests come from.
int namespace_door_main(pid_t process, uid_t uid, gid_t gid, int channel);

}  // namespace conductorai::infrastructure::releases
