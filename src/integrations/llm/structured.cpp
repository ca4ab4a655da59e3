#include "integrations/llm/structured.hpp"

#include <boost/json/value.hpp>
#include <exception>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "core/json.hpp"
#include "core/json_boost.hpp"

namespace conductorai::integrations {
namespace {

constexpr std::string_view kFence = "```";
constexpr std::size_t kQuotedBytesMax = 2'000;     // of a wrong answer, in a follow-up
constexpr std::size_t kViolationBytesMax = 4'000;  // of what is wrong with it; it names keys, and those are the model's
constexpr std::size_t kMarkBytes = 3;              // "…", where either was cut
constexpr std::string_view kNotUsable = "That answer cannot be used: ";
constexpr std::string_view kAskAgain = "\nAnswer again with one JSON value that follows this schema, and nothing else:\n";

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string_view fenced(std::string_view text) {
  const auto open = text.find(kFence);
  if (open == std::string_view::npos) return {};
  const auto line_end = text.find('\n', open);
  if (line_end == std::string_view::npos) return {};
  const auto close = text.find(kFence, line_end);
  return close == std::string_view::npos ? std::string_view{} : text.substr(line_end + 1, close - line_end - 1);
}

std::string describe(valijson::ValidationResults& results) {
  valijson::ValidationResults::Error error;
  std::string words;
  for (int shown = 0; shown < 5 && results.popError(error); ++shown) {
    std::string path;
    for (const std::string& part : error.context) path += part;
    words += (words.empty() ? "" : "; ") + path + ": " + error.description;
  }
  return words.empty() ? "it does not follow the schema" : words;
}

}  // namespace

Result<Value> json_of_answer(std::string_view text) {
  auto whole = core::parse_json(trimmed(text));
  if (whole) return whole;
  if (auto inside = trimmed(fenced(text)); !inside.empty())
    if (auto value = core::parse_json(inside)) return value;
  const auto open = text.find('{');
  const auto close = text.rfind('}');
  if (open != std::string_view::npos && close != std::string_view::npos && open < close)
    if (auto value = core::parse_json(text.substr(open, close - open + 1))) return value;
  return fail(ErrorCode::invalid_answer, "the answer is no JSON: " + whole.error().message, whole.error().where);
}

Result<std::string> schema_violation(std::string_view schema_text, std::string_view json) {
  auto schema_json = core::parse_boost(schema_text);
  if (!schema_json) return fail(schema_json.error());
  auto document = core::parse_boost(json);
  if (!document) return document.error().message;
  try {
    valijson::Schema schema;
    valijson::SchemaParser parser;
    valijson::adapters::BoostJsonAdapter schema_adapter(*schema_json);
    parser.populateSchema(schema_adapter, schema);
    valijson::Validator validator(valijson::Validator::kStrongTypes);
    valijson::ValidationResults results;
    valijson::adapters::BoostJsonAdapter adapter(*document);
    if (validator.validate(schema, adapter, &results)) return std::string{};
    return describe(results);
  } catch (const std::exception& thrown) {
    return fail(ErrorCode::invalid_argument, std::string("the answer schema is wrong: ") + thrown.what());
  }
}

namespace {

struct Checked {
  std::string json;       // compact, when it follows
  std::string violation;  // in words, when it does not
};

Result<Checked> check(const LLMRequest& request, const LLMResponse& answer) {
  auto value = json_of_answer(answer.text);
  if (!value) return Checked{.json = {}, .violation = value.error().message};
  std::string json = core::to_json(*value);
  auto violation = schema_violation(request.answer_schema, json);
  if (!violation) return fail(violation.error());
  return Checked{.json = std::move(json), .violation = std::move(*violation)};
}

/// At most `bytes`, cut at a character's start: half a character is refused by services.
std::string beginning(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return std::string(text.substr(0, bytes)) + "…";
}

/// What asking again would not mend.
std::optional<Error> ended_badly(const LLMResponse& answer) {
  switch (answer.finish) {
    case FinishReason::refusal:
      return Error{.code = ErrorCode::invalid_answer,
                   .message = "the model refused: " + beginning(answer.refusal.empty() ? answer.text : answer.refusal, 200)};
    case FinishReason::length: return Error{.code = ErrorCode::invalid_answer, .message = "the answer was cut off at the output limit"};
    case FinishReason::content_filter:
      return Error{.code = ErrorCode::invalid_answer, .message = "the provider's filter withheld the answer"};
    case FinishReason::stop:
    case FinishReason::tool_calls: return std::nullopt;
  }
  return std::nullopt;
}

void add_follow_up(LLMRequest& request, const LLMResponse& answer, const std::string& violation) {
  std::string quoted = answer.text.empty() ? "(an empty answer)" : beginning(answer.text, kQuotedBytesMax);
  request.messages.push_back({.role = Role::assistant, .text = std::move(quoted), .tool_calls = {}, .tool_call_id = {}});
  request.messages.push_back({.role = Role::user,
                              .text = std::string(kNotUsable) + violation + std::string(kAskAgain) + request.answer_schema,
                              .tool_calls = {},
                              .tool_call_id = {}});
}

}  // namespace

std::size_t follow_up_bytes_max(std::size_t schema_bytes) {
  return kQuotedBytesMax + kViolationBytesMax + 2 * kMarkBytes + kNotUsable.size() + kAskAgain.size() + schema_bytes;
}

task<Result<LLMResponse>> StructuredProvider::chat(LLMRequest request) {
  if (request.answer_schema.empty()) return inner_.chat(std::move(request));
  return checked(std::make_unique<LLMRequest>(std::move(request)));
}

namespace {

/// Whether `answer` is the last: one that follows, now compact, or the error in its place. Else `request` asks again because of
/// `violation`, which is empty before the first follow-up.
bool is_last(LLMRequest& request, Result<LLMResponse>& answer, std::string& violation) {
  if (!answer) {
    if (!violation.empty() && !answer.error().cause)
      answer.error().cause = std::make_shared<Error>(Error{.code = ErrorCode::invalid_answer, .message = violation});
    return true;
  }
  if (auto ended = ended_badly(*answer)) {
    answer = fail(std::move(*ended));
    return true;
  }
  if (!answer->tool_calls.empty()) return true;  // it is not done yet
  auto checked = check(request, *answer);
  if (!checked) {
    answer = fail(std::move(checked.error()));
    return true;
  }
  if (checked->violation.empty()) {
    answer->text = std::move(checked->json);
    return true;
  }
  violation = beginning(checked->violation, kViolationBytesMax);
  add_follow_up(request, *answer, violation);
  return false;
}

}  // namespace

task<Result<LLMResponse>> StructuredProvider::checked(std::unique_ptr<LLMRequest> request) {
  const std::string ordinal = request->caller.ordinal;
  std::string violation;
  for (int follow_up = 0; follow_up <= follow_ups_; ++follow_up) {
    if (follow_up > 0) request->caller.ordinal = ordinal + "." + std::to_string(follow_up);
    auto call = inner_.chat(*request);
    auto answer = co_await std::move(call).boxed();
    if (is_last(*request, *answer, violation)) co_return answer;
  }
  co_return fail(ErrorCode::invalid_answer,
                 "the answer does not follow its schema after " + std::to_string(follow_ups_) + " follow-ups: " + violation);
}

}  // namespace conductorai::integrations
