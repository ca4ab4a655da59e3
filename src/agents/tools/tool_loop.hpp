#pragma once
// The tool loop: a model asks for tools, gets their results, and goes on until it answers. Every call is a step, so a resumed attempt
// asks nothing and runs nothing a second time.

#include <string>

#include "agents/base/prompt_parts.hpp"
#include "agents/tools/tool.hpp"

namespace conductorai::agents {

struct Ask {
  std::string system, user;
  std::string answer_schema;  // of the last answer; empty: free text
};

/// Whether the model is offered tools: `with.tools` of the task, else `llm.tools` of the workflow.
bool offers_tools(const TaskAssignment& assignment);

/// Asks by tools where they are offered, else once, as ask_recorded. The answer is the last one, with no tool calls; what was written is
/// in the workspace. Errors: as TaskContext::ask; invalid_answer: a model that does not finish within `llm.tool-turns`, that is stuck
/// (`llm.tool-repeats`), whose conversation outgrows `llm.context-tokens`, and those of check_finished. Cancellation: between calls and in
/// them.
task<Result<LLMResponse>> ask_working(TaskContext& context, Ask ask, ToolAccess access);

/// Files that differ from the attempt's base, with their contents; nullopt: deleted. Those that are too large to read are left out.
task<Result<AnswerFiles>> written_files(Workspace& workspace);

/// How much of the files goes into the prompt: less where the model can look for itself.
FilesBlockLimits files_shown(const TaskAssignment& assignment);

/// The `with` key that every agent with tools has.
WithKey tools_key();

}  // namespace conductorai::agents
