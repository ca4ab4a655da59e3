#include "infrastructure/sandbox/bubblewrap_errors.hpp"

#include <unistd.h>

#include <array>
#include <string_view>

namespace conductorai::infrastructure {

namespace {

constexpr std::array<std::string_view, 6> kNoNamespaces = {
    "new namespace failed", "No permissions to create",     "Unable to create user namespace",
    "setting up uid map",   "namespaces are not available", "max_user_namespaces"};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string last_line(std::string_view words) {
  while (words.ends_with('\n')) words.remove_suffix(1);
  const auto at = words.rfind('\n');
  if (at != std::string_view::npos) words.remove_prefix(at + 1);
  if (words.starts_with("bwrap: ")) words.remove_prefix(7);
  return std::string(words);
}

}  // namespace

Error bubblewrap_error(const std::string& words, const SandboxCommand& command) {
  const std::string line = last_line(words);
  Error error{.code = ErrorCode::unavailable, .message = "cannot isolate generated code: " + line};
  if (contains(line, "execvp")) {
    error.code = contains(line, "Permission denied") ? ErrorCode::permission_denied : ErrorCode::not_found;
    error.message = "cannot start " + command.argv[0] + " in the sandbox: " + line.substr(line.rfind(": ") + 2);
    error.hint = "toolchains under /usr and /opt are visible; others are given by sandbox.read";
    return error;
  }
  for (const auto& sign : kNoNamespaces)
    if (contains(line, sign)) {
      error.hint =
          "allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone or kernel.apparmor_restrict_"
          "unprivileged_userns), or --sandbox=none to run without isolation";
      return error;
    }
  if (contains(line, "Can't find source path") || contains(line, "Can't bind mount")) {
    error.code = ErrorCode::invalid_argument;
    error.message = "the sandbox cannot reach a folder it is to show: " + line;
    if (::geteuid() == 0) error.hint = "as root, sandboxed code runs as an unprivileged user: folders below /root cannot be shown to it";
  } else if (contains(line, "Can't chdir")) {
    error.code = ErrorCode::not_found;
    error.message = "no such folder in the workspace: " + command.working_subdirectory.string();
  }
  return error;
}

}  // namespace conductorai::infrastructure
