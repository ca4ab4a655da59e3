#include <algorithm>

#include "agents/base/model_window.hpp"
#include "agents/tools/tool.hpp"
#include "base/saturating.hpp"
#include "core/provider_name.hpp"
#include "facade/forecast.hpp"
#include "integrations/llm/reservation.hpp"
#include "integrations/llm/structured.hpp"

namespace conductorai::facade {

namespace {

using integrations::RequestSize;

ForecastCost cost_of(const Amounts& one, std::int64_t calls, bool priced) {
  ForecastCost cost{.calls = calls, .tokens = saturating_product(one.tokens, calls)};
  if (priced || calls == 0)
    cost.usd_micros = saturating_product(one.usd_micros, calls);
  else
    cost.usd_micros.reset();
  return cost;
}

void add(ForecastCost& sum, const ForecastCost& more) {
  sum.calls = saturating_sum(sum.calls, more.calls);
  sum.tokens = saturating_sum(sum.tokens, more.tokens);
  if (sum.usd_micros && more.usd_micros)
    sum.usd_micros = saturating_sum(*sum.usd_micros, *more.usd_micros);
  else
    sum.usd_micros.reset();
}

void add(CostRange& sum, const CostRange& more) {
  add(sum.normal, more.normal);
  add(sum.worst, more.worst);
}

/// What every prompt holds.
RequestSize smallest(const WorkflowDefinition& definition, const std::string& schema) {
  return {.bytes = static_cast<std::int64_t>(definition.requirement.size() + schema.size()),
          .messages = 2,
          .tools = 0,
          .schema = !schema.empty(),
          .output_tokens_max = agents::output_tokens(definition.llm)};
}

/// A full window, and the follow-ups to a wrong answer on top of it.
RequestSize largest(const LlmDefinition& llm, const std::string& schema) {
  const auto follow_ups = static_cast<std::size_t>(schema.empty() ? 0 : llm.follow_ups.value_or(LlmDefinition::kFollowUps));
  const std::size_t bytes = agents::request_bytes_max(llm) + follow_ups * integrations::follow_up_bytes_max(schema.size());
  return {.bytes = static_cast<std::int64_t>(bytes),
          .messages = static_cast<std::int64_t>(2 + 2 * follow_ups),
          .tools = static_cast<std::int64_t>(agents::all_tools().size()),
          .schema = !schema.empty(),
          .output_tokens_max = agents::output_tokens(llm)};
}

TaskForecast task_cost(const ForecastOf& of, const definition::PlannedTask& task, const std::vector<PricedModel>& chain) {
  const auto agent = std::ranges::find(of.agents, task.agent, &AgentDescription::type);
  const std::string schema = agent == of.agents.end() ? std::string() : agent->answer_schema;
  const RequestSize least = smallest(of.definition, schema);
  const RequestSize most = largest(of.definition.llm, schema);
  const std::int64_t worst_calls = saturating_product(task.questions_worst, of.definition.llm.retries + std::int64_t{1});
  TaskForecast out{.id = task.id, .cost = {}, .models = {}};
  std::int64_t normal_calls = saturating_product(task.calls, task.children);  // of the first model alone
  for (const PricedModel& model : chain) {
    ModelForecast one{.provider = model.target.provider, .model = model.target.model, .cost = {}};
    one.cost.normal = cost_of(integrations::reservation(least, model.price, model.frames), normal_calls, model.price.has_value());
    one.cost.worst = cost_of(integrations::reservation(most, model.price, model.frames), worst_calls, model.price.has_value());
    normal_calls = 0;
    add(out.cost, one.cost);
    out.models.push_back(std::move(one));
  }
  return out;
}

}  // namespace

Result<std::vector<PricedModel>> priced_chain(const LlmServices& services, const LlmDefinition& llm) {
  std::vector<LlmTarget> targets{{.provider = core::answering(llm.provider), .model = llm.model}};
  targets.insert(targets.end(), llm.fallback.begin(), llm.fallback.end());
  std::vector<PricedModel> chain;
  for (LlmTarget& target : targets) {
    if (targets.front().provider == "replay") target.provider = "replay";  // it answers for the whole chain
    PricedModel model{.target = target, .price = std::nullopt, .frames = target.provider.empty() || is_real_provider(target.provider)};
    if (!target.provider.empty()) {
      auto price = services.price_of(target.provider, target.model, llm.batch.value_or(false));
      if (!price) return fail(price.error());
      model.price = *price;
    }
    chain.push_back(std::move(model));
  }
  return chain;
}

void add_costs(Forecast& forecast, const ForecastOf& of, const std::vector<PricedModel>& chain) {
  for (const PricedModel& model : chain) forecast.models.push_back({model.target.provider, model.target.model, {}});
  for (const definition::PlannedPhase& phase : of.plan.phases)
    for (const auto& level : phase.levels)
      for (const definition::PlannedTask& task : level) {
        if (task.calls_worst == 0) continue;
        TaskForecast one = task_cost(of, task, chain);
        add(forecast.cost, one.cost);
        for (std::size_t i = 0; i < chain.size(); ++i) add(forecast.models[i].cost, one.models[i].cost);
        forecast.tasks.push_back(std::move(one));
      }
}

}  // namespace conductorai::facade
