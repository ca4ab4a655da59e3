#pragma once
// What is to be released: read from the task's `with`, the outputs of the tasks before it, and the files.

#include <string>

#include "conductorai/base_agent.hpp"
#include "conductorai/release_manager.hpp"

namespace conductorai::agents {

[[nodiscard]] AgentDescription describe_deploying();

struct ReleasePlan {
  ReleaseRequest request;  // `id` and `files` are filled in when it is performed
  Digest bundle;           // of the package task; empty: the workspace's files are released as they are
  /// What a repetition of the step must have in common.
  [[nodiscard]] std::string text() const;
};

/// Without a run command `request.run` is empty. Errors: invalid_argument naming the `with` key; as TaskContext::workspace.
task<Result<ReleasePlan>> plan_release(TaskContext& context);

/// "<workflow>.<task>.<round>.<attempt>.<ordinal>", in characters that file names and shells take as they are.
std::string release_id(const StepId& step);

}  // namespace conductorai::agents
