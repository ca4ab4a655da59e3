// The plan for people and for programs.

#include <fmt/format.h>

#include <algorithm>

#include "core/document/words.hpp"
#include "core/json.hpp"
#include "definition/plan_graph.hpp"

namespace conductorai::definition {

namespace {

constexpr std::size_t kNeedsShown = 8;

std::string join_ids(const std::vector<TaskId>& ids) {
  std::string text;
  for (std::size_t i = 0; i < std::min(ids.size(), kNeedsShown); ++i) text += (text.empty() ? "" : ", ") + ids[i].value;
  return ids.size() > kNeedsShown ? fmt::format("{} and {} more", text, ids.size() - kNeedsShown) : text;
}

struct Widths {
  std::size_t lanes = 0, id = 4, agent = 5;
};

Widths widths_of(const Plan& plan) {
  Widths out;
  for (const PlannedPhase& phase : plan.phases) {
    for (const GraphRow& row : draw(phase)) out.lanes = std::max(out.lanes, row.columns);
    for (const auto& level : phase.levels)
      for (const PlannedTask& task : level) {
        out.id = std::max(out.id, std::min<std::size_t>(task.id.value.size(), 30));
        out.agent = std::max(out.agent, std::min<std::size_t>(task.agent.value.size(), 20));
      }
  }
  return out;
}

std::string task_text(const PlannedTask& task, const Widths& widths) {
  std::string more;
  const auto add = [&](const std::string& text) { more += (more.empty() ? "" : ", ") + text; };
  if (task.calls_worst > 0) add(fmt::format("{} {}, at worst {}", task.calls, task.calls == 1 ? "call" : "calls", task.calls_worst));
  if (!task.needs.empty()) add("needs " + join_ids(task.needs));
  if (task.foreach) add("once for each item");
  if (!task.condition.empty()) add("if " + task.condition);
  if (task.approval) add("after approval");
  std::string line = fmt::format("{:<{}}  {:<{}}  {}", task.id.value, widths.id, task.agent.value, widths.agent, more);
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string gate_text(const PlannedPhase& phase) {
  return fmt::format("gate: {:.0f}% of verdicts passed{}", phase.min_success_rate * 100, phase.approval ? ", then an approval" : "");
}

std::string drawn(const std::vector<GraphRow>& rows, const PlannedPhase& phase, const Widths& widths) {
  std::string text;
  for (const GraphRow& row : rows) {
    const std::string beside = row.task != nullptr ? task_text(*row.task, widths) : row.gate ? gate_text(phase) : "";
    text += "  " + row.lanes;
    if (!beside.empty()) text += std::string(widths.lanes - row.columns + 2, ' ') + beside;
    text += "\n";
  }
  return text;
}

/// Where lanes would not fit: level by level.
std::string listed(const PlannedPhase& phase, const Widths& widths) {
  std::string text;
  for (std::size_t level = 0; level < phase.levels.size(); ++level) {
    text += fmt::format("  level {}\n", level + 1);
    for (const PlannedTask& task : phase.levels[level]) text += "    " + task_text(task, widths) + "\n";
  }
  return text + "  " + gate_text(phase) + "\n";
}

std::string limits_text(const Plan& plan) {
  std::string text = fmt::format("model calls  {} on the normal path, at worst {}{}\n", plan.calls, plan.calls_worst,
                                 plan.open_ended ? ", for each item of an open list" : "");
  text += fmt::format("rounds       at most {} a phase, feedback loops at most {}\n", plan.max_rounds, plan.max_loops);
  std::string budget;
  const auto add = [&](const std::string& one) { budget += (budget.empty() ? "" : ", ") + one; };
  if (plan.budget.calls) add(fmt::format("{} {}", *plan.budget.calls, *plan.budget.calls == 1 ? "call" : "calls"));
  if (plan.budget.usd_micros) add(fmt::format("{:.2f} USD", static_cast<double>(*plan.budget.usd_micros) / 1e6));
  if (plan.budget.tokens) add(fmt::format("{} tokens", *plan.budget.tokens));
  if (plan.budget.wall_ms) add(core::document::format_duration(Milliseconds(*plan.budget.wall_ms)) + " of calls and commands");
  return budget.empty() ? text : text + "budget       " + budget + "\n";
}

Value cost_value(const ForecastCost& cost) {
  return Object{{"calls", cost.calls},
                {"tokens", cost.tokens},
                {"usd", cost.usd_micros ? Value(static_cast<double>(*cost.usd_micros) / 1e6) : Value()}};
}

Object range_value(const CostRange& range) {
  return {{"normal", cost_value(range.normal)}, {"worst", cost_value(range.worst)}};
}

Object cost_value(const CostRange& range, const std::vector<ModelForecast>& models) {
  Array list;
  for (const ModelForecast& one : models) {
    Object model = range_value(one.cost);
    model["provider"] = one.provider;
    model["model"] = one.model;
    list.emplace_back(std::move(model));
  }
  Object value = range_value(range);
  value["models"] = std::move(list);
  return value;
}

Value task_value(const PlannedTask& task, const Forecast& forecast) {
  Array needs;
  for (const TaskId& need : task.needs) needs.emplace_back(need.value);
  const auto cost = std::ranges::find(forecast.tasks, task.id, &TaskForecast::id);
  return Object{{"id", task.id.value},
                {"agent", task.agent.value},
                {"needs", needs},
                {"if", task.condition.empty() ? Value() : Value(task.condition)},
                {"foreach", task.foreach},
                {"approval", task.approval},
                {"max_attempts", task.max_attempts},
                {"calls", task.calls},
                {"calls_worst", task.calls_worst},
                {"cost", cost == forecast.tasks.end() ? Value() : Value(cost_value(cost->cost, cost->models))}};
}

Value phase_value(const PlannedPhase& phase, const Forecast& forecast) {
  Array levels;
  for (const auto& level : phase.levels) {
    Array tasks;
    for (const PlannedTask& task : level) tasks.push_back(task_value(task, forecast));
    levels.emplace_back(std::move(tasks));
  }
  return Object{{"phase", to_string(phase.phase)},
                {"gate", Object{{"min_success_rate", phase.min_success_rate}, {"approval", phase.approval}}},
                {"levels", std::move(levels)}};
}

Array texts_value(const std::vector<std::string>& texts) {
  Array list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

Array policies_value(const std::vector<PolicyForecast>& policies) {
  Array list;
  for (const PolicyForecast& one : policies)
    list.emplace_back(Object{{"policy", one.policy}, {"verdict", to_string(one.verdict)}, {"reasons", texts_value(one.reasons)}});
  return list;
}

Value limit_value(const std::optional<std::int64_t>& limit) {
  return limit ? Value(*limit) : Value();
}

}  // namespace

std::string to_text(const Plan& plan) {
  const Widths widths = widths_of(plan);
  std::string text = plan.name + "\n";
  for (const PlannedPhase& phase : plan.phases) {
    const auto rows = draw(phase);
    text += fmt::format("\n{}\n", to_string(phase.phase)) + (rows.empty() ? listed(phase, widths) : drawn(rows, phase, widths));
  }
  return text + "\n" + limits_text(plan);
}

std::string to_json(const Plan& plan, const Forecast& forecast) {
  Array phases;
  for (const PlannedPhase& phase : plan.phases) phases.push_back(phase_value(phase, forecast));
  return core::to_json(Object{{"type", "plan"},
                              {"name", plan.name},
                              {"phases", std::move(phases)},
                              {"calls", plan.calls},
                              {"calls_worst", plan.calls_worst},
                              {"open_ended", plan.open_ended},
                              {"max_rounds", plan.max_rounds},
                              {"max_loops", plan.max_loops},
                              {"budget", Object{{"usd_micros", limit_value(plan.budget.usd_micros)},
                                                {"tokens", limit_value(plan.budget.tokens)},
                                                {"calls", limit_value(plan.budget.calls)},
                                                {"wall_ms", limit_value(plan.budget.wall_ms)}}},
                              {"cost", cost_value(forecast.cost, forecast.models)},
                              {"policies", policies_value(forecast.policies)},
                              {"warnings", texts_value(forecast.warnings)},
                              {"over", forecast.over ? Value(forecast.over->message) : Value()}});
}

}  // namespace conductorai::definition
