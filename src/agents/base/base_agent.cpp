#include "conductorai/base_agent.hpp"

#include <algorithm>

#include "agents/base/with.hpp"
#include "base/crash_point.hpp"
#include "runtime/scope.hpp"

namespace conductorai {
namespace {

constexpr std::size_t kSubjectBytesMax = 72;

std::string commit_subject(const TaskAssignment& assignment, const std::string& summary) {
  std::string subject = assignment.id.task.str() + ": " + summary.substr(0, summary.find('\n'));
  if (subject.size() <= kSubjectBytesMax) return subject;
  std::size_t cut = kSubjectBytesMax - 3;
  while (cut > 0 && (static_cast<unsigned char>(subject[cut]) & 0xC0) == 0x80) --cut;  // no half character
  return subject.substr(0, cut) + "…";
}

Severity worst(const std::vector<Finding>& findings) {
  Severity severity = Severity::error;
  for (const Finding& finding : findings) severity = std::max(severity, finding.severity);
  return severity;
}

// What a failed verdict tells an earlier task, as far as the agent left it out.
void complete_feedback(const TaskAssignment& assignment, Outcome& outcome) {
  if (outcome.verdict != Verdict::failed) {
    outcome.feedback.reset();
    return;
  }
  if (!outcome.feedback) outcome.feedback.emplace();
  FeedbackPayload& feedback = *outcome.feedback;
  feedback.from = assignment.id.task;
  if (feedback.summary.empty()) feedback.summary = outcome.summary;
  feedback.severity = std::max(feedback.severity, worst(feedback.findings));
  if (feedback.evidence.empty())
    for (const Evidence& evidence : outcome.evidence)
      if (!evidence.artifact.empty()) feedback.evidence.push_back(evidence.artifact);
}

Result<void> check_outcome(const Outcome& outcome) {
  if (outcome.verdict == Verdict::none || !outcome.evidence.empty()) return {};
  return fail(ErrorCode::internal, "the agent gave a verdict that cites no evidence");
}

task<Result<std::string>> commit_changes(TaskContext& context, std::string summary) {
  auto workspace = co_await context.workspace();
  if (!workspace) co_return fail(workspace.error());
  auto refused = co_await (*workspace)->protected_changes();
  if (!refused) co_return fail(refused.error());
  if (!refused->empty()) co_return fail(ErrorCode::permission_denied, "the attempt changed a protected path", refused->front());
  CommitTrailers trailers{.attempt = context.assignment().id, .agent = context.agent(), .artifacts = {}};
  for (const ArtifactRef& artifact : context.saved_artifacts()) trailers.artifacts.push_back(artifact.digest);
  crash_point("agent.before_commit");
  auto commit = co_await (*workspace)->commit(commit_subject(context.assignment(), summary), std::move(trailers), context.clock().now());
  crash_point("agent.after_commit");
  co_return commit;
}

void apply_error(TaskResult& result, Error error) {
  const bool waits = error.code == ErrorCode::budget_exhausted || error.where == kUnrecordedAnswer || error.where == kLeftWaiting;
  result.status = error.code == ErrorCode::cancelled ? ResultStatus::cancelled : waits ? ResultStatus::suspended : ResultStatus::failed;
  result.summary = error.message;
  result.error = std::move(error);
}

// A result without its usage must not be journaled: the attempt waits, and answers from its records when it is taken up again.
void apply_unread_usage(TaskResult& result, const Error& error) {
  Error unread{.code = error.code, .message = "what the attempt used could not be read", .where = std::string(kUnrecordedAnswer)};
  unread.cause = std::make_shared<const Error>(error);
  result.verdict = Verdict::none;
  result.commit.clear();
  apply_error(result, std::move(unread));
}

void apply_outcome(TaskResult& result, Outcome outcome) {
  result.status = ResultStatus::completed;
  result.verdict = outcome.verdict;
  result.skipped = outcome.skipped;
  result.summary = std::move(outcome.summary);
  result.outputs = std::move(outcome.outputs);
  result.evidence = std::move(outcome.evidence);
  result.feedback = std::move(outcome.feedback);
}

Error internal_error(const std::string& what) {
  return {.code = ErrorCode::internal, .message = "the agent threw an exception: " + what};
}

}  // namespace

bool BaseAgent::commits(const TaskAssignment&) const {
  return description().changes_files;
}
task<Result<void>> BaseAgent::before(TaskContext&) {
  co_return Result<void>{};
}
task<Result<void>> BaseAgent::after(TaskContext&, const Outcome&) {
  co_return Result<void>{};
}

// What lives across an await lives in every waiting attempt's frame: results of single steps are kept no longer than they are looked at.
task<Result<void>> BaseAgent::attempt(TaskContext& context, TaskResult& result) {
  const TaskAssignment& assignment = context.assignment();
  if (auto valid = agents::check_with(description(), assignment.task.with); !valid) co_return valid;
  if (auto ready = co_await before(context); !ready) co_return ready;
  auto outcome = co_await execute(context);
  if (!outcome) co_return fail(std::move(outcome.error()));
  if (auto sound = check_outcome(*outcome); !sound) co_return sound;
  complete_feedback(assignment, *outcome);
  if (commits(assignment) && !outcome->skipped) {
    auto committed = co_await commit_changes(context, outcome->summary);
    if (!committed) co_return fail(committed.error());
    result.commit = std::move(*committed);
  }
  if (auto done = co_await after(context, *outcome); !done) co_return done;
  apply_outcome(result, std::move(*outcome));
  co_return Result<void>{};
}

task<Shared<TaskResult>> BaseAgent::execute_task(TaskContext& context) {
  const Instant started = context.clock().steady_now();
  const auto made = std::make_shared<TaskResult>(TaskResult{.id = context.assignment().id, .agent = id_});
  TaskResult& result = *made;
  std::optional<Error> error;
  try {
    if (auto done = co_await attempt(context, result); !done) error = std::move(done.error());
  } catch (const std::exception& thrown) {
    error = internal_error(thrown.what());
  } catch (...) {
    error = internal_error("of an unknown type");
  }
  if (error) {
    result.commit.clear();
    apply_error(result, std::move(*error));
  }
  result.artifacts = context.saved_artifacts();
  if (auto usage = co_await runtime::shielded(context.usage()); usage)
    result.usage = *usage;
  else
    apply_unread_usage(result, usage.error());
  result.duration_ms = std::chrono::duration_cast<Milliseconds>(context.clock().steady_now() - started).count();
  co_return Shared<TaskResult>(made);
}

}  // namespace conductorai
