#include "facade/forecast.hpp"

#include <algorithm>

#include "base/saturating.hpp"
#include "core/budget.hpp"
#include "core/decide.hpp"
#include "core/provider_name.hpp"

namespace conductorai::facade {

namespace {

/// A budget scope with what the workflow asks of it.
struct ScopeNeed {
  BudgetScope scope;
  Amounts normal, worst;
};

void add(Amounts& sum, const ForecastCost& more) {
  sum.calls = saturating_sum(sum.calls, more.calls);
  sum.tokens = saturating_sum(sum.tokens, more.tokens);
  sum.usd_micros = saturating_sum(sum.usd_micros, more.usd_micros.value_or(0));  // an unknown price has an error of its own
}

std::vector<ScopeNeed> needs_of(const Forecast& forecast, const core::WorkflowState& state, const BudgetDefinition& per_day,
                                Timestamp now) {
  std::vector<ScopeNeed> needs;
  for (const TaskForecast& task : forecast.tasks) {
    const TaskDefinition& definition = *state.tasks.at(task.id).definition;
    for (BudgetScope& scope : core::budget_scopes(core::budget_limits(state, definition, per_day), {.workflow = state.id, .task = task.id},
                                                  definition.agent, now)) {
      auto known = std::ranges::find(needs, scope.key, [](const ScopeNeed& need) { return need.scope.key; });
      if (known == needs.end()) known = needs.insert(needs.end(), {.scope = std::move(scope), .normal = {}, .worst = {}});
      add(known->normal, task.cost.normal);
      add(known->worst, task.cost.worst);
    }
  }
  return needs;
}

PolicyForecast judge_budgets(const std::vector<ScopeNeed>& needs, const std::vector<BudgetUse>& uses, std::vector<std::string>& warnings) {
  PolicyForecast budget{.policy = "budget", .reasons = {}};
  for (std::size_t i = 0; i < needs.size(); ++i) {
    const auto& [scope, normal, worst] = needs[i];
    if (auto refused = core::budget_refusal(scope, uses[i], normal)) {
      budget.verdict = PolicyVerdict::deny;
      budget.reasons.push_back(std::move(refused->text));
    } else if (refused = core::budget_refusal(scope, uses[i], worst); refused) {
      warnings.push_back("at worst a budget is used up, and the workflow pauses: " + refused->text);
    }
  }
  return budget;
}

/// A script that is not there, or is none, is said now and not by the run.
Result<void> check_answers(LlmDefinition llm, const std::filesystem::path& project_root) {
  const auto name = core::parse_provider(llm.provider);
  if (name.file.empty() || name.kind == "record") return {};
  if (auto read = read_answers(llm, project_root / name.file); !read) return fail(read.error());
  return {};
}

/// Whether the models can be asked, and charged where money is limited.
Result<void> check_models(const LlmServices& services, const WorkflowDefinition& definition, const std::vector<PricedModel>& chain,
                          const std::vector<ScopeNeed>& needs) {
  if (needs.empty()) return {};  // nobody asks one
  if (auto checked = services.check(definition); !checked) return checked;
  const bool money = std::ranges::any_of(needs, [](const ScopeNeed& need) { return need.scope.usd_micros.has_value(); });
  const auto unpriced = std::ranges::find_if(chain, [](const PricedModel& model) { return !model.price; });
  if (!money || unpriced == chain.end()) return {};
  if (unpriced->target.provider.empty())
    return fail(ErrorCode::invalid_argument, "no model is named, so its price is not known and a budget in usd cannot be kept", {},
                "name provider and model in the llm section, in conductorai.yaml, or by --llm and --model");
  return fail(no_price(unpriced->target.provider, unpriced->target.model));
}

PolicyForecast verdict_on_prices(const Result<void>& checked) {
  PolicyForecast prices{.policy = "prices", .reasons = {}};
  if (checked) return prices;
  prices.verdict = PolicyVerdict::deny;
  prices.reasons = {checked.error().message};
  return prices;
}

std::string joined(const std::vector<std::string>& reasons) {
  std::string text;
  for (const std::string& reason : reasons) text += (text.empty() ? "" : "; ") + reason;
  return text;
}

/// What the user's text says wrong comes before a limit that is merely too small.
std::optional<Error> why_over(const Forecast& forecast, const Result<void>& models) {
  Error error{.code = ErrorCode::permission_denied, .message = {}};
  if (!models) {
    error = models.error();
  } else {
    const auto denied = std::ranges::find(forecast.policies, PolicyVerdict::deny, &PolicyForecast::verdict);
    if (denied == forecast.policies.end()) return std::nullopt;
    error.message = joined(denied->reasons);
    if (denied->policy == "budget") {
      error.code = ErrorCode::budget_exhausted;
      error.hint = "raise the budget, or leave tasks out";
    }
  }
  error.message = "the plan is over its limit: " + error.message;
  return error;
}

void add_open_questions(Forecast& forecast, const definition::Plan& plan, const LlmDefinition& llm) {
  if (llm.provider.empty() && !forecast.tasks.empty())
    forecast.warnings.emplace_back("no model is configured: its price is not known, and a run asks for one");
  if (plan.open_ended) forecast.warnings.emplace_back("a foreach over what a task gives counts as one item here");
}

}  // namespace

task<Result<Forecast>> make_forecast(House& house, WorkflowDefinition given, Timestamp now) {
  definition::name_phases(given, house.descriptions);
  if (auto checked = check_answers(given.llm, house.options.project_root); !checked) co_return fail(checked.error());
  const auto definition = std::make_shared<const WorkflowDefinition>(std::move(given));
  const definition::Plan plan = definition::make_plan(*definition, house.descriptions);
  auto chain = priced_chain(*house.llm_services, definition->llm);
  if (!chain) co_return fail(chain.error());
  Forecast forecast;
  add_costs(forecast, {plan, *definition, house.descriptions}, *chain);
  add_open_questions(forecast, plan, definition->llm);
  forecast.policies = ask_rules(house, {plan, *definition, house.descriptions});
  const auto needs = needs_of(forecast, core::initial_state(WorkflowId(definition->name), definition), house.options.day_budget, now);
  std::vector<BudgetUse> uses;
  for (const ScopeNeed& need : needs) {
    auto use = co_await house.states->budget_use(need.scope.key);
    if (!use) co_return fail(use.error());
    uses.push_back(*use);
  }
  const auto models = check_models(*house.llm_services, *definition, *chain, needs);
  forecast.policies.push_back(verdict_on_prices(models));
  forecast.policies.push_back(judge_budgets(needs, uses, forecast.warnings));
  forecast.over = why_over(forecast, models);
  co_return forecast;
}

}  // namespace conductorai::facade
