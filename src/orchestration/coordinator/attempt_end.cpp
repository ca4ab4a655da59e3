// How a dispatched attempt ends. Whatever the loop sees first decides; what comes later is ignored:
//
//   first              | then                          | the result
//   -------------------+-------------------------------+------------------------------------------------------
//   agent's result     | –                             | as the agent gave it
//   timeout            | any result, or the grace ends | failed: timeout, with the usage and artifacts of that result
//   cancellation       | any result                    | as the agent gave it (normally cancelled)
//   cancellation       | the grace ends                | cancelled, saying that the agent did not confirm
//   agent silent       | –                             | failed: unavailable
//   cancellation, queued                               | cancelled; the agent never hears of it

#include "orchestration/coordinator/coordinator_impl.hpp"

namespace conductorai::orchestration {
namespace {

/// As the agent gave it, but for what the coordinator knows better.
Shared<TaskResult> settled(Dispatch& dispatch, const Shared<TaskResult>& result) {
  const bool silent = result->status == ResultStatus::failed && !result->error;
  if (!dispatch.timed_out && !silent && !result->agent.empty()) return result;
  TaskResult ended = *result;
  ended.agent = dispatch.agent->id;
  if (dispatch.timed_out) {
    ended.status = ResultStatus::failed;
    ended.verdict = Verdict::none;
    ended.outputs = {};
    ended.commit.clear();
    ended.feedback.reset();
    ended.summary = dispatch.timed_out->message;
    ended.error = std::move(*dispatch.timed_out);
  } else if (silent) {
    ended.error = Error{.code = ErrorCode::internal, .message = "the agent failed without saying why", .where = to_string(ended.id)};
  }
  return ended;
}

}  // namespace

TaskResult failed_result(const Dispatch& dispatch, Error error) {
  return {.id = dispatch.id,
          .agent = dispatch.agent != nullptr ? dispatch.agent->id : AgentId(),
          .status = ResultStatus::failed,
          .summary = error.message,
          .error = std::move(error)};
}

TaskResult cancelled_result(const Dispatch& dispatch) {
  TaskResult result = failed_result(dispatch, {.code = ErrorCode::cancelled, .message = "cancelled", .where = to_string(dispatch.id)});
  result.status = ResultStatus::cancelled;
  return result;
}

Shared<TaskResult> shared_cancelled_result(const Dispatch& dispatch) {
  return cancelled_result(dispatch);
}

void AgentCoordinator::Impl::take_result(const Shared<TaskResult>& result) {
  auto found = live.find(result->id);
  Dispatch* dispatch = found == live.end() ? nullptr : *found;
  if (dispatch == nullptr || dispatch->stage != Dispatch::Stage::running ||
      (!result->agent.empty() && result->agent != dispatch->agent->id)) {
    ++counters.ignored_results;
    return;
  }
  heard(*dispatch->agent);
  end(*dispatch, settled(*dispatch, result));
  pump();
}

void AgentCoordinator::Impl::end(Dispatch& dispatch, Shared<TaskResult> result) {
  // One refused as a repetition shares its id with the one that is live.
  if (auto found = live.find(&dispatch); found != live.end() && *found == &dispatch) live.erase(found);
  dispatch.timer.reset();
  Agent* agent = dispatch.agent;
  if (agent != nullptr) {
    registry.give_back(*agent, dispatch, result);
    changed(*agent);
    line.end(dispatch);
  } else if (dispatch.lane != nullptr) {
    line.leave(dispatch);
  }
  if (dispatch.lane != nullptr) line.forget_if_idle(*dispatch.lane->workflow);
  dispatch.lane = nullptr;
  dispatch.agent = nullptr;
  dispatch.stage = Dispatch::Stage::ended;
  dispatch.result = std::move(result);
  dispatch.ended.complete();
  if (dispatch.stopped != nullptr) dispatch.stopped->complete();
  if (agent == nullptr) return;
  watch_breakers(*agent->pool);
  remove_if_drained(*agent);
}

void AgentCoordinator::Impl::refuse(Dispatch& dispatch, Error error) {
  end(dispatch, failed_result(dispatch, std::move(error)));
}

void AgentCoordinator::Impl::time_out(Dispatch& dispatch) {
  tell_to_stop(dispatch, dispatch.timed_out->message);
}

void AgentCoordinator::Impl::cancel(Dispatch& dispatch) {
  if (dispatch.stage == Dispatch::Stage::queued) return end(dispatch, cancelled_result(dispatch));
  tell_to_stop(dispatch, "cancelled");
}

void AgentCoordinator::Impl::tell_to_stop(Dispatch& dispatch, std::string reason) {
  if (std::exchange(dispatch.told_to_stop, true)) return;
  dispatch.timer = clock.call_after(options.cancel_grace, [this, &dispatch] {
    give_up(dispatch);
    pump();
  });
  // The priority of its assignment, so that it cannot overtake it in the agent's queue and stop what has not begun.
  (void)bus.publish({.channel = dispatch.agent->channel,
                     .from = "conductor:coordinator",
                     .priority = dispatch.priority,
                     .body = CancelAttempt{dispatch.id, std::move(reason)}});
}

void AgentCoordinator::Impl::give_up(Dispatch& dispatch) {
  const std::string silent = ", and agent '" + dispatch.agent->id.value + "' did not confirm the stop within " +
                             std::to_string(options.cancel_grace.count()) + " ms";
  TaskResult result = dispatch.timed_out ? failed_result(dispatch, *dispatch.timed_out) : cancelled_result(dispatch);
  result.error->message += silent;
  result.summary = result.error->message;
  end(dispatch, std::move(result));
}

}  // namespace conductorai::orchestration
