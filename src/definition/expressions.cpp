// The names that expressions read: they must be there, and a task's outputs only where the task has ended by then.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "core/expression.hpp"
#include "definition/checks.hpp"

namespace conductorai::definition {

using namespace core::document;
using Kind = Node::Kind;

namespace {

/// All that a task needs, however far. A cycle, refused elsewhere, ends where it meets itself.
class Upstream {
 public:
  explicit Upstream(const WorkflowDefinition& definition) {
    for (const TaskDefinition& task : definition.tasks) index_.emplace(task.id, index_.size());
    for (const TaskDefinition& task : definition.tasks) {
      auto& needs = needs_.emplace_back();
      for (const TaskId& need : task.needs)
        if (const auto found = index_.find(need); found != index_.end()) needs.push_back(found->second);
    }
  }

  [[nodiscard]] bool knows(const TaskId& id) const { return index_.contains(id); }
  [[nodiscard]] bool reaches(const TaskId& task, const TaskId& need) {
    if (of_ != task) look(task);
    return seen_[index_.at(need)];
  }

 private:
  void look(const TaskId& task) {
    of_ = task;
    seen_.assign(needs_.size(), false);
    std::vector<std::size_t> open = needs_[index_.at(task)];
    while (!open.empty()) {
      const std::size_t one = open.back();
      open.pop_back();
      if (seen_[one]) continue;
      seen_[one] = true;
      open.insert(open.end(), needs_[one].begin(), needs_[one].end());
    }
  }

  std::map<TaskId, std::size_t> index_;
  std::vector<std::vector<std::size_t>> needs_;
  TaskId of_;  // whose upstream `seen_` is
  std::vector<bool> seen_;
};

class ExpressionCheck {
 public:
  explicit ExpressionCheck(const CheckContext& context) : context_(context), upstream_(context.definition) {
    for (const auto& [name, unused] : context.definition.inputs) inputs_.push_back(name);
    for (const TaskDefinition& task : context.definition.tasks) tasks_.push_back(task.id.value);
  }

  void task(const TaskDefinition& task, const Node& node) {
    task_ = &task;
    const Problems::In in(context_.problems, task.id.value);
    if (const Node* condition = node.find("if")) condition_text(task, *condition);
    if (const Node* items = node.find("foreach")) {
      const Problems::In key(context_.problems, "foreach");
      in_foreach_ = false;
      templates(*items);
    }
    in_foreach_ = task.foreach.has_value();
    if (const Node* with = node.find("with")) {
      const Problems::In key(context_.problems, "with");
      templates(*with);
    }
    if (const Node* outputs = node.find("outputs")) {
      const Problems::In key(context_.problems, "outputs");
      own_outputs_ = true;
      templates(*outputs);
      own_outputs_ = false;
    }
  }

 private:
  void condition_text(const TaskDefinition& task, const Node& node) {
    const Problems::In in(context_.problems, "if");
    in_foreach_ = false;
    if (task.condition.empty()) return;
    const auto parsed = core::parse_expression(task.condition);
    if (!parsed) return syntax(node, parsed.error());
    for (const core::Reference& reference : core::list_references(*parsed)) name(node, reference);
  }

  void templates(const Node& node) {
    for (const Node& item : node.items) templates(item);
    for (const Member& member : node.members) {
      const Problems::In in(context_.problems, member.key);
      templates(member.value);
    }
    if (!node.is(Kind::text) || node.text.find("${{") == std::string::npos) return;
    const auto references = core::list_template_references(std::string_view(node.text));
    if (!references) return syntax(node, references.error());
    for (const core::Reference& reference : *references) name(node, reference);
  }

  void syntax(const Node& node, const Error& error) {
    context_.problems.add(node.at, fmt::format("expression: {}{}", error.message, error.where.empty() ? "" : " (" + error.where + ")"),
                          error.hint);
  }

  void name(const Node& node, const core::Reference& reference) {
    using Root = core::Reference::Root;
    switch (reference.root) {
      case Root::inputs:
        if (!context_.definition.inputs.contains(reference.name))
          context_.problems.add(node.at, fmt::format("there is no input {}", quote(reference.name)),
                                inputs_.empty() ? "the workflow has no inputs" : suggestion(reference.name, inputs_));
        return;
      case Root::env: {
        const auto& env = context_.definition.env;
        if (std::find(env.begin(), env.end(), reference.name) == env.end())
          context_.problems.add(node.at, fmt::format("the variable {} is not listed in 'env'", quote(reference.name)),
                                suggestion(reference.name, env));
        return;
      }
      case Root::foreach_item:
        if (!in_foreach_) context_.problems.add(node.at, "foreach.item is known only in 'with' and 'outputs' of a task with 'foreach'");
        return;
      case Root::tasks: return task_name(node, reference);
    }
  }

  void task_name(const Node& node, const core::Reference& reference) {
    const bool own = own_outputs_ && reference.task == task_->id;
    if (!upstream_.knows(reference.task)) {
      context_.problems.add(node.at, fmt::format("there is no task {}", quote(reference.task.value)),
                            suggestion(reference.task.value, tasks_));
    } else if (!own && !upstream_.reaches(task_->id, reference.task)) {
      context_.problems.add(
          node.at, fmt::format("the outputs of '{}' are not known to '{}', which does not need it", reference.task.value, task_->id.value),
          fmt::format("add it: needs: [{}]", reference.task.value));
    }
  }

  const CheckContext& context_;
  Upstream upstream_;
  std::vector<std::string> inputs_, tasks_;
  const TaskDefinition* task_ = nullptr;
  bool in_foreach_ = false;
  bool own_outputs_ = false;
};

}  // namespace

void check_expressions(const CheckContext& context) {
  const Node* tasks = context.root.find("tasks");
  if (tasks == nullptr) return;
  const Problems::In in(context.problems, "tasks");
  ExpressionCheck check(context);
  for (const TaskDefinition& task : context.definition.tasks)
    if (const Node* node = tasks->find(task.id.value)) check.task(task, *node);
}

}  // namespace conductorai::definition
