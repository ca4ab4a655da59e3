#include "integrations/llm/wire/service.hpp"

#include <algorithm>

#include "integrations/llm/reservation.hpp"
#include "integrations/llm/wire/answer_parser.hpp"
#include "integrations/llm/wire/json_read.hpp"
#include "integrations/llm/wire/json_write.hpp"

namespace conductorai::integrations {

namespace {

constexpr std::size_t kErrorBytesMax = 64 << 10;
constexpr std::size_t kModelListBytesMax = std::size_t{8} << 20;

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

bool is_success(int status) {
  return status >= 200 && status < 300;
}

/// What a service without accounting would have counted at most: a token is at least one byte.
void estimate_usage(const LLMRequest& request, LLMResponse& answer) {
  std::size_t bytes = answer.text.size() + answer.reasoning.size();
  for (const ToolCall& call : answer.tool_calls) bytes += call.name.size() + wire::arguments_text(call).size();
  answer.usage.input_tokens = size_of(request).bytes;
  answer.usage.output_tokens = std::min(static_cast<std::int64_t>(bytes), request.output_tokens_max);
}

}  // namespace

std::string joined_url(std::string_view base, std::string_view path) {
  const auto query = base.find('?');
  std::string url(base.substr(0, query));
  while (url.ends_with('/')) url.pop_back();
  url += path;
  if (query != std::string_view::npos) url += base.substr(query);
  return url;
}

WireRequest WireProvider::wire_request(std::string method, std::string url) const {
  WireRequest request = service_.template_request;
  request.method = std::move(method);
  request.url = std::move(url);
  // What the user configured stands in place of ours: some services want their key under another name.
  for (const auto& header : protocol_.headers)
    if (std::ranges::find(request.headers, header.first, &std::pair<std::string, std::string>::first) == request.headers.end())
      request.headers.push_back(header);
  return request;
}

std::unexpected<Error> WireProvider::failed(Error error, const std::string& url) const {
  error.where = protocol_.provider + " at " + shown_url(url);
  if (error.code == ErrorCode::permission_denied && service_.key.empty())
    error.hint = "no key was sent: set llm." + protocol_.provider + "-key, or the usual variable";
  hide_key(error, service_.key);
  return fail(std::move(error));
}

Result<LLMResponse> WireProvider::judged(const LLMRequest& request, LLMResponse answer) const {
  if (answer.finish == FinishReason::stop && answer.text.empty() && answer.refusal.empty())
    return fail(not_an_answer("the model answered nothing"));
  if (answer.finish == FinishReason::refusal && answer.text.empty()) answer.text = answer.refusal;
  if (answer.usage.input_tokens == 0 && answer.usage.output_tokens == 0) estimate_usage(request, answer);
  answer.usage.calls = 1;
  answer.provider = protocol_.provider;
  return answer;
}

task<Result<LLMResponse>> WireProvider::chat(LLMRequest request) {
  const std::string model = request.model.empty() ? service_.model : request.model;
  if (model.empty())
    co_return failed({.code = ErrorCode::invalid_argument, .message = "no model is named", .hint = "--model NAME, or llm.model"},
                     protocol_.url);
  auto body = protocol_.write(request, model);
  if (!body) co_return failed(body.error(), protocol_.url);
  auto reader = protocol_.reader();
  reader->on_text(request.on_text);
  AnswerParser parser(std::move(reader));
  std::string error_body;
  WireRequest sent = wire_request("POST", protocol_.url);
  sent.headers.emplace_back("content-type", "application/json");
  sent.headers.emplace_back("accept", "text/event-stream, application/json");
  sent.body = std::move(*body);
  auto head = co_await transport_.exchange(std::move(sent), [&](const WireHead& so_far, std::string_view piece) {
    if (is_success(so_far.status)) return parser.feed(piece);
    error_body.append(piece.substr(0, kErrorBytesMax - error_body.size()));
    return error_body.size() < kErrorBytesMax;
  });
  if (!head) co_return failed(head.error(), protocol_.url);
  if (service_.on_head) service_.on_head(*head);
  if (!is_success(head->status)) co_return failed(status_error(head->status, head->headers, error_body, clock_.now()), protocol_.url);
  auto answer = parser.finish();
  if (!answer) co_return failed(answer.error(), protocol_.url);
  if (answer->model.empty()) answer->model = model;
  auto good = judged(request, std::move(*answer));
  if (!good) co_return failed(good.error(), protocol_.url);
  co_return good;
}

task<Result<std::vector<std::string>>> WireProvider::models() {
  std::string body;
  auto head = co_await transport_.exchange(wire_request("GET", protocol_.models_url), [&](const WireHead&, std::string_view piece) {
    body.append(piece.substr(0, kModelListBytesMax - body.size()));
    return body.size() < kModelListBytesMax;
  });
  if (!head) co_return failed(head.error(), protocol_.models_url);
  if (!is_success(head->status)) co_return failed(status_error(head->status, head->headers, body, clock_.now()), protocol_.models_url);
  auto list = wire::parse(body);
  const Value* data = list ? wire::at(*list, {"data"}) : nullptr;
  if (data == nullptr || data->as_array() == nullptr)
    co_return failed(not_an_answer("the answer is no list of models"), protocol_.models_url);
  std::vector<std::string> names;
  for (const Value& model : *data->as_array())
    if (const auto id = wire::text(model, {"id"}); !id.empty()) names.emplace_back(id);
  std::ranges::sort(names);
  co_return names;
}

}  // namespace conductorai::integrations
