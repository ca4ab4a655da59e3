#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/llm_options.hpp"
#include "cli/run_options.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"
#include "cli/workflow_source.hpp"
#include "definition/plan.hpp"

namespace conductorai::cli {

namespace {

struct PlanOptions {
  WorkflowSource source;
  RunTerms terms;
};

bool limits_the_day(const definition::Config& config) {
  return config.budget.per_day != BudgetDefinition{};
}

/// Only a budget of the day asks for what the state holds; else it is left alone.
Result<Forecast> forecast(const Globals& globals, const PlanOptions& options, const Project& project, const definition::Config& config,
                          const WorkflowDefinition& definition) {
  Result<Forecast> judged = fail(ErrorCode::internal, "nobody judged the plan");
  if (limits_the_day(config)) {
    auto session = Session::open(globals, {.create = false, .flags = flags_of(options.terms), .on_progress = {}});
    if (session) return (*session)->ai().forecast(definition);
    if (session.error().code != ErrorCode::not_found) return fail(session.error());
  }
  auto used = with_models(config, project, [&](ConductorAI& ai) -> Result<void> {
    judged = ai.forecast(definition);
    return {};
  });
  if (!used) return fail(used.error());
  return judged;
}

int plan(const Globals& globals, const PlanOptions& options) {
  const Project project = find_project(".", globals.state_dir);
  auto config = load_configuration(globals, project, flags_of(options.terms));
  if (!config) return report(config.error());
  int code = kOk;
  auto sourced = load_source(options.source, project, *config, code);
  if (!sourced) return code;
  WorkflowDefinition& definition = sourced->loaded.definition;
  if (auto applied = apply_budget(options.terms, definition); !applied) return report(applied.error());
  if (const std::string& provider = definition.llm.provider; !provider.empty())
    if (auto checked = check_provider(provider); !checked) return report(checked.error());
  auto judged = forecast(globals, options, project, *config, definition);
  if (!judged) return report(judged.error());
  const auto planned = definition::make_plan(definition, sourced->agents);
  if (globals.json)
    std::cout << definition::to_json(planned, *judged) << std::endl;
  else
    std::cout << clean_text(definition::to_text(planned) + definition::to_text(*judged, definition.budget)) << std::flush;
  for (const std::string& warning : judged->warnings) warn(*config, warning);
  return judged->over ? report(*judged->over) : int{kOk};
}

}  // namespace

void add_plan(CLI::App& app, CommandLine& line) {
  add_command<PlanOptions>(
      app, line, "plan", "Show what a run would do, what it costs at worst and what each policy says; calls nothing",
      [](CLI::App& command, PlanOptions& o) {
        declare_source(command, o.source);
        declare_terms(command, o.terms);
      },
      plan);
}

}  // namespace conductorai::cli
