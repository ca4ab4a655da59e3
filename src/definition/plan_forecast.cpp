// What a plan may cost and what the policies say of it, for people.

#include <fmt/format.h>

#include <algorithm>

#include "base/saturating.hpp"
#include "definition/plan.hpp"

namespace conductorai::definition {

namespace {

constexpr std::size_t kNameMax = 40;

std::string count(std::int64_t value) {
  return value == kUnbounded ? "no end" : std::to_string(value);
}

std::string dollars(const std::optional<std::int64_t>& micros) {
  if (!micros) return "?";
  if (*micros == kUnbounded) return "no end";
  return fmt::format("{:.{}f}", static_cast<double>(*micros) / 1e6, *micros > 0 && *micros < 10'000 ? 6 : 2);
}

struct Row {
  std::string name;
  CostRange cost;
};

std::string row_text(std::string_view name, std::size_t width, const std::vector<std::string>& cells) {
  return fmt::format("{:<{}}  {:>6} {:>9} {:>9}  {:>9} {:>14} {:>12}\n", name.substr(0, kNameMax), width, cells[0], cells[1], cells[2],
                     cells[3], cells[4], cells[5]);
}

std::string row_text(const Row& row, std::size_t width) {
  const auto& [normal, worst] = row.cost;
  return row_text(row.name, width,
                  {count(normal.calls), count(normal.tokens), dollars(normal.usd_micros), count(worst.calls), count(worst.tokens),
                   dollars(worst.usd_micros)});
}

std::string name_of(const ModelForecast& model) {
  if (model.provider.empty()) return "(no model named)";
  return model.model.empty() ? model.provider : model.provider + ":" + model.model;
}

std::string budget_row(const BudgetDefinition& budget, std::size_t width) {
  const auto limit = [](const std::optional<std::int64_t>& most) { return most ? std::to_string(*most) : std::string("-"); };
  return row_text("budget", width,
                  {"", "", "", limit(budget.calls), limit(budget.tokens), budget.usd_micros ? dollars(budget.usd_micros) : "-"});
}

std::string cost_table(const Forecast& forecast, const BudgetDefinition& budget) {
  std::vector<Row> rows;
  rows.reserve(forecast.tasks.size() + forecast.models.size() + 1);
  for (const TaskForecast& task : forecast.tasks) rows.push_back({task.id.value, task.cost});
  rows.push_back({"all tasks", forecast.cost});
  for (const ModelForecast& model : forecast.models) rows.push_back({name_of(model), model.cost});
  std::size_t width = std::string_view("budget").size();
  for (const Row& row : rows) width = std::max(width, std::min(row.name.size(), kNameMax));
  std::string text = fmt::format("{:<{}}  {:>26}  {:>37}\n", "", width, "normal path, at least", "at worst");
  text += row_text("cost", width, {"calls", "tokens", "usd", "calls", "tokens", "usd"});
  for (const Row& row : rows) text += row_text(row, width);
  return text + budget_row(budget, width);
}

std::string policies_table(const std::vector<PolicyForecast>& policies) {
  std::size_t width = 0;
  for (const PolicyForecast& one : policies) width = std::max(width, one.policy.size());
  std::string text = "policies\n";
  for (const PolicyForecast& one : policies) {
    text += fmt::format("  {:<{}}  {}\n", one.policy, width, to_string(one.verdict));
    for (const std::string& reason : one.reasons) text += "    " + reason + "\n";
  }
  return text;
}

}  // namespace

std::string to_text(const Forecast& forecast, const BudgetDefinition& budget) {
  std::string text;
  if (!forecast.tasks.empty()) text += "\n" + cost_table(forecast, budget);
  return text + "\n" + policies_table(forecast.policies);
}

}  // namespace conductorai::definition
