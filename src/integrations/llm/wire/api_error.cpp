#include "integrations/llm/wire/api_error.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>

#include "base/printable.hpp"
#include "integrations/llm/wire/answer_reader.hpp"
#include "integrations/llm/wire/json_read.hpp"

namespace conductorai::integrations {

namespace {

constexpr std::size_t kMessageBytesMax = 600;
constexpr double kWaitMsMax = 1e9;

struct Told {
  std::string message, type, code;
};

Told told_by(const Value& body) {
  const Value* error = wire::at(body, {"error"});
  Told told;
  if (error != nullptr && error->as_string() != nullptr) {
    told.message = *error->as_string();
    return told;
  }
  const Value& from = error != nullptr ? *error : body;
  for (const char* name : {"message", "detail", "error"})
    if (told.message.empty()) told.message = wire::text(from, {name});
  told.type = wire::text(from, {"type"});
  told.code = wire::text(from, {"code"});
  return told;
}

std::string_view header(const WireHeaders& headers, std::string_view name) {
  const auto found = std::ranges::find(headers, name, &std::pair<std::string, std::string>::first);
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

bool is(const Told& told, std::string_view name) {
  return told.type == name || told.code == name;
}

std::string words(const Told& told, std::string_view lead) {
  std::string text(lead);
  if (!told.message.empty()) text += ": " + printable_line(told.message, kMessageBytesMax);
  if (!told.type.empty()) text += " [" + printable_line(told.type, 80) + "]";
  return text;
}

void judge_status(Error& error, int status) {
  if (status == 429) {
    error.code = ErrorCode::rate_limited;
    error.retry = Retry::backoff;
  } else if (status == 401 || status == 403) {
    error.code = ErrorCode::permission_denied;
  } else if (status == 408 || status == 409 || status >= 500) {
    error.code = ErrorCode::unavailable;
    error.retry = Retry::backoff;
    error.hint = "the service has trouble of its own: try again later; llm.fallback can name another model";
  } else {
    error.code = ErrorCode::invalid_argument;
    if (status == 404) error.hint = "conductorai llm models lists what the provider offers; llm.base-url may be wrong, too";
  }
}

// No matter of pace: whoever tries again because of the code alone would wait in vain.
void no_quota(Error& error) {
  error.code = ErrorCode::permission_denied;
  error.retry = Retry::never;
  error.hint = "the provider's account has no credit left: waiting does not help";
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || !std::isfinite(value) || value < 0) return std::nullopt;
  return value;
}

void replace_all(std::string& text, std::string_view what) {
  for (auto found = text.find(what); found != std::string::npos; found = text.find(what, found)) text.replace(found, what.size(), "***");
}

// OpenAI quotes a wrong key with its middle starred out; its ends are still the key's.
void replace_key_shapes(std::string& text) {
  for (auto found = text.find("sk-"); found != std::string::npos; found = text.find("sk-", found + 3)) {
    auto end = found + 3;
    while (end < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '-' || text[end] == '_' || text[end] == '*'))
      ++end;
    const bool word = found > 0 && std::isalnum(static_cast<unsigned char>(text[found - 1])) != 0;  // "task-list"
    if (!word && end - found > 8) text.replace(found, end - found, "sk-***");
  }
}

/// "Thu, 01 Jan 2026 00:00:09 GMT"
std::optional<Timestamp> http_date(std::string_view text) {
  std::tm date{};
  const std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return Timestamp(std::chrono::duration_cast<Timestamp::duration>(std::chrono::seconds(::timegm(&date))));
}

}  // namespace

Error cut_stream() {
  return {.code = ErrorCode::invalid_answer, .message = "the answer's stream ended without its closing event", .retry = Retry::backoff};
}

Error not_an_answer(std::string what) {
  return {.code = ErrorCode::invalid_answer, .message = std::move(what), .retry = Retry::backoff};
}

Timestamp answered_at(const WireHeaders& headers, Timestamp now) {
  return http_date(header(headers, "date")).value_or(now);
}

std::optional<Milliseconds> retry_after(const WireHeaders& headers, Timestamp now) {
  if (const auto ms = number(header(headers, "retry-after-ms")); ms && *ms <= kWaitMsMax) return Milliseconds(std::llround(std::ceil(*ms)));
  const std::string text(header(headers, "retry-after"));
  if (const auto seconds = number(text); seconds && *seconds * 1000 <= kWaitMsMax)
    return Milliseconds(std::llround(std::ceil(*seconds * 1000)));
  const auto at = http_date(text);
  if (!at) return std::nullopt;
  const auto wait = std::chrono::duration_cast<Milliseconds>(*at - answered_at(headers, now));
  if (wait.count() <= 0 || static_cast<double>(wait.count()) > kWaitMsMax) return std::nullopt;
  return wait;
}

Error status_error(int status, const WireHeaders& headers, std::string_view body, Timestamp now) {
  Error error;
  judge_status(error, status);
  const std::string lead = "the provider answered with status " + std::to_string(status);
  const auto parsed = wire::parse(body);
  if (parsed && parsed->as_object() != nullptr) {
    const Told told = told_by(*parsed);
    error.message = words(told, lead);
    if (is(told, "insufficient_quota")) no_quota(error);
    if (is(told, "context_length_exceeded") || told.message.starts_with("prompt is too long"))
      error.hint = "the prompt is longer than the model's window: choose a model with a larger one, or a smaller task";
  } else {
    error.message = lead;
    if (!body.empty()) error.message += " and no JSON: " + printable_line(body.substr(0, 400), 120);
  }
  if (status >= 300 && status < 400) error.hint = "redirects are not followed with a key: is llm.base-url right?";
  if (header(headers, "x-should-retry") == "false") error.retry = Retry::never;
  if (const auto wait = retry_after(headers, now); wait && error.retry == Retry::backoff) {
    error.retry = Retry::after;
    error.retry_after = *wait;
  }
  return error;
}

Error answer_error(const Value& body, bool partial) {
  const Told told = told_by(body);
  Error error{.code = ErrorCode::invalid_answer, .message = words(told, "the provider broke off with an error")};
  if (is(told, "insufficient_quota")) {
    no_quota(error);
    return error;
  }
  const bool theirs = is(told, "overloaded_error") || is(told, "server_error") || is(told, "api_error") || is(told, "timeout_error");
  const bool slow_down = is(told, "rate_limit_error") || is(told, "rate_limit_exceeded");
  if (theirs || slow_down) error.retry = Retry::backoff;
  // Before the first piece it is a refusal and costs nothing; after it nobody knows.
  if (!partial && theirs) error.code = ErrorCode::unavailable;
  if (!partial && slow_down) error.code = ErrorCode::rate_limited;
  return error;
}

void hide_key(Error& error, std::string_view key) {
  for (std::string* text : {&error.message, &error.where, &error.hint}) {
    if (key.size() >= 4) replace_all(*text, key);
    replace_key_shapes(*text);
  }
}

}  // namespace conductorai::integrations
