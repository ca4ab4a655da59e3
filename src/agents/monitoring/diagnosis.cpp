#include "agents/monitoring/diagnosis.hpp"

#include <algorithm>

#include "agents/base/answer_files.hpp"
#include "agents/base/material.hpp"
#include "agents/tools/tool_loop.hpp"
#include "base/printable.hpp"
#include "core/json.hpp"
#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kDiffBytes = 60'000;
constexpr std::size_t kLogBytesShown = 16'000;
constexpr std::size_t kFailuresShown = 20;
constexpr std::size_t kFindings = 50;
constexpr std::size_t kRecommendations = 20;

std::string system_prompt() {
  return filled_prompt(monitoring_prompts().at("diagnosis.v1.md"),
                       {{"data_notice", std::string(data_notice())}, {"schema", std::string(diagnosis_schema())}});
}

/// It looks at the code; what it finds there is all it may do.
ToolAccess tool_access() {
  return {.tools = {"list_files", "read_file", "search"}, .refuse = {}, .enforce = {}};
}

std::string measured_block(const Judgement& judgement) {
  std::string text;
  for (const Evidence& evidence : judgement.evidence) text += evidence.kind + ": " + evidence.summary + "\n";
  for (const Finding& finding : judgement.findings) text += "broken: " + finding.message + "\n";
  return data_block("measured", "", text);
}

std::string samples_block(const WindowRecord& window) {
  std::string text;
  std::size_t shown = 0;
  for (const ProbeSeries& series : window.probes)
    for (const Sample& sample : series.samples) {
      if (sample.ok || shown == kFailuresShown) continue;
      ++shown;
      text += series.name + " at " + std::to_string(sample.at_ms) + " ms: " + sample.error + "\n";
    }
  return text.empty() ? text : data_block("samples", "which=\"failed\"", text);
}

std::string log_block(const WindowRecord& window) {
  if (window.log_tail.empty()) return {};
  std::string_view tail = window.log_tail;
  if (tail.size() > kLogBytesShown) tail.remove_prefix(tail.size() - kLogBytesShown);
  return data_block("log", "which=\"its last lines\"", printable_text(tail, kLogBytesShown));
}

std::string tasks_block(const WorkflowDefinition& workflow) {
  std::string text;
  for (const TaskDefinition& one : workflow.tasks) text += one.id.str() + " (" + one.agent.str() + ")\n";
  return data_block("tasks", "", text);
}

/// The whole change of the workflow; empty where the workspace cannot be had: a diagnosis without it is better than none.
task<Result<std::string>> diff_block(TaskContext& context) {
  auto workspace = co_await context.workspace();
  if (!workspace) {
    if (workspace.error().code == ErrorCode::cancelled) co_return fail(workspace.error());
    co_return std::string();
  }
  auto diff = co_await (*workspace)->diff(context.assignment().workflow_base);
  if (!diff) {
    if (diff.error().code == ErrorCode::cancelled) co_return fail(diff.error());
    co_return std::string();
  }
  co_return data_block("diff", diff->size() > kDiffBytes ? "shown=\"its beginning\"" : "", evidence::shortened(*diff, kDiffBytes));
}

bool stops_the_task(const Error& error) {
  return error.code == ErrorCode::budget_exhausted || error.code == ErrorCode::cancelled || error.code == ErrorCode::fenced;
}

std::string text_at(const Value& object, std::string_view key, std::size_t bytes) {
  const Value* value = object.find(key);
  return value != nullptr && value->as_string() != nullptr ? printable_line(evidence::trimmed(*value->as_string()), bytes) : std::string();
}

const Array& list_at(const Value& object, std::string_view key) {
  static const Array kNone;
  const Value* value = object.find(key);
  return value != nullptr && value->as_array() != nullptr ? *value->as_array() : kNone;
}

Severity severity_of(std::string_view name) {
  if (name == "info") return Severity::info;
  if (name == "warning") return Severity::warning;
  return name == "critical" ? Severity::critical : Severity::error;
}

Finding finding_of(const Value& item) {
  const Value* line = item.find("line");
  const bool usable = line != nullptr && line->as_int() != nullptr && *line->as_int() > 0 && *line->as_int() < 10'000'000;
  return {.severity = severity_of(text_at(item, "severity", 20)),
          .file = text_at(item, "file", 500),
          .line = usable ? static_cast<int>(*line->as_int()) : 0,
          .message = text_at(item, "message", 2'000),
          .source = "llm"};
}

}  // namespace

std::string_view diagnosis_schema() {
  return R"({"type":"object","required":["diagnosis","findings","recommendations","affected_tasks"],"properties":{)"
         R"("diagnosis":{"type":"string"},"findings":{"type":"array","items":{"type":"object","required":["severity","message"],)"
         R"("properties":{"severity":{"enum":["info","warning","error","critical"]},"file":{"type":["string","null"]},)"
         R"("line":{"type":["integer","null"]},"message":{"type":"string"}}}},)"
         R"("recommendations":{"type":"array","items":{"type":"string"}},"affected_tasks":{"type":"array","items":{"type":"string"}}}})";
}

Result<Diagnosis> read_diagnosis(std::string_view answer, const WorkflowDefinition& workflow) {
  auto value = core::parse_json(answer);
  if (!value) return fail(ErrorCode::invalid_answer, "the diagnosis is no JSON: " + value.error().message);
  if (value->as_object() == nullptr) return fail(ErrorCode::invalid_answer, "the diagnosis is no JSON object");
  Diagnosis out;
  out.text = text_at(*value, "diagnosis", 1'000);
  for (const Value& item : list_at(*value, "findings")) {
    if (out.findings.size() == kFindings) break;
    Finding finding = finding_of(item);
    if (!finding.message.empty()) out.findings.push_back(std::move(finding));
  }
  for (const Value& item : list_at(*value, "recommendations")) {
    if (out.recommendations.size() == kRecommendations) break;
    const std::string text = item.as_string() != nullptr ? printable_line(evidence::trimmed(*item.as_string()), 1'000) : std::string();
    if (!text.empty()) out.recommendations.push_back(text);
  }
  for (const Value& item : list_at(*value, "affected_tasks")) {
    const TaskId id(item.as_string() != nullptr ? *item.as_string() : std::string());
    const bool known = std::ranges::find(workflow.tasks, id, &TaskDefinition::id) != workflow.tasks.end();
    if (known && std::ranges::find(out.affected_tasks, id) == out.affected_tasks.end()) out.affected_tasks.push_back(id);
  }
  return out;
}

task<Result<Diagnosis>> diagnose(TaskContext& context, const Judgement& judgement, const WindowRecord& window) {
  const TaskAssignment& assignment = context.assignment();
  auto diff = co_await diff_block(context);
  if (!diff) co_return fail(diff.error());
  std::string prompt = requirement_block(assignment) + item_block(assignment) + tasks_block(*assignment.workflow) +
                       measured_block(judgement) + samples_block(window) + log_block(window) + *diff;
  Ask ask{.system = system_prompt(), .user = std::move(prompt), .answer_schema = std::string(diagnosis_schema())};
  auto answer = co_await ask_working(context, std::move(ask), tool_access());
  if (!answer) {
    if (stops_the_task(answer.error())) co_return fail(answer.error());
    context.progress("no diagnosis: " + printable_line(to_string(answer.error()), 300));
    co_return Diagnosis{};
  }
  auto diagnosis = read_diagnosis(answer->text, *assignment.workflow);
  if (diagnosis) co_return diagnosis;
  context.progress("no diagnosis: " + printable_line(to_string(diagnosis.error()), 300));
  co_return Diagnosis{};
}

}  // namespace conductorai::agents
