#pragma once
// A script of the scripted LLM (docs/formats/llm-script.md): rules in order, each a match and a reply.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "conductorai/llm_provider.hpp"
#include "conductorai/result.hpp"
#include "conductorai/time.hpp"

namespace conductorai::integrations {

/// Absent parts match anything.
struct ScriptMatch {
  std::optional<std::string> agent, task, model;
  std::optional<int> round, attempt, call;
  std::optional<std::string> prompt;  // regular expression (Perl syntax), searched in all messages of the request
};

enum class ScriptedFailure { status, timeout, malformed, cut_stream, refusal };
struct ScriptedError {
  ScriptedFailure kind = ScriptedFailure::status;
  int status = 0;  // with status
  std::optional<Milliseconds> retry_after;
};
struct ScriptedToolCall {
  std::string name;
  Value arguments;
};

struct ScriptReply {
  std::string text;
  std::map<std::string, std::optional<std::string>> files;  // nullopt deletes
  std::optional<Value> json;
  std::vector<ScriptedToolCall> tool_calls;
  std::optional<ScriptedError> error;
};

struct ScriptRule {
  ScriptMatch match;
  ScriptReply reply;
  std::optional<int> times = 1;  // nullopt: any
  Milliseconds delay{0};
  std::string where;  // file:line:column
};
using Script = std::vector<ScriptRule>;

/// YAML or JSON. Errors: invalid_argument with file:line:column in `where` and a "did you mean" as hint.
Result<Script> parse_script(std::string_view text, std::string_view file);

}  // namespace conductorai::integrations
