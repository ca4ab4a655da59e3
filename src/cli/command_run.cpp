#include "cli/command.hpp"
#include "cli/drive.hpp"
#include "cli/exit_code.hpp"
#include "cli/llm_options.hpp"
#include "cli/run_options.hpp"
#include "cli/workflow_source.hpp"

namespace conductorai::cli {

namespace {

struct RunOptions {
  WorkflowSource source;
  RunTerms terms;
  std::string sandbox;
  bool allow_dirty = false;
};

Result<void> apply(const RunOptions& options, WorkflowDefinition& definition) {
  auto sandbox = parse_sandbox(options.sandbox);
  if (!sandbox) return fail(sandbox.error());
  if (*sandbox) definition.sandbox.enabled = **sandbox;
  if (options.allow_dirty) definition.workspace.allow_dirty = true;
  return apply_budget(options.terms, definition);
}

int run(const Globals& globals, const RunOptions& options) {
  // Everything the user wrote is checked before the first file of the state is.
  const Project project = find_project(".", globals.state_dir);
  auto config = load_configuration(globals, project, flags_of(options.terms));
  if (!config) return report(config.error());
  int code = kOk;
  auto sourced = load_source(options.source, project, *config, code);
  if (!sourced) return code;
  WorkflowDefinition& definition = sourced->loaded.definition;
  if (auto applied = apply(options, definition); !applied) return report(applied.error());
  if (auto checked = check_llm(definition, sourced->agents); !checked) return report(checked.error());
  if (auto reachable = check_model_use(definition, *config, project); !reachable) return report(reachable.error());
  for (const auto& warning : sourced->loaded.warnings) warn(*config, warning);
  if (!definition.sandbox.enabled) warn(*config, "--sandbox=none: generated code runs with your own rights");

  Progress progress(progress_style(globals.json), &definition);
  auto session = Session::open(globals, {.create = true,
                                         .flags = flags_of(options.terms),
                                         .on_progress = [&](const std::string& line) { progress.on_notice(line); },
                                         .on_text = [&](const AnswerPiece& piece) { progress.on_text(piece); }});
  if (!session) return report(session.error());
  return drive(**session, progress, globals.json, [&](auto watcher) { return (*session)->ai().run_workflow(definition, watcher); });
}

}  // namespace

void add_run(CLI::App& app, CommandLine& line) {
  add_command<RunOptions>(
      app, line, "run", "Start a workflow and see it through",
      [](CLI::App& command, RunOptions& o) {
        declare_source(command, o.source);
        declare_terms(command, o.terms);
        command.add_option("--sandbox", o.sandbox, "none: run generated code without a sandbox")->type_name("on|none");
        command.add_flag("--allow-dirty", o.allow_dirty, "Start although the checkout has changes; they are left out");
      },
      run);
}

}  // namespace conductorai::cli
