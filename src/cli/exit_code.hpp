#pragma once
// Exit codes of the command line, and how errors are told.

#include <string>

#include "conductorai/conductorai.hpp"
#include "conductorai/result.hpp"

namespace conductorai::cli {

enum ExitCode : int {
  kOk = 0,
  kFailed = 1,     // failed, cancelled, rejected
  kUsersText = 2,  // YAML, flags, ids, files, not a repository, dirty base
  kPaused = 3,     // budget, approval
  kMachine = 4,    // state, disk, another owner, toolchain, sandbox, provider
  kInterrupted = 130,
};

int exit_code(ErrorCode code);
/// How a run that returned ends; `signal` is the one that interrupted it, 0 for none.
int exit_code(const WorkflowView& view, int signal);

/// "conductorai: error: WHAT (WHERE)" and "hint: …", without escape sequences.
std::string error_text(const Error& error);
/// Prints it to stderr and returns its exit code.
int report(const Error& error);

}  // namespace conductorai::cli
