#pragma once
// The warden: a process of ours between us and every sandbox, so that none outlives us.
//
// bubblewrap's --die-with-parent has a gap: the sandbox's first process asks for its parent-death signal only after it has set up the
// mounts; when bubblewrap itself is killed before that, the sandbox starts and nobody owns it. The kernel hands such an orphan to the
// nearest subreaper, and that is the warden. It ends every descendant when we are gone (its socket closes), then itself.

#include <memory>

#include "infrastructure/process/fd.hpp"
#include "infrastructure/sandbox/launch.hpp"
#include "runtime/event.hpp"
#include "runtime/loop.hpp"

namespace conductorai::infrastructure {

class Warden {
 public:
  /// `helper`: a program whose main calls sandbox_exec_main. Started at once, and at a launch where that failed or it has died.
  Warden(runtime::Loop& loop, std::filesystem::path helper) : loop_(loop), helper_(std::move(helper)) { (void)start(); }
  /// Ends what still runs.
  ~Warden();
  Warden(const Warden&) = delete;
  Warden& operator=(const Warden&) = delete;

  struct Launched {
    UniqueFd process;  // pidfd
    UniqueFd report;   // "N\n", the peak resident kilobytes, once the process has been reaped; then the end
  };
  /// The same as `launch`, as a child of the warden. Errors: as `launch`; unavailable (no warden). Cancellation does not interrupt it.
  task<Result<Launched>> launch(LaunchSpec spec);

 private:
  Result<void> start();
  void stop();
  task<Result<Launched>> ask(LaunchSpec spec);

  runtime::Loop& loop_;
  std::filesystem::path helper_;
  runtime::Semaphore turn_{1};
  UniqueFd socket_;
  pid_t pid_ = -1;
};

/// The warden's own main: serves `socket` until it closes.
int warden_main(int socket);

}  // namespace conductorai::infrastructure
