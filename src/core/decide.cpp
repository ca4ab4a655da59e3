// decide: one handler a command. A handler refuses before its first event, so a rejected command leaves no trace.

#include "core/decide.hpp"

#include <fmt/format.h>

#include <set>

#include "core/cleanup.hpp"
#include "core/decision.hpp"
#include "core/definition_check.hpp"
#include "core/results.hpp"
#include "core/task_machine.hpp"
#include "core/workflow_machine.hpp"

namespace conductorai::core {
namespace {

constexpr int kClaimsMax = 5;

std::vector<TaskId> in_flight(const WorkflowState& state) {
  std::vector<TaskId> out;
  for (const TaskId& id : state.live)
    if (live_attempt(state.tasks.at(id)) > 0) out.push_back(id);
  return out;
}

std::string join(const std::vector<TaskId>& ids) {
  std::string text;
  for (const TaskId& id : ids) text += (text.empty() ? "" : ", ") + id.value;
  return text;
}

Rejection does_not_fit(const WorkflowState& state, std::string message, bool stale = false) {
  message += ": the workflow is " + std::string(to_string(status(state)));
  return {.stale = stale, .error = {.code = ErrorCode::conflict, .message = std::move(message), .where = state.id.value}};
}

class Handler {
 public:
  explicit Handler(Decision& decision) : decision_(decision), state_(decision.state()) {}
  using Answer = std::expected<void, Rejection>;

  Answer operator()(const StartWorkflow& command) {
    if (form_of(state_.machine) != WorkflowForm::pending) return std::unexpected(does_not_fit(state_, "it was started before", true));
    if (auto sound = check_definition(*state_.definition); !sound) return std::unexpected(Rejection{.error = sound.error()});
    decision_.emit(command.started);
    advance(decision_);
    return {};
  }

  Answer operator()(const ForkWorkflow& command) {
    if (form_of(state_.machine) != WorkflowForm::pending) return std::unexpected(does_not_fit(state_, "it was started before", true));
    if (auto sound = check_definition(*state_.definition); !sound) return std::unexpected(Rejection{.error = sound.error()});
    auto forked = tried(command);
    if (!forked) return std::unexpected(Rejection{.error = forked.error()});
    decision_.emit(command.started);
    decision_.emit(std::move(*forked));
    for (const Event& event : command.kept) decision_.emit(event);
    // The end of a foreach stands behind its last child's result: a point between the two left it out.
    const std::set<TaskId> expanded = decision_.state().expanded;
    for (const TaskId& id : expanded)
      if (decision_.task(id).unsettled_children == 0) finish_parent(decision_, id);
    if (command.overrides != RunOverrides{}) decision_.emit(WorkflowResumed{command.forked.by, command.overrides});
    advance(decision_);
    return {};
  }

  Answer operator()(const ClaimWorkflow& command) {
    if (terminal(state_) || form_of(state_.machine) == WorkflowForm::pending) return refuse("there is nothing to take over");
    const std::vector<TaskId> live = in_flight(state_);
    decision_.emit(WorkflowClaimed{command.owner, live});
    if (const auto* cleaning = std::get_if<workflow_state::CleaningUp>(&state_.machine);
        cleaning != nullptr && state_.claims_without_progress >= kClaimsMax)
      decision_.emit(WorkflowCancelRequested{.reason = cleaning->reason});
    if (!in_progress(state_) || state_.claims_without_progress < kClaimsMax || live.empty()) return {};
    decision_.emit(WorkflowPaused{PauseKind::claims, fmt::format("{} owners in a row ended without an event; in flight was: {}",
                                                                 state_.claims_without_progress, join(live))});
    return {};
  }

  Answer operator()(const RecordResult& command) { return record_result(decision_, command); }

  Answer operator()(const FireTimer& command) {
    if (command.kind == FireTimer::Kind::approval) return expire(command.approval);
    if (command.kind == FireTimer::Kind::workflow) return end_by_deadline();
    if (command.kind == FireTimer::Kind::cleanup) return end_cleanup_by_deadline();
    return std::unexpected(does_not_fit(state_, "the end of a back-off needs no decision", true));
  }

  Answer operator()(const Pause& command) {
    if (form_of(state_.machine) == WorkflowForm::paused) return std::unexpected(does_not_fit(state_, "nothing to pause", true));
    if (!in_progress(state_)) return refuse("it can't be paused");
    decision_.emit(WorkflowPaused{command.kind, command.reason.empty() ? "paused by the user" : command.reason});
    return {};
  }

  Answer operator()(const Resume& command) {
    const bool changes = command.overrides != RunOverrides{};
    if (in_progress(state_) && !changes) return std::unexpected(does_not_fit(state_, "nothing to resume", true));
    if (!in_progress(state_) && form_of(state_.machine) != WorkflowForm::paused) return refuse("it can't be resumed");
    decision_.emit(WorkflowResumed{command.by, command.overrides});
    advance(decision_);
    return {};
  }

  Answer operator()(const Cancel& command) {
    if (form_of(state_.machine) == WorkflowForm::cancelling) return std::unexpected(does_not_fit(state_, "it is being cancelled", true));
    if (!in_progress(state_) && !cleaning_up(state_) && form_of(state_.machine) != WorkflowForm::paused)
      return refuse("it can't be cancelled");
    std::string reason = command.reason;
    if (reason.empty()) reason = "cancelled" + (command.by.empty() ? "" : " by " + command.by);
    const bool live = !in_flight(state_).empty();
    decision_.emit(WorkflowCancelRequested{command.by, reason});
    if (!live) after_stop(decision_);
    return {};
  }

  Answer operator()(const FinishCancel&) {
    if (form_of(state_.machine) != WorkflowForm::cancelling) return std::unexpected(does_not_fit(state_, "no cancel is under way", true));
    after_stop(decision_);
    return {};
  }

  Answer operator()(const Resolve& command) {
    if (!in_progress(state_) && form_of(state_.machine) != WorkflowForm::paused) return refuse("approvals are closed");
    auto found = find_open(command.approval);
    if (!found) return std::unexpected(found.error());
    const ApprovalRequested& request = (*found)->request;
    // The deadline is absolute: an answer after it finds the approval expired, whether or not the timer came first.
    const bool late = request.expires_at && decision_.context().now >= *request.expires_at;
    const ApprovalOutcome answer = command.approve ? ApprovalOutcome::approved : ApprovalOutcome::rejected;
    decision_.emit(ApprovalResolved{request.approval, late ? ApprovalOutcome::expired : answer, command.by, command.comment});
    advance(decision_);
    return {};
  }

  Answer operator()(const RetryFailed& command) {
    if (form_of(state_.machine) != WorkflowForm::failed) return refuse("only a FAILED workflow can be retried");
    if (command.task) {
      auto it = state_.tasks.find(*command.task);
      if (it == state_.tasks.end())
        return std::unexpected(Rejection{.error = {.code = ErrorCode::not_found, .message = "no such task", .where = command.task->value}});
      if (!settled(it->second) || it->second.blocked) return refuse("task " + command.task->value + " has not ended");
    }
    open_retry(decision_, command);
    advance(decision_);
    return {};
  }

 private:
  /// Whether a workflow can go on from there, and whose results it then has.
  [[nodiscard]] Result<WorkflowForked> tried(const ForkWorkflow& command) const {
    WorkflowState trial = state_;
    evolve(trial, command.started, decision_.context().now);
    evolve(trial, command.forked, decision_.context().now);
    for (const Event& event : command.kept) evolve(trial, event, decision_.context().now);
    if (!trial.parked.empty()) return fail(ErrorCode::data_corrupted, trial.parked, command.forked.workflow.value);
    if (!in_progress(trial))
      return fail(ErrorCode::invalid_argument,
                  "the workflow had ended before event " + std::to_string(command.forked.seq) + ", or was being cancelled",
                  command.forked.workflow.value, "give an earlier event, or a task");
    WorkflowForked forked = command.forked;
    for (const TaskId& id : trial.order)
      if (std::holds_alternative<task_state::Completed>(trial.tasks.at(id).machine)) forked.tasks.push_back(id);
    return forked;
  }

  [[nodiscard]] Answer refuse(std::string message) const { return std::unexpected(does_not_fit(state_, std::move(message))); }

  Answer expire(const ApprovalId& id) {
    const Approval* approval = find_approval(state_, id);
    const bool running = in_progress(state_) || form_of(state_.machine) == WorkflowForm::paused;
    if (approval == nullptr || !is_open(*approval) || !running)
      return std::unexpected(does_not_fit(state_, "approval " + id.value + " is not open", true));
    decision_.emit(ApprovalResolved{.approval = id, .outcome = ApprovalOutcome::expired});
    advance(decision_);
    return {};
  }

  Answer end_by_deadline() {
    // A paused workflow has no deadline running; it is owed again once it is resumed.
    if (!in_progress(state_) || !state_.definition->timeout) return std::unexpected(does_not_fit(state_, "no deadline is running", true));
    const std::string reason =
        fmt::format("the workflow's timeout of {} s has passed", static_cast<double>(state_.definition->timeout->count()) / 1000);
    const bool live = !in_flight(state_).empty();
    if (!live && cleanup_tasks(decision_).empty()) {
      decision_.emit(failed_by_deadline(reason));
      return {};
    }
    decision_.emit(WorkflowCancelRequested{.reason = reason, .deadline = true});
    if (!live) after_stop(decision_);
    return {};
  }

  Answer end_cleanup_by_deadline() {
    const auto* cleaning = std::get_if<workflow_state::CleaningUp>(&state_.machine);
    if (cleaning == nullptr) return std::unexpected(does_not_fit(state_, "no clean-up is under way", true));
    decision_.emit(WorkflowCancelRequested{.reason = cleaning->reason + " (its clean-up took too long and was stopped)"});
    if (in_flight(state_).empty()) after_stop(decision_);
    return {};
  }

  std::expected<const Approval*, Rejection> find_open(const ApprovalId& id) {
    if (!id.empty()) {
      const Approval* approval = find_approval(state_, id);
      if (approval == nullptr)
        return std::unexpected(Rejection{.error = {.code = ErrorCode::not_found, .message = "no such approval", .where = id.value}});
      if (!is_open(*approval))
        return std::unexpected(
            Rejection{.stale = true, .error = {.code = ErrorCode::conflict, .message = "it was resolved before", .where = id.value}});
      return approval;
    }
    const Approval* only = nullptr;
    std::string names;
    for (const auto& [known, approval] : state_.approvals) {
      if (!is_open(approval)) continue;
      names += (names.empty() ? "" : ", ") + known.value;
      only = only == nullptr ? &approval : nullptr;
    }
    if (only != nullptr) return only;
    Error error{.code = ErrorCode::conflict, .message = "no approval is open", .where = state_.id.value};
    if (!names.empty())
      error = {.code = ErrorCode::invalid_argument, .message = "several approvals are open: " + names, .hint = "name one"};
    return std::unexpected(Rejection{.stale = names.empty(), .error = std::move(error)});
  }

  Decision& decision_;
  const WorkflowState& state_;
};

/// What a journal that can't be followed still allows: taking it over and giving it up.
bool allowed_when_parked(const Command& command) {
  return std::holds_alternative<ClaimWorkflow>(command) || std::holds_alternative<Cancel>(command) ||
         std::holds_alternative<FinishCancel>(command);
}

}  // namespace

TaskId Decision::next_started() {
  auto it = state_.live_since.upper_bound(next_);
  if (it == state_.live_since.end()) return {};
  next_ = *it;
  return it->second;
}

AttemptId Decision::attempt_id(const TaskRecord& task) const {
  return {.workflow = state_.id, .task = task.definition->id, .round = task.round, .attempt = 1};
}

void advance(Decision& decision) {
  while (in_progress(decision.state()) || cleaning_up(decision.state())) {
    if (const TaskId id = decision.next_started(); !id.empty()) {
      begin_task(decision, id);
      continue;
    }
    if (cleaning_up(decision.state())) {
      if (!end_cleanup(decision)) return;
      continue;
    }
    if (decision.state().unsettled[decision.state().phase] > 0) return;
    if (!end_phase(decision)) return;
  }
}

std::expected<std::vector<Event>, Rejection> decide_and_evolve(WorkflowState& state, const Command& command, const Context& context) {
  if (!state.parked.empty() && !allowed_when_parked(command))
    return std::unexpected(Rejection{.error = {.code = ErrorCode::data_corrupted, .message = state.parked, .where = state.id.value}});
  Decision decision(state, context);
  Handler handler(decision);
  if (auto answer = std::visit(handler, command); !answer) return std::unexpected(std::move(answer.error()));
  return std::move(decision).take();
}

std::expected<std::vector<Event>, Rejection> decide(const WorkflowState& state, const Command& command, const Context& context) {
  WorkflowState copy = state;
  return decide_and_evolve(copy, command, context);
}

}  // namespace conductorai::core
