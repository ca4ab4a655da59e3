#include "cli/run_options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ranges>

#include "core/provider_name.hpp"
#include "definition/config.hpp"

namespace conductorai::cli {

namespace {

constexpr const char* kProvidersHint = "openai or anthropic with --model NAME and a key; --llm mock answers without any service";

std::optional<double> positive_number(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value) || value <= 0 || value > 1e12) return std::nullopt;
  return value;
}

std::unexpected<Error> bad_budget(std::string_view item) {
  return fail(ErrorCode::invalid_argument, "not a budget: '" + std::string(item) + "'", {},
              "write calls=10,wall-minutes=5,usd=1.50,tokens=1000, whichever you mean, each once");
}

/// False for a name that is none or was set before, and for half a call.
bool set_amount(BudgetDefinition& budget, std::string_view name, double amount) {
  struct Kind {
    std::string_view name;
    std::optional<std::int64_t> BudgetDefinition::* limit;
    double units;
  };
  constexpr Kind kKinds[] = {{"usd", &BudgetDefinition::usd_micros, 1e6},
                             {"wall-minutes", &BudgetDefinition::wall_ms, 60'000},
                             {"calls", &BudgetDefinition::calls, 1},
                             {"tokens", &BudgetDefinition::tokens, 1}};
  const auto* kind = std::ranges::find(kKinds, name, &Kind::name);
  if (kind == std::end(kKinds) || budget.*(kind->limit)) return false;
  if (kind->units == 1 && std::floor(amount) != amount) return false;
  budget.*(kind->limit) = static_cast<std::int64_t>(std::llround(amount * kind->units));
  return true;
}

}  // namespace

Result<AddedBudget> parse_added_budget(const std::string& text) {
  constexpr std::string_view kPerDay = "-per-day";
  AddedBudget budget;
  if (text.empty()) return bad_budget(text);
  for (auto part : std::views::split(std::string_view(text), ',')) {
    const std::string_view item(part.begin(), part.end());
    const auto equals = item.find('=');
    if (equals == std::string_view::npos) return bad_budget(item);
    std::string_view name = item.substr(0, equals);
    const bool day = name.ends_with(kPerDay);
    if (day) name.remove_suffix(kPerDay.size());
    const auto amount = positive_number(item.substr(equals + 1));
    if (!amount || !set_amount(day ? budget.day : budget.own, name, *amount)) return bad_budget(item);
  }
  return budget;
}

Result<BudgetDefinition> parse_budget(const std::string& text) {
  auto budget = parse_added_budget(text);
  if (!budget) return fail(budget.error());
  if (budget->day != BudgetDefinition{})
    return fail(ErrorCode::invalid_argument, "a workflow has no limits for a day: '" + text + "'", {},
                "limits of the whole project stand in conductorai.yaml: budget.calls-per-day and the like");
  return budget->own;
}

void tighten(BudgetDefinition& limits, const BudgetDefinition& given) {
  for (auto field : {&BudgetDefinition::usd_micros, &BudgetDefinition::tokens, &BudgetDefinition::calls, &BudgetDefinition::wall_ms})
    if (given.*field) limits.*field = limits.*field ? std::min(*(limits.*field), *(given.*field)) : *(given.*field);
}

void declare_terms(CLI::App& command, RunTerms& terms) {
  command.add_option("--llm", terms.llm, "Who answers: openai, anthropic, mock, mock:FILE, record:FILE, replay:FILE")
      ->type_name("PROVIDER");
  command.add_option("--model", terms.model, "Model of the provider")->type_name("NAME");
  command.add_option("--budget", terms.budget, "Limits on top of the workflow's: usd=2.50,tokens=100000,calls=10,wall-minutes=5")
      ->type_name("LIMITS");
}

std::map<std::string, std::string> flags_of(const RunTerms& terms) {
  std::map<std::string, std::string> flags;
  if (!terms.llm.empty()) flags["llm.provider"] = anchor_llm(terms.llm);
  if (!terms.model.empty()) flags["llm.model"] = terms.model;
  return flags;
}

Result<void> apply_budget(const RunTerms& terms, WorkflowDefinition& definition) {
  if (terms.budget.empty()) return {};
  auto budget = parse_budget(terms.budget);
  if (!budget) return fail(budget.error());
  tighten(definition.budget, *budget);
  return {};
}

Result<std::optional<bool>> parse_sandbox(const std::string& text) {
  if (text.empty()) return std::optional<bool>{};
  if (text == "none") return std::optional(false);
  if (text == "on" || text == "bubblewrap") return std::optional(true);
  return fail(ErrorCode::invalid_argument, "unknown sandbox: '" + text + "'", "--sandbox", "on or none");
}

void declare_overrides(CLI::App& command, OverrideOptions& o) {
  command.add_option("--llm", o.llm, "Answer with another provider from here on")->type_name("PROVIDER");
  command.add_option("--model", o.model, "Another model from here on")->type_name("NAME");
  command.add_option("--sandbox", o.sandbox, "none: run generated code without a sandbox")->type_name("on|none");
  command.add_option("--add-budget", o.add_budget, "Raise limits: calls=10,wall-minutes=5; the project's: calls-per-day=10")
      ->type_name("AMOUNTS");
}

Result<RunOverrides> overrides_of(const OverrideOptions& options, const WorkflowDefinition& workflow) {
  RunOverrides overrides;
  if (!options.llm.empty() || !options.model.empty()) {
    overrides.llm = workflow.llm;
    if (!options.llm.empty()) {
      overrides.llm->provider = definition::with_recorded(anchor_llm(options.llm), {workflow.llm.provider});
      overrides.llm->script = {};
      if (core::parse_provider(overrides.llm->provider).kind == "mock") overrides.llm->fallback.clear();
    }
    if (!options.model.empty()) overrides.llm->model = options.model;
    if (auto checked = check_provider(overrides.llm->provider); !checked) return fail(checked.error());
  }
  auto sandbox = parse_sandbox(options.sandbox);
  if (!sandbox) return fail(sandbox.error());
  overrides.sandbox_enabled = *sandbox;
  if (!options.add_budget.empty()) {
    auto budget = parse_added_budget(options.add_budget);
    if (!budget) return fail(budget.error());
    overrides.add_budget = budget->own;
    if (budget->day != BudgetDefinition{}) overrides.add_day_budget = budget->day;
  }
  return overrides;
}

std::string anchor_llm(const std::string& provider) {
  core::ProviderName name = core::parse_provider(provider);
  if (name.file.empty()) return provider;
  std::error_code error;
  const auto file = std::filesystem::absolute(name.file, error);
  if (!error) name.file = file.string();
  return core::to_string(name);
}

bool needs_llm(const WorkflowDefinition& definition, const std::vector<AgentDescription>& agents) {
  return std::ranges::any_of(definition.tasks, [&](const TaskDefinition& task) {
    auto agent = std::ranges::find(agents, task.agent, &AgentDescription::type);
    if (agent == agents.end() || !agent->uses_llm) return false;
    auto writes = task.with.find("write-tests");  // `test` that runs what is there asks no model
    return writes == task.with.end() || writes->second.as_bool() == nullptr || *writes->second.as_bool();
  });
}

Result<void> check_provider(const std::string& provider) {
  const core::ProviderName name = core::parse_provider(provider);
  if (name.kind == "mock" || provider == "openai" || provider == "anthropic") return {};
  if (name.kind != "record" && name.kind != "replay")
    return fail(ErrorCode::invalid_argument, "unknown provider '" + name.kind + "'", {}, kProvidersHint);
  if (name.file.empty()) return fail(ErrorCode::invalid_argument, name.kind + " needs a file", {}, "--llm " + name.kind + ":FILE");
  if (name.kind == "record" && name.recorded.empty())
    return fail(ErrorCode::invalid_argument, "nobody says whom to record", name.file,
                "name a provider in the workflow or the configuration, or write record:openai:FILE");
  return {};
}

Result<void> check_llm(const WorkflowDefinition& definition, const std::vector<AgentDescription>& agents) {
  const std::string& provider = definition.llm.provider;
  if (provider.empty()) {
    if (!needs_llm(definition, agents)) return {};
    return fail(ErrorCode::unavailable, "no LLM is configured, and the workflow's agents need one", {}, kProvidersHint);
  }
  return check_provider(provider);
}

}  // namespace conductorai::cli
