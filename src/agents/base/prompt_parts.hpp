#pragma once
// Parts that prompts are made of. What comes from files, findings or programs is delimited as data, never mixed with our words.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conductorai/task_context.hpp"

namespace conductorai::agents {

/// "<name attributes>…</name>"; where the content holds the closing tag the name gets a number that it does not hold.
std::string data_block(std::string_view name, std::string_view attributes, std::string_view content);

/// A prompt's file with each `{{name}}` put in. REQUIRES: every name in it is given.
std::string filled_prompt(std::string_view text, const std::map<std::string_view, std::string>& parts);

/// The sentence for system prompts that says what such blocks are.
std::string_view data_notice();

/// Findings of earlier rounds, newest last; empty text when there are none.
std::string findings_block(const std::vector<FeedbackPayload>& findings);

struct FilesBlockLimits {
  std::size_t listed = 500;
  std::size_t file_bytes = std::size_t{32} << 10;
  std::size_t all_bytes = std::size_t{200} << 10;
};
/// What leaves room for the rest of a prompt in the model's window.
FilesBlockLimits files_that_fit(const LlmDefinition& llm);
/// The list of files, then contents as far as the limits go: those in `first` before the others, what is no text left out.
task<Result<std::string>> files_block(Workspace& workspace, std::vector<std::string> first, FilesBlockLimits limits);

/// Content of the target's AGENTS.md as a block; empty when there is none.
task<Result<std::string>> agents_md_block(Workspace& workspace);

/// Paths that findings name, each once.
std::vector<std::string> named_files(const std::vector<FeedbackPayload>& findings);

/// Whether the answer is whole. Errors: invalid_answer, in words (refused, cut off at the output limit, filtered, tools not offered).
Result<void> check_finished(const LLMResponse& answer);

/// Saves what is asked as an artifact (type prompt) and asks it. Errors: as TaskContext::ask; invalid_answer, one that cannot be worked
/// with at all (refused, cut off at the output limit, filtered); invalid_argument, a prompt that the model's window does not hold.
task<Result<LLMResponse>> ask_recorded(TaskContext& context, std::string system, std::string prompt, std::string answer_schema);

}  // namespace conductorai::agents
