#pragma once

#include <memory>
#include <string>
#include <vector>

#include "infrastructure/sandbox/cgroup.hpp"
#include "infrastructure/sandbox/etc_folder.hpp"
#include "infrastructure/sandbox/run_common.hpp"
#include "infrastructure/sandbox/warden.hpp"

namespace conductorai::infrastructure {

/// Everything bubblewrap is given by descriptor, alive until it was started.
struct Given {
  std::vector<UniqueFd> files;  // from kArgsFd on; status and block are the pipes' ends
  Pipe status;
  Pipe block;
};

/// A running sandbox: bubblewrap outside, the namespace's first process inside. Killing either takes the whole tree along.
class Cage {
 public:
  explicit Cage(UniqueFd bubblewrap) : outer_(std::move(bubblewrap)) {}

  void found_init(pid_t init) { inner_ = open_pidfd(init); }
  [[nodiscard]] int outer() const { return outer_.get(); }
  [[nodiscard]] int inner() const { return inner_.get(); }
  void kill() const;

 private:
  UniqueFd outer_;
  UniqueFd inner_;
};

/// One command in bubblewrap, from its start to the end of its last process.
class BubblewrapRun {
 public:
  BubblewrapRun(Grounds& grounds, Warden& warden, const SandboxCommand& command, const std::filesystem::path& folder, std::int64_t number,
                std::unique_ptr<Cgroup> cgroup)
      : grounds_(grounds), warden_(warden), outputs_(folder, number, command), cgroup_(std::move(cgroup)) {}

  task<Result<CommandResult>> perform(SandboxCommand command, std::string bubblewrap, const EtcFolder& etc);

 private:
  Result<LaunchSpec> prepare(const SandboxCommand& command, const std::string& bubblewrap, const EtcFolder& etc);
  task<Result<Warden::Launched>> start(LaunchSpec spec);
  task<Result<void>> release(const SandboxCommand& command, Cage& cage, Watchdog& watchdog, runtime::TaskScope& watch);
  Result<CommandResult> result_of(const SandboxCommand& command, std::int64_t peak_kib, const Watchdog& watchdog);

  Grounds& grounds_;
  Warden& warden_;
  Outputs outputs_;
  std::unique_ptr<Cgroup> cgroup_;
  Pipes pipes_;
  Given given_;
  std::string status_;
  runtime::Event status_told_;
};

}  // namespace conductorai::infrastructure
