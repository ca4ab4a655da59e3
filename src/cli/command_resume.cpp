#include "cli/command.hpp"
#include "cli/drive.hpp"
#include "cli/exit_code.hpp"
#include "cli/run_options.hpp"

namespace conductorai::cli {

namespace {

struct ResumeOptions {
  std::string id;
  OverrideOptions overrides;
};

bool resumable(const WorkflowSummary& summary) {
  if (summary.status == WorkflowStatus::paused) return true;
  return !summary.owner_alive && (summary.status == WorkflowStatus::in_progress || summary.status == WorkflowStatus::pending);
}

Result<void> refuse_ended(const WorkflowView& view) {
  const std::string id = view.id.str();
  switch (view.status) {
    case WorkflowStatus::completed: return fail(ErrorCode::invalid_argument, "the workflow is COMPLETED: there is nothing to resume", id);
    case WorkflowStatus::cancelled: return fail(ErrorCode::invalid_argument, "the workflow was cancelled", id);
    case WorkflowStatus::failed:
      return fail(ErrorCode::invalid_argument, "the workflow has FAILED", id, "conductorai retry " + id + " opens its failed tasks again");
    default: return {};
  }
}

/// "Another process owns it" is no mistake in the user's text.
Error as_machine_error(Error error) {
  if (error.code != ErrorCode::conflict) return error;
  error.code = ErrorCode::unavailable;
  if (error.hint.empty()) error.hint = "conductorai watch follows it";
  return error;
}

int resume(const Globals& globals, const ResumeOptions& options) {
  std::unique_ptr<Progress> progress;
  auto session = open_session(globals, progress);
  if (!session) return report(session.error());
  ConductorAI& ai = (*session)->ai();
  auto id = options.id.empty() ? (*session)->find_only(resumable, "resume") : (*session)->find(options.id);
  if (!id) return report(id.error());
  auto view = ai.get_workflow_state(*id);
  if (!view) return report(view.error());
  if (auto open = refuse_ended(*view); !open) return report(open.error());
  auto definition = ai.get_definition(*id);
  if (!definition) return report(definition.error());
  auto overrides = overrides_of(options.overrides, **definition);
  if (!overrides) return report(overrides.error());
  progress = std::make_unique<Progress>(progress_style(globals.json), definition->get());
  return drive(**session, *progress, globals.json, [&](auto watcher) -> Result<WorkflowView> {
    auto ended = ai.resume_workflow(*id, *overrides, watcher);
    if (!ended) return fail(as_machine_error(ended.error()));
    return ended;
  });
}

}  // namespace

void add_resume(CLI::App& app, CommandLine& line) {
  add_command<ResumeOptions>(
      app, line, "resume", "Go on with a workflow that a crash, Ctrl-C, a budget or an approval stopped",
      [](CLI::App& command, ResumeOptions& o) {
        command.add_option("ID", o.id, "Workflow (default: the only one that can be resumed)");
        declare_overrides(command, o.overrides);
      },
      resume);
}

}  // namespace conductorai::cli
