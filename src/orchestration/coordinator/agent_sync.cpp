#include "orchestration/coordinator/agent_sync.hpp"

#include <algorithm>
#include <iterator>

namespace conductorai::orchestration {

void AgentSync::wake() {
  if (timer_ != nullptr || closing_) return;
  timer_ = clock_.call_after(interval_, [this] {
    timer_.reset();
    scope_.spawn(in_background(*this));
  });
}

void AgentSync::removed(AgentId agent) {
  removed_.push_back(std::move(agent));
  wake();
}

task<void> AgentSync::in_background(AgentSync& self) {
  auto written = co_await self.flush();
  if (!written) self.wake();
}

task<Result<void>> AgentSync::flush() {
  // One write at a time: an older state never overtakes a newer one. Not cancellable, so that the turn is always given back.
  auto turn = co_await runtime::shielded(writing_.acquire());
  auto written = co_await runtime::shielded(write());
  if (turn) writing_.release();
  co_return written;
}

task<Result<void>> AgentSync::write() {
  auto removed = std::exchange(removed_, {});
  if (auto states = changed_(); !states.empty()) {
    auto saved = co_await states_.save_agent_states(states);
    if (!saved) {
      again_(states);
      std::ranges::move(removed, std::back_inserter(removed_));
      co_return saved;
    }
  }
  for (std::size_t n = 0; n < removed.size(); ++n) {
    auto gone = co_await states_.remove_agent_state(removed[n]);
    if (!gone && gone.error().code != ErrorCode::not_found) {
      removed_.insert(removed_.end(), removed.begin() + static_cast<std::ptrdiff_t>(n), removed.end());
      co_return gone;
    }
  }
  co_return Result<void>{};
}

task<void> AgentSync::close() {
  closing_ = true;
  timer_.reset();
  co_await scope_.join();
  // The last word; a store that is gone by now has the states of the last interval, and agent states are no truth to protect.
  (void)co_await flush();
}

}  // namespace conductorai::orchestration
