#include "infrastructure/sandbox/watchdog.hpp"

#include <algorithm>

#include "infrastructure/sandbox/disk_usage.hpp"

namespace conductorai::infrastructure {

Watchdog::Watchdog(Clock& clock, runtime::Worker& worker, const SandboxCommand& command, Milliseconds every, std::function<void()> end)
    : clock_(clock), worker_(worker), limits_(command.limits), folders_{command.workspace}, every_(every), end_(std::move(end)) {
  for (const Mount& mount : command.mounts)
    if (mount.writable) folders_.push_back(mount.host);
}

task<void> Watchdog::watch() {
  std::unique_ptr<Timer> wall;
  if (limits_.wall > Milliseconds(0)) wall = clock_.call_after(limits_.wall, [this] { exceed("wall"); });
  started_ = file_clock();
  file_system_base_ = file_system_used(folders_.front());
  file_system_seen_ = file_system_base_;
  for (;;) {
    auto slept = co_await sleep_for(clock_, every_);
    if (!slept) co_return;
    const bool moved = disk_moved();
    if (moved) co_await measure_disk();
    judge(tree_->look(limits_.memory_bytes, moved));
  }
}

void Watchdog::exceed(std::string limit) {
  if (exceeded_) return;
  exceeded_ = std::move(limit);
  end_();
}

void Watchdog::printed(std::int64_t total) {
  if (limits_.output_bytes > 0 && total / kOutputFactor > limits_.output_bytes) exceed("output");
}

void Watchdog::judge(const TreeSample& sample) {
  peak_ = std::max(peak_, sample.memory_bytes);
  if (sample.memory_bytes > limits_.memory_bytes) exceed("memory");
  if (sample.processes > limits_.processes) exceed("processes");
  if (written_ + sample.scratch_bytes + sample.unlinked_bytes > limits_.disk_bytes) exceed("disk");
}

/// Walking a tree is dear, asking the file system how full it is costs nothing: walk only when that has moved.
bool Watchdog::disk_moved() const {
  const std::int64_t step = std::clamp<std::int64_t>(limits_.disk_bytes / 16, 64 << 10, 16 << 20);
  return file_system_used(folders_.front()) - file_system_seen_ > step;
}

task<void> Watchdog::measure_disk() {
  const std::int64_t used = file_system_used(folders_.front());
  const auto folders = folders_;
  const auto since = started_;
  const std::int64_t enough = limits_.disk_bytes;
  const DiskUsage now = co_await worker_.run([folders, since, enough] {
    DiskUsage all;
    for (const auto& folder : folders) {
      const DiskUsage one = disk_usage(folder, since, enough);
      all.bytes += one.bytes;
      all.complete = all.complete && one.complete;
    }
    return all;
  });
  written_ = now.bytes;
  // A folder we may not read can hide anything: then the file system's own figure is believed, though others write there too.
  if (!now.complete) written_ = std::max(written_, used - file_system_base_);
  file_system_seen_ = used;
}

}  // namespace conductorai::infrastructure
