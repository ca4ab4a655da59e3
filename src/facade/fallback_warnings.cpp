#include "facade/fallback_warnings.hpp"

#include <algorithm>

#include "base/human.hpp"
#include "base/printable.hpp"
#include "core/json_codec.hpp"
#include "integrations/llm/step_body.hpp"

namespace conductorai::facade {

namespace {

constexpr std::size_t kReasonBytesMax = 200;

struct PassedOver {
  TaskId task;
  std::size_t calls = 0;
  std::string who, why;  // of the first call
};

std::string who_answered(const StepRecord& step) {
  const auto body = core::read_json<integrations::StepBody>(step.response);
  if (!body || !body->answer || body->answer->provider.empty()) return "another model";
  return body->answer->provider + " " + body->answer->model;
}

/// Why the model before it in the chain did not answer; empty when it was not asked at all.
std::string why_not(const std::vector<StepRecord>& steps, const StepRecord& answered) {
  const std::string first = answered.id.ordinal.substr(0, answered.id.ordinal.rfind('f'));
  const auto asked = std::ranges::find_if(
      steps, [&](const StepRecord& step) { return step.id.attempt == answered.id.attempt && step.id.ordinal == first && !step.set_aside; });
  if (asked == steps.end()) return {};
  const auto body = core::read_json<integrations::StepBody>(asked->response);
  return body && body->error ? body->error->message : std::string();
}

}  // namespace

std::vector<std::string> fallback_warnings(const std::vector<StepRecord>& steps) {
  std::vector<PassedOver> tasks;
  for (const StepRecord& step : steps) {
    if (step.kind != "llm" || step.set_aside || step.status != StepStatus::answered || !step.id.ordinal.contains('f')) continue;
    auto known = std::ranges::find(tasks, step.id.attempt.task, &PassedOver::task);
    if (known == tasks.end())
      known = tasks.insert(tasks.end(), {.task = step.id.attempt.task, .who = who_answered(step), .why = why_not(steps, step)});
    ++known->calls;
  }
  std::vector<std::string> warnings;
  warnings.reserve(tasks.size());
  for (const PassedOver& one : tasks)
    warnings.push_back("task " + one.task.str() + ": " + printable_line(one.who, kReasonBytesMax) + " answered " +
                       count_text(one.calls, "call") + " in place of the first model" +
                       (one.why.empty() ? "" : ": " + printable_line(one.why, kReasonBytesMax)));
  return warnings;
}

}  // namespace conductorai::facade
