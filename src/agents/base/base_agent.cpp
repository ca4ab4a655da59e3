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

std::shared_ptr<TaskResult> result_of(Outcome&& outcome) {
  auto made = std::make_shared<TaskResult>();
  TaskResult& result = *made;
  result.status = ResultStatus::completed;
  result.verdict = outcome.verdict;
  result.skipped = outcome.skipped;
  result.summary = std::move(outcome.summary);
  result.outputs = std::move(outcome.outputs);
  result.evidence = std::move(outcome.evidence);
  result.feedback = std::move(outcome.feedback);
  return made;
}

std::shared_ptr<TaskResult> failed(Error&& error) {
  const auto result = std::make_shared<TaskResult>();
  apply_error(*result, std::move(error));
  return result;
}

// Not inlined, or its error had a place in the frame.
[[gnu::noinline]] std::shared_ptr<TaskResult> failed_by_exception(const char* what) {
  return failed({.code = ErrorCode::internal, .message = std::string("the agent threw an exception: ") + what});
}

// Arguments by reference: one by value, made in a coroutine, keeps its room in the frame.

/// Null: it may go on.
std::shared_ptr<TaskResult> refused(Result<void>&& checked) {
  return checked ? nullptr : failed(std::move(checked.error()));
}
std::shared_ptr<TaskResult> refused(std::unique_ptr<Result<Outcome>> given, std::unique_ptr<Outcome>& outcome) {
  if (!*given) return failed(std::move(given->error()));
  outcome = std::make_unique<Outcome>(std::move(**given));
  return nullptr;
}

/// What the attempt failed over, as far as it was kept: an answer, a log, or what was asked where no answer came.
void cite_what_was_kept(TaskResult& result) {
  if (result.status != ResultStatus::failed || !result.evidence.empty() || result.artifacts.empty()) return;
  auto last =
      std::ranges::find_if(result.artifacts.rbegin(), result.artifacts.rend(), [](const auto& kept) { return kept.type != "prompt"; });
  if (last == result.artifacts.rend()) last = result.artifacts.rbegin();
  Evidence& evidence = result.evidence.emplace_back();
  evidence.kind = "error";
  evidence.summary = result.summary;
  evidence.artifact = last->digest;
}

}  // namespace

bool BaseAgent::commits(const TaskAssignment&) const {
  return description().changes_files;
}
task<Result<void>> BaseAgent::before(TaskContext&) {
  return task<Result<void>>::done();
}
task<Result<void>> BaseAgent::after(TaskContext&, const Outcome&) {
  return task<Result<void>>::done();
}

// Before the agent begins. This and what follows it are coroutines of their own: what they need is not in the frame of an attempt that
// waits.
task<std::shared_ptr<TaskResult>> BaseAgent::prepare(TaskContext& context) {
  if (auto unfit = refused(agents::check_with(description(), context.assignment().task->with))) co_return unfit;
  co_return refused(co_await before(context));
}

// From the agent's end on.
task<std::shared_ptr<TaskResult>> BaseAgent::conclude(TaskContext& context, std::unique_ptr<Outcome> outcome) {
  if (auto unsound = refused(check_outcome(*outcome))) co_return unsound;
  const TaskAssignment& assignment = context.assignment();
  complete_feedback(assignment, *outcome);
  std::string commit;
  if (commits(assignment) && !outcome->skipped) {
    auto committed = co_await commit_changes(context, outcome->summary);
    if (!committed) co_return failed(std::move(committed.error()));
    commit = std::move(*committed);
  }
  if (auto broken = refused(co_await after(context, *outcome))) co_return broken;
  auto result = result_of(std::move(*outcome));
  result->commit = std::move(commit);
  co_return result;
}

task<Shared<TaskResult>> BaseAgent::completed(TaskContext& context, std::shared_ptr<TaskResult> result, Instant started) {
  result->id = context.assignment().id;
  result->agent = id_;
  result->artifacts = context.saved_artifacts();
  cite_what_was_kept(*result);
  if (auto usage = co_await runtime::shielded(context.usage()); usage)
    result->usage = *usage;
  else
    apply_unread_usage(*result, usage.error());
  result->duration_ms = std::chrono::duration_cast<Milliseconds>(context.clock().steady_now() - started).count();
  co_return Shared<TaskResult>(std::move(result));
}

// What lives across an await lives in every waiting attempt's frame: results of single steps are kept no longer than they are looked at.
task<Shared<TaskResult>> BaseAgent::execute_task(TaskContext& context) {
  const Instant started = context.clock().steady_now();
  std::shared_ptr<TaskResult> result;
  try {
    std::unique_ptr<Outcome> outcome;
    result = co_await prepare(context);
    if (result == nullptr) result = refused(co_await execute(context).boxed(), outcome);
    if (result == nullptr) result = co_await conclude(context, std::move(outcome));
  } catch (const std::exception& thrown) {
    result = failed_by_exception(thrown.what());
  } catch (...) {
    result = failed_by_exception("of an unknown type");
  }
  co_return co_await completed(context, std::move(result), started);
}

}  // namespace conductorai
