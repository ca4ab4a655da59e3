#pragma once
// ChangeBoard: "did this workflow change since I last asked?". A change between two waits ends the second at once.

#include <cstdint>
#include <unordered_map>

#include "conductorai/ids.hpp"
#include "runtime/event.hpp"

namespace conductorai::infrastructure {

/// One watcher a workflow; a workflow nobody ever waited for costs one look-up a change, and none while nobody waits for any.
class ChangeBoard {
 public:
  void changed(const WorkflowId& workflow) {
    if (watched_.empty()) return;
    auto found = watched_.find(workflow);
    if (found != watched_.end()) found->second.set();
  }
  /// Something changed in another process, of whatever workflow.
  void all_changed() {
    for (auto& [workflow, event] : watched_) event.set();
  }
  /// Waits under way and later ones answer `cancelled`.
  void close() {
    closed_ = true;
    all_changed();
  }
  /// The first wait for a workflow returns at once: what came before it was seen by nobody. Errors: cancelled.
  task<Result<void>> wait(WorkflowId workflow) {
    auto [entry, first] = watched_.try_emplace(std::move(workflow));
    if (first && !closed_) co_return Result<void>{};
    runtime::Event& event = entry->second;
    if (closed_) event.set();
    auto waited = co_await event.wait();
    if (!waited) co_return waited;
    if (closed_) co_return fail(ErrorCode::cancelled, "the store was closed");
    event.reset();
    co_return waited;
  }

 private:
  bool closed_ = false;
  std::unordered_map<WorkflowId, runtime::Event> watched_;  // entries stay: coroutines wait on them
};

}  // namespace conductorai::infrastructure
