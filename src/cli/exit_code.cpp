#include "cli/exit_code.hpp"

#include <cstdio>

#include "cli/text.hpp"

namespace conductorai::cli {

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::not_found:
    case ErrorCode::already_exists:
    case ErrorCode::conflict:
    case ErrorCode::permission_denied: return kUsersText;
    case ErrorCode::budget_exhausted: return kPaused;
    case ErrorCode::cancelled: return kInterrupted;
    case ErrorCode::invalid_answer: return kFailed;
    case ErrorCode::fenced:
    case ErrorCode::unavailable:
    case ErrorCode::resource_exhausted:
    case ErrorCode::rate_limited:
    case ErrorCode::timeout:
    case ErrorCode::unsupported:
    case ErrorCode::data_corrupted:
    case ErrorCode::internal: return kMachine;
  }
  return kMachine;
}

int exit_code(const WorkflowView& view, int signal) {
  switch (view.status) {
    case WorkflowStatus::completed: return kOk;
    case WorkflowStatus::failed:
      // The machine or a service was missing what the work needs: a toolchain, the sandbox, a provider.
      return view.error && (view.error->code == ErrorCode::unavailable || view.error->code == ErrorCode::rate_limited) ? kMachine : kFailed;
    case WorkflowStatus::cancelled: return kFailed;
    case WorkflowStatus::paused: return kPaused;
    case WorkflowStatus::pending:
    case WorkflowStatus::in_progress: break;
  }
  if (signal != 0) return 128 + signal;
  return view.approvals.empty() ? int{kMachine} : int{kPaused};
}

std::string error_text(const Error& error) {
  std::string out = "conductorai: error: " + clean_line(to_string(error)) + "\n";
  if (!error.hint.empty()) out += "hint: " + clean_line(error.hint) + "\n";
  return out;
}

int report(const Error& error) {
  std::fputs(error_text(error).c_str(), stderr);
  return exit_code(error.code);
}

}  // namespace conductorai::cli
