#include "integrations/llm/wire/provider.hpp"

#include <algorithm>

#include "integrations/llm/wire/answer_parser.hpp"
#include "integrations/llm/wire/json_read.hpp"

namespace conductorai::integrations {

namespace {

constexpr std::size_t kErrorBytesMax = 64 << 10;
constexpr std::size_t kModelListBytesMax = std::size_t{8} << 20;

}  // namespace

task<Result<LLMResponse>> WireProvider::chat(LLMRequest request) {
  const Protocol& protocol = calls_.protocol();
  auto model = calls_.model_of(request);
  if (!model) co_return fail(model.error());
  auto body = protocol.write(request, *model, calls_.service().stream);
  if (!body) co_return calls_.failed(body.error(), protocol.url);
  auto reader = protocol.reader();
  reader->on_text(request.on_text);
  AnswerParser parser(std::move(reader));
  std::string error_body;
  WireRequest sent = calls_.posted(protocol.url, std::move(*body));
  sent.headers.emplace_back("accept", "text/event-stream, application/json");
  auto head = co_await calls_.transport().exchange(std::move(sent), [&](const WireHead& so_far, std::string_view piece) {
    if (is_success(so_far.status)) return parser.feed(piece);
    error_body.append(piece.substr(0, kErrorBytesMax - error_body.size()));
    return error_body.size() < kErrorBytesMax;
  });
  if (!head) co_return calls_.failed(head.error(), protocol.url);
  if (calls_.service().on_head) calls_.service().on_head(*head);
  if (!is_success(head->status)) co_return calls_.failed(status_error(head->status, head->headers, error_body, calls_.now()), protocol.url);
  auto answer = parser.finish();
  if (!answer) co_return calls_.failed(answer.error(), protocol.url);
  co_return calls_.judged(request, std::move(*answer), *model);
}

task<Result<std::vector<std::string>>> WireProvider::models() {
  const std::string& url = calls_.protocol().models_url;
  auto list = co_await calls_.json(calls_.request("GET", url), kModelListBytesMax);
  if (!list) co_return fail(list.error());
  const Value* data = wire::at(*list, {"data"});
  if (data == nullptr || data->as_array() == nullptr) co_return calls_.failed(not_an_answer("the answer is no list of models"), url);
  std::vector<std::string> names;
  for (const Value& model : *data->as_array())
    if (const auto id = wire::text(model, {"id"}); !id.empty()) names.emplace_back(id);
  std::ranges::sort(names);
  co_return names;
}

}  // namespace conductorai::integrations
