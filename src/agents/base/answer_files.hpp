#pragma once
// Files in a model's answer: finding them, and applying them whole or not at all.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/base_agent.hpp"

namespace conductorai::agents {

using AnswerFiles = std::map<std::string, std::optional<std::string>>;  // whole contents by path; nullopt deletes

/// How a model that answers in text gives files; part of the prompts that ask for them.
std::string_view file_blocks_format();

/// The files of the answer: those the provider found, else those in blocks of `file_blocks_format`. Empty when there are none.
AnswerFiles files_of(const LLMResponse& answer);

struct Applied {
  std::vector<std::string> paths;  // sorted; empty when anything was refused
  std::vector<Finding> refused;    // source "workspace"
};

/// Writes and deletes. A path that leaves the workspace, passes a symlink, names `.git` or is protected, or content past the limits
/// (4 MiB a file, 8 MiB and 2000 files in all) is refused, and then nothing of the answer stays.
/// Errors: only of the machine (resource_exhausted, unavailable, cancelled).
task<Result<Applied>> apply_files(Workspace& workspace, AnswerFiles files);

/// The outcome of an answer that was refused: a failed verdict, its findings, and the answer as evidence of kind "integrity". The summary
/// goes on with the first finding.
task<Result<Outcome>> refused_answer(TaskContext& context, std::string summary, std::vector<Finding> findings, std::string answer);

/// One line a finding, for evidence and prompts: "error a.py:3: message (source)".
std::string findings_text(const std::vector<Finding>& findings);

/// The answer as text for an artifact: its text and the names and sizes of its files.
std::string answer_text(const LLMResponse& answer);

}  // namespace conductorai::agents
