#pragma once
// BaseAgent: derive, implement `execute`, register. Template method: validate → BUSY → before → execute → artifacts → commit → after →
// IDLE.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conductorai/policy.hpp"
#include "conductorai/task_context.hpp"

namespace conductorai {

/// One key of an agent's `with`. The published schema, the loader's errors and the documentation are made from these.
struct WithKey {
  std::string name;
  enum class Type { text, integer, number, boolean, array, object, duration, any } type = Type::text;
  bool required = false;
  std::string description;
  std::vector<std::string> allowed;  // of a text; empty: any
};

struct AgentDescription {
  AgentType type;
  Phase phase = Phase::development;  // of tasks that name none
  bool uses_llm = false;
  bool changes_files = false;  // its attempt ends in a commit of what it changed
  std::string summary;         // one line
  std::vector<WithKey> with;
  std::string answer_schema;  // JSON Schema text that its model's last answer follows; empty: free text
  /// What the policies are asked about before an attempt with this `with` does anything; may be empty.
  std::function<std::vector<PolicyContext>(const WorkflowDefinition& workflow, const Object& with)> acts;
  /// What `with` says beyond its keys, seen when a workflow is loaded, if it holds no expression; may be empty. Errors: invalid_argument,
  /// `where` is the path of the key ("with.probes[0].status").
  std::function<Result<void>(const Object& with)> check;
};

/// What `execute` hands back; the template method adds artifacts, usage, commit and times.
struct Outcome {
  Verdict verdict = Verdict::none;
  bool skipped = false;  // there is nothing for this task to do, `summary` says why; it is SKIPPED and what needs it too
  std::string summary;
  Object outputs;
  std::vector<Evidence> evidence;           // a verdict other than none cites at least one
  std::optional<FeedbackPayload> feedback;  // with Verdict::failed; made from evidence and summary where left out
};

class BaseAgent {
 public:
  explicit BaseAgent(AgentId id, int capacity = 1) : id_(std::move(id)), capacity_(capacity) {}
  BaseAgent(const BaseAgent&) = delete;
  BaseAgent& operator=(const BaseAgent&) = delete;
  virtual ~BaseAgent() = default;

  [[nodiscard]] const AgentId& id() const { return id_; }
  [[nodiscard]] int capacity() const { return capacity_; }
  [[nodiscard]] virtual const AgentDescription& description() const = 0;

  /// The template method. Never throws: errors become a failed, cancelled (error.code cancelled) or suspended (budget_exhausted) result.
  task<Shared<TaskResult>> execute_task(TaskContext& context);

 protected:
  virtual task<Result<void>> before(TaskContext& context);
  virtual task<Result<Outcome>> execute(TaskContext& context) = 0;
  /// Whether this attempt ends in a commit of what it changed; else its changes are dropped with its worktree.
  [[nodiscard]] virtual bool commits(const TaskAssignment& assignment) const;
  virtual task<Result<void>> after(TaskContext& context, const Outcome& outcome);

 private:
  task<std::shared_ptr<TaskResult>> prepare(TaskContext& context);
  task<std::shared_ptr<TaskResult>> conclude(TaskContext& context, std::unique_ptr<Outcome> outcome);
  task<Shared<TaskResult>> completed(TaskContext& context, std::shared_ptr<TaskResult> result, Instant started);

  AgentId id_;
  int capacity_;
};

}  // namespace conductorai
