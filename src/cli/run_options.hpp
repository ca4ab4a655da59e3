#pragma once
// The options of `run` and `resume`, and what they mean for a definition.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "conductorai/conductorai.hpp"

namespace conductorai::cli {

/// "calls=10,wall-minutes=5,usd=1,tokens=1000". Errors: invalid_argument.
Result<BudgetDefinition> parse_budget(const std::string& text);
/// Of `resume`: the workflow's own amounts, and "calls-per-day=10" and the like for those of the project. Errors: invalid_argument.
struct AddedBudget {
  BudgetDefinition own, day;
};
Result<AddedBudget> parse_added_budget(const std::string& text);
/// The stricter of each limit.
void tighten(BudgetDefinition& limits, const BudgetDefinition& given);

/// Who answers a run and what it may cost at most, where the command line says so.
struct RunTerms {
  std::string llm, model, budget;
};
/// Declares --llm, --model and --budget.
void declare_terms(CLI::App& command, RunTerms& terms);
/// By configuration key.
std::map<std::string, std::string> flags_of(const RunTerms& terms);
/// Errors: invalid_argument.
Result<void> apply_budget(const RunTerms& terms, WorkflowDefinition& definition);

/// "--sandbox": true for on, false for none. Errors: invalid_argument.
Result<std::optional<bool>> parse_sandbox(const std::string& text);

/// What changes for a workflow that exists: from here on.
struct OverrideOptions {
  std::string llm, model, sandbox, add_budget;
};
/// Declares --llm, --model, --sandbox and --add-budget.
void declare_overrides(CLI::App& command, OverrideOptions& options);
/// Errors: invalid_argument.
Result<RunOverrides> overrides_of(const OverrideOptions& options, const WorkflowDefinition& workflow);

/// A file named in "mock:FILE" is relative to the working directory when it stands in a flag.
std::string anchor_llm(const std::string& provider);

/// Whether any task asks a model.
bool needs_llm(const WorkflowDefinition& definition, const std::vector<AgentDescription>& agents);

/// Refuses, before anything is started, a workflow that needs a model and has none (invalid_argument), one this build does not have
/// (unsupported), and limits that cannot be kept (unsupported): a limit is never ignored.
Result<void> check_llm(const WorkflowDefinition& definition, const std::vector<AgentDescription>& agents);
/// Of an override given to `resume`.
Result<void> check_provider(const std::string& provider);

}  // namespace conductorai::cli
