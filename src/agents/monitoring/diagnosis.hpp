#pragma once
// What a model makes of a failed window. Its text explains; it never changes a verdict or a severity.

#include <map>
#include <string_view>

#include "agents/monitoring/judgement.hpp"
#include "conductorai/task_context.hpp"

namespace conductorai::agents {

struct Diagnosis {
  std::string text;               // one sentence for the summary; empty where there is none
  std::vector<Finding> findings;  // source "llm"
  std::vector<std::string> recommendations;
  std::vector<TaskId> affected_tasks;  // of the workflow
};

/// prompts/*.md by file name: "diagnosis.v1.md".
const std::map<std::string_view, std::string_view>& monitoring_prompts();
/// JSON Schema of the answer.
std::string_view diagnosis_schema();

/// Asks once. An unusable answer, or none, is an empty diagnosis and a notice. Errors: budget_exhausted, cancelled, fenced.
task<Result<Diagnosis>> diagnose(TaskContext& context, const Judgement& judgement, const WindowRecord& window);

/// Read leniently and bounded; errors: invalid_answer (no JSON object).
Result<Diagnosis> read_diagnosis(std::string_view answer, const WorkflowDefinition& workflow);

}  // namespace conductorai::agents
