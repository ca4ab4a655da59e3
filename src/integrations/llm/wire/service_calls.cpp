#include "integrations/llm/wire/service_calls.hpp"

#include <algorithm>

#include "integrations/llm/wire/json_read.hpp"
#include "integrations/llm/wire/json_write.hpp"

namespace conductorai::integrations {

namespace {

/// A URL as messages show it: who logs in, and the query, are nobody's business.
std::string shown_url(std::string url) {
  url = url.substr(0, url.find('?'));
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const auto path = url.find('/', scheme + 3);
  const auto at = url.rfind('@', path);
  if (at != std::string::npos && at > scheme) url.erase(scheme + 3, at - scheme - 2);
  return url;
}

/// What the user can do about it, where nobody who knew more has said so.
std::string usual_hint(const Error& error, const std::string& provider, bool with_key) {
  switch (error.code) {
    case ErrorCode::permission_denied:
      return with_key ? "is llm." + provider + "-key, or the usual variable, right, and may it use this model?"
                      : "no key was sent: set llm." + provider + "-key, or the usual variable";
    case ErrorCode::rate_limited: return "llm.requests-per-minute and llm.tokens-per-minute keep calls below a service's limits";
    case ErrorCode::unavailable: return "does llm.base-url name the service, and is it reached from here (llm.proxy, llm.ca-file)?";
    case ErrorCode::timeout: return "llm.first-byte-timeout, llm.idle-timeout and llm.timeout say how long an answer is waited for";
    case ErrorCode::invalid_argument: return "are llm.model and llm.base-url right, and is llm.api what the service speaks?";
    case ErrorCode::invalid_answer: return "does llm.base-url name a service of this protocol? llm.fallback can name another model";
    default: return {};
  }
}

/// What a service without accounting would have counted at most: a token is at least one byte.
void estimate_usage(const RequestSize& request, LLMResponse& answer) {
  std::size_t bytes = answer.text.size() + answer.reasoning.size();
  for (const ToolCall& call : answer.tool_calls) bytes += call.name.size() + wire::arguments_text(call).size();
  answer.usage.input_tokens = request.bytes;
  answer.usage.output_tokens = std::min(static_cast<std::int64_t>(bytes), request.output_tokens_max);
}

}  // namespace

WireRequest ServiceCalls::request(std::string method, std::string url) const {
  WireRequest request = service_.template_request;
  request.method = std::move(method);
  request.url = std::move(url);
  // What the user configured stands in place of ours: some services want their key under another name.
  for (const auto& header : protocol_.headers)
    if (std::ranges::find(request.headers, header.first, &std::pair<std::string, std::string>::first) == request.headers.end())
      request.headers.push_back(header);
  return request;
}

WireRequest ServiceCalls::posted(std::string url, std::string body) const {
  WireRequest made = request("POST", std::move(url));
  made.headers.emplace_back("content-type", "application/json");
  made.body = std::move(body);
  return made;
}

std::unexpected<Error> ServiceCalls::failed(Error error, const std::string& url) const {
  error.where = protocol_.provider + " at " + shown_url(url);
  if (error.hint.empty()) error.hint = usual_hint(error, protocol_.provider, !service_.key.empty());
  hide_key(error, service_.key);
  return fail(std::move(error));
}

Result<std::string> ServiceCalls::model_of(const LLMRequest& request) const {
  std::string model = request.model.empty() ? service_.model : request.model;
  if (model.empty())
    return failed({.code = ErrorCode::invalid_argument, .message = "no model is named", .hint = "--model NAME, or llm.model"},
                  protocol_.url);
  return model;
}

Result<LLMResponse> ServiceCalls::judged(const RequestSize& request, LLMResponse answer, const std::string& model) const {
  if (answer.model.empty()) answer.model = model;
  if (answer.finish == FinishReason::stop && answer.text.empty() && answer.refusal.empty())
    return failed(not_an_answer("the model answered nothing"), protocol_.url);
  if (answer.finish == FinishReason::refusal && answer.text.empty()) answer.text = answer.refusal;
  if (answer.usage.input_tokens == 0 && answer.usage.output_tokens == 0) estimate_usage(request, answer);
  answer.usage.calls = 1;
  answer.provider = protocol_.provider;
  return answer;
}

task<Result<std::string>> ServiceCalls::body(WireRequest request, std::size_t bytes_max) {
  const std::string url = request.url;
  std::string text;
  bool whole = true;
  auto head = co_await transport_.exchange(std::move(request), [&](const WireHead&, std::string_view piece) {
    whole = piece.size() <= bytes_max - text.size();
    text.append(piece.substr(0, bytes_max - text.size()));
    return whole;
  });
  if (!head) co_return failed(head.error(), url);
  if (!is_success(head->status)) co_return failed(status_error(head->status, head->headers, text, now()), url);
  if (!whole) {
    Error error = not_an_answer("the answer is larger than " + std::to_string(bytes_max) + " bytes");
    error.retry = Retry::never;
    co_return failed(std::move(error), url);
  }
  co_return text;
}

task<Result<Value>> ServiceCalls::json(WireRequest request, std::size_t bytes_max) {
  const std::string url = request.url;
  auto text = co_await body(std::move(request), bytes_max);
  if (!text) co_return fail(text.error());
  auto value = wire::parse(*text);
  if (!value) co_return failed(not_an_answer("the answer is no JSON"), url);
  co_return value;
}

}  // namespace conductorai::integrations
