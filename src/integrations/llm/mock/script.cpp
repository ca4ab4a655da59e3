#include "integrations/llm/mock/script.hpp"

#include "base/pattern.hpp"
#include "core/document/document.hpp"
#include "core/document/reader.hpp"

namespace conductorai::integrations {
namespace {

using namespace core::document;

const Type<std::optional<int>>& times() {
  static const auto type = either<std::optional<int>>(
      "a whole number from 1, or `any`",
      {{Node::Kind::integer, convert<std::optional<int>, int>(integer<int>(1), [](int n) { return std::optional(n); })},
       {Node::Kind::text,
        convert<std::optional<int>, std::string>(text({.allowed = {"any"}}), [](const std::string&) { return std::optional<int>{}; })}});
  return type;
}

Type<std::string> pattern() {
  auto type = text({.may_be_empty = false});
  type.read = [plain = type.read](const Node& node, std::string& out, Problems& problems) {
    if (!plain(node, out, problems)) return false;
    auto usable = check_pattern(out);
    if (!usable) problems.add(node.at, usable.error().message);
    return usable.has_value();
  };
  return type;
}

const Section<ScriptMatch>& match_section() {
  static const auto section = Section<ScriptMatch>("what a request must be for the rule to answer; what is left out matches anything")
                                  .key("agent", &ScriptMatch::agent, text({.may_be_empty = false}), "agent type")
                                  .key("task", &ScriptMatch::task, text({.may_be_empty = false}), "task id")
                                  .key("round", &ScriptMatch::round, integer<int>(1), "round of the workflow")
                                  .key("attempt", &ScriptMatch::attempt, integer<int>(1), "attempt in that round")
                                  .key("call", &ScriptMatch::call, integer<int>(1), "request of that attempt")
                                  .key("prompt", &ScriptMatch::prompt, pattern(), "regular expression found in the prompt")
                                  .key("model", &ScriptMatch::model, text({.may_be_empty = false}), "model asked for");
  return section;
}

const Section<ScriptedToolCall>& tool_call_section() {
  static const auto section = Section<ScriptedToolCall>("one tool call")
                                  .key("name", &ScriptedToolCall::name, text({.may_be_empty = false}), "of the tool")
                                  .required()
                                  .key("arguments", &ScriptedToolCall::arguments, mapping(), "of the call");
  return section;
}

// As written: one of the kinds.
struct ErrorKeys {
  std::optional<int> status;
  std::optional<double> retry_after_s;
  bool timeout = false, malformed = false, cut_stream = false, refusal = false;
};

const Section<ErrorKeys>& error_section() {
  static const auto section = Section<ErrorKeys>("how the provider fails")
                                  .key("status", &ErrorKeys::status, integer<int>(400, 599), "HTTP status it answers with")
                                  .key("retry_after_s", &ErrorKeys::retry_after_s, number(0, 86'400), "seconds it asks to wait")
                                  .key("timeout", &ErrorKeys::timeout, boolean(), "no answer in time")
                                  .key("malformed", &ErrorKeys::malformed, boolean(), "an answer that does not parse")
                                  .key("cut_stream", &ErrorKeys::cut_stream, boolean(), "a stream without its end")
                                  .key("refusal", &ErrorKeys::refusal, boolean(), "the model declines");
  return section;
}

Type<ScriptedError> error_words() {
  return choice<ScriptedError>({{"timeout", {.kind = ScriptedFailure::timeout}},
                                {"malformed", {.kind = ScriptedFailure::malformed}},
                                {"cut_stream", {.kind = ScriptedFailure::cut_stream}},
                                {"refusal", {.kind = ScriptedFailure::refusal}}});
}

bool read_error_keys(const Node& node, ScriptedError& out, Problems& problems) {
  ErrorKeys keys;
  if (!error_section().read(node, keys, problems)) return false;
  const int kinds = (keys.status ? 1 : 0) + keys.timeout + keys.malformed + keys.cut_stream + keys.refusal;
  if (kinds != 1) {
    problems.add(node.at, "expected exactly one of status, timeout, malformed, cut_stream, refusal");
    return false;
  }
  if (keys.timeout) out.kind = ScriptedFailure::timeout;
  if (keys.malformed) out.kind = ScriptedFailure::malformed;
  if (keys.cut_stream) out.kind = ScriptedFailure::cut_stream;
  if (keys.refusal) out.kind = ScriptedFailure::refusal;
  out.status = keys.status.value_or(0);
  if (keys.retry_after_s) out.retry_after = Milliseconds(static_cast<std::int64_t>(*keys.retry_after_s * 1000));
  return true;
}

Type<ScriptedError> scripted_error() {
  const Type<ScriptedError> keys{read_error_keys, error_section().schema()};
  return either<ScriptedError>("timeout, malformed, cut_stream, refusal, or a mapping with `status`",
                               {{Node::Kind::text, error_words()}, {Node::Kind::map, keys}});
}

Type<std::optional<std::string>> file_content() {
  const auto content = convert<std::optional<std::string>, std::string>(text(), [](std::string s) { return std::optional(std::move(s)); });
  const Type<std::optional<std::string>> deleted{[](const Node&, std::optional<std::string>& out, Problems&) {
                                                   out.reset();
                                                   return true;
                                                 },
                                                 Object{{"type", "null"}}};
  return either<std::optional<std::string>>("the file's whole text, or null to delete it",
                                            {{Node::Kind::text, content}, {Node::Kind::null, deleted}});
}

std::string path_problem(const std::string& path) {
  return path.empty() ? "a path must not be empty" : "";
}

const Section<ScriptReply>& reply_section() {
  static const auto section =
      Section<ScriptReply>("what is answered")
          .key("text", &ScriptReply::text, text(), "the answer's text")
          .key("files", &ScriptReply::files, dictionary(file_content(), path_problem), "whole files by path; null deletes")
          .key("json", &ScriptReply::json, any(), "a JSON answer")
          .key("tool_calls", &ScriptReply::tool_calls, list(tool_call_section().type(), 1), "one turn of tool calls")
          .key("error", &ScriptReply::error, scripted_error(), "a failure instead of an answer");
  return section;
}

Type<ScriptReply> reply() {
  return {[](const Node& node, ScriptReply& out, Problems& problems) {
            if (!reply_section().read(node, out, problems)) return false;
            const int forms =
                (out.json ? 1 : 0) + (out.tool_calls.empty() ? 0 : 1) + (out.error ? 1 : 0) + (node.find("files") != nullptr ? 1 : 0);
            if (node.members.empty()) problems.add(node.at, "the reply is empty", "give text, files, json, tool_calls or error");
            if (forms > 1) problems.add(node.at, "expected at most one of files, json, tool_calls, error");
            return !node.members.empty() && forms <= 1;
          },
          reply_section().schema()};
}

const Section<ScriptRule>& rule_section() {
  static const auto section =
      Section<ScriptRule>("one rule of the script")
          .key("match", &ScriptRule::match, match_section().type(), "when it answers")
          .key("reply", &ScriptRule::reply, reply(), "what it answers")
          .required()
          .key("times", &ScriptRule::times, times(), "how often it answers; 1 where left out")
          .key("delay_ms", &ScriptRule::delay,
               convert<Milliseconds, int>(integer<int>(0, 3'600'000), [](int ms) { return Milliseconds(ms); }), "how long it waits first");
  return section;
}

Error chained(std::vector<Error> errors) {
  Error chain = std::move(errors.back());
  for (auto it = errors.rbegin() + 1; it != errors.rend(); ++it) {
    it->cause = std::make_shared<const Error>(std::move(chain));
    chain = std::move(*it);
  }
  return chain;
}

}  // namespace

Result<Script> parse_script(std::string_view text, std::string_view file) {
  const Limits limits{.bytes = std::size_t{64} << 20, .text_bytes = std::size_t{64} << 20};
  auto root = core::document::parse(text, file, format_of(file), limits);
  if (!root) return fail(root.error());
  Problems problems{std::string(file)};
  Script script;
  if (!root->is(Node::Kind::list)) {
    problems.expected(*root, "a list of rules", "each rule is `- match: {…}` with a `reply:`");
    return fail(chained(problems.take()));
  }
  for (std::size_t i = 0; i < root->items.size(); ++i) {
    const Problems::In in(problems, "[" + std::to_string(i) + "]");
    const Node& node = root->items[i];
    ScriptRule rule;
    rule.where = std::string(file) + ":" + std::to_string(node.at.line) + ":" + std::to_string(node.at.column);
    if (rule_section().read(node, rule, problems)) script.push_back(std::move(rule));
  }
  if (!problems.empty()) return fail(chained(problems.take()));
  return script;
}

}  // namespace conductorai::integrations
