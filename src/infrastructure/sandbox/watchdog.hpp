#pragma once
// Looks at a running tree again and again and ends it when it takes more than it may.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "conductorai/clock.hpp"
#include "conductorai/sandbox.hpp"
#include "infrastructure/sandbox/process_tree.hpp"
#include "runtime/offload.hpp"

namespace conductorai::infrastructure {

/// Printing this many times what is kept ends the program: it is out of control.
inline constexpr std::int64_t kOutputFactor = 10;

class Watchdog {
 public:
  /// `end` kills the tree; called once, by the first limit that is exceeded. What is written to the workspace and the writable mounts of
  /// `command` counts as disk.
  Watchdog(Clock& clock, runtime::Worker& worker, const SandboxCommand& command, Milliseconds every, std::function<void()> end);

  void follow(std::unique_ptr<ProcessTree> tree) { tree_ = std::move(tree); }
  /// Watches until cancelled. REQUIRES: `follow` was called. Wall time counts from here.
  task<void> watch();
  void exceed(std::string limit);
  /// To be told of every byte total of a stream.
  void printed(std::int64_t total);

  [[nodiscard]] const std::optional<std::string>& exceeded() const { return exceeded_; }
  [[nodiscard]] std::int64_t peak_memory_bytes() const { return peak_; }

 private:
  task<void> measure_disk();
  void judge(const TreeSample& sample);
  [[nodiscard]] bool disk_moved() const;

  Clock& clock_;
  runtime::Worker& worker_;
  SandboxDefinition limits_;
  std::vector<std::filesystem::path> folders_;  // the workspace first
  Milliseconds every_;
  std::unique_ptr<ProcessTree> tree_;
  std::function<void()> end_;
  std::optional<std::string> exceeded_;
  std::int64_t peak_ = 0;
  std::int64_t written_ = 0;  // in the folders, since the start
  timespec started_{};
  std::int64_t file_system_base_ = 0;
  std::int64_t file_system_seen_ = 0;
};

}  // namespace conductorai::infrastructure
