// approve, reject, pause, cancel, retry: one wish each, to the owner or applied here.

#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/session.hpp"

namespace conductorai::cli {

namespace {

struct ControlOptions {
  std::string id, approval, comment, task;
};

/// Which workflows a command without an id can mean.
std::function<bool(const WorkflowSummary&)> fits_for(const ControlCommand& command) {
  if (std::holds_alternative<RetryWorkflow>(command)) return [](const WorkflowSummary& s) { return s.status == WorkflowStatus::failed; };
  return [](const WorkflowSummary& s) { return s.status == WorkflowStatus::in_progress || s.status == WorkflowStatus::paused; };
}

/// Tells the workflow, then in one line how it stands.
int control(const Globals& globals, const ControlOptions& options, const std::string& wanted, const ControlCommand& command) {
  auto session = Session::open(globals, {});
  if (!session) return report(session.error());
  auto id = options.id.empty() ? (*session)->find_only(fits_for(command), wanted) : (*session)->find(options.id);
  if (!id) return report(id.error());
  if (auto told = (*session)->ai().control(*id, command); !told) return report(told.error());
  auto view = (*session)->ai().get_workflow_state(*id);
  if (!view) return report(view.error());
  std::cerr << id->str() << ": " << to_string(view->status) << "\n";
  if (wanted == "pause" && !view->owner.empty())
    std::cerr << "what runs ends first, nothing new starts; `conductorai cancel` stops it at once\n";
  const bool waits = view->status == WorkflowStatus::in_progress && (view->owner.empty() || view->owner.starts_with("none"));
  if (waits) std::cerr << "to go on: conductorai resume " << id->str() << "\n";
  return kOk;
}

int approve(const Globals& globals, const ControlOptions& o) {
  return control(globals, o, "approve",
                 ResolveApproval{.approval = ApprovalId(o.approval), .approve = true, .by = user_name(), .comment = o.comment});
}
int reject(const Globals& globals, const ControlOptions& o) {
  return control(globals, o, "reject",
                 ResolveApproval{.approval = ApprovalId(o.approval), .approve = false, .by = user_name(), .comment = o.comment});
}
int pause(const Globals& globals, const ControlOptions& o) {
  return control(globals, o, "pause", PauseWorkflow{.by = user_name()});
}
int cancel(const Globals& globals, const ControlOptions& o) {
  return control(globals, o, "cancel",
                 CancelWorkflow{.by = user_name(), .reason = o.comment.empty() ? "cancelled by " + user_name() : o.comment});
}
int retry(const Globals& globals, const ControlOptions& o) {
  RetryWorkflow command{.by = user_name()};
  if (!o.task.empty()) command.task = TaskId(o.task);
  return control(globals, o, "retry", command);
}

void declare_id(CLI::App& command, ControlOptions& o) {
  command.add_option("ID", o.id, "Workflow, or a unique prefix (default: the only one it can mean)");
}

void declare_approval(CLI::App& command, ControlOptions& o) {
  declare_id(command, o);
  command.add_option("APPROVAL", o.approval, "Which one (default: the only open one)");
  command.add_option("--comment,-m", o.comment, "Why, for the record")->type_name("TEXT");
}

}  // namespace

void add_control(CLI::App& app, CommandLine& line) {
  add_command<ControlOptions>(app, line, "approve", "Let an approval pass", declare_approval, approve);
  add_command<ControlOptions>(app, line, "reject", "Refuse an approval", declare_approval, reject);
  add_command<ControlOptions>(app, line, "pause", "Stop a workflow and keep its state", declare_id, pause);
  add_command<ControlOptions>(
      app, line, "cancel", "End a workflow for good",
      [](CLI::App& command, ControlOptions& o) {
        declare_id(command, o);
        command.add_option("--reason,-m", o.comment, "Why, for the record")->type_name("TEXT");
      },
      cancel);
  add_command<ControlOptions>(
      app, line, "retry", "Open a failed workflow again at its failed tasks; resume then runs it",
      [](CLI::App& command, ControlOptions& o) {
        declare_id(command, o);
        command.add_option("--task", o.task, "Only this task")->type_name("TASK");
      },
      retry);
}

}  // namespace conductorai::cli
