#include "integrations/llm/wire/provider.hpp"

#include <algorithm>

#include "integrations/llm/handing_on.hpp"
#include "integrations/llm/wire/answer_parser.hpp"
#include "integrations/llm/wire/json_read.hpp"

namespace conductorai::integrations {

namespace {

constexpr std::size_t kErrorBytesMax = 64 << 10;
constexpr std::size_t kModelListBytesMax = std::size_t{8} << 20;

}  // namespace

Result<WireProvider::Question> WireProvider::question(const LLMRequest& request) const {
  const Protocol& protocol = calls_.protocol();
  auto model = calls_.model_of(request);
  if (!model) return fail(model.error());
  auto body = protocol.write(request, *model, calls_.service().stream);
  if (!body) return calls_.failed(body.error(), protocol.url);
  WireRequest wire = calls_.posted(protocol.url, std::move(*body));
  wire.headers.emplace_back("accept", "text/event-stream, application/json");
  return Question{.model = std::move(*model), .size = size_of(request), .on_text = request.on_text, .wire = std::move(wire)};
}

struct WireProvider::Incoming {
  Incoming(const Protocol& speaks, Question& asked)
      : protocol(speaks), model(std::move(asked.model)), size(asked.size), on_text(std::move(asked.on_text)) {}
  bool take(const WireHead& head, std::string_view piece) {
    if (is_success(head.status)) return parser().feed(piece);
    error_body.append(piece.substr(0, kErrorBytesMax - error_body.size()));
    return error_body.size() < kErrorBytesMax;
  }
  /// Made when the answer begins: until then thousands of calls may be waiting.
  AnswerParser& parser() {
    if (made == nullptr) {
      auto reader = protocol.reader();
      reader->on_text(std::move(on_text));
      made = std::make_unique<AnswerParser>(std::move(reader));
    }
    return *made;
  }
  const Protocol& protocol;
  std::string model;
  RequestSize size;
  AnswerReader::OnText on_text;
  std::unique_ptr<AnswerParser> made;
  std::string error_body;
};

// What was asked is written once, and not kept while the answer is waited for.
task<Result<LLMResponse>> WireProvider::chat(LLMRequest request) {
  auto asked = question(request);
  if (!asked) return failed_call(std::move(asked.error()));
  auto incoming = std::make_unique<Incoming>(calls_.protocol(), *asked);
  auto exchange = calls_.transport().exchange(
      std::move(asked->wire), [into = incoming.get()](const WireHead& head, std::string_view piece) { return into->take(head, piece); });
  return answered(std::move(incoming), std::move(exchange));
}

task<Result<LLMResponse>> WireProvider::answered(std::unique_ptr<Incoming> incoming, task<Result<WireHead>> exchange) {
  auto head = co_await std::move(exchange);
  co_return judged(head, *incoming);
}

Result<LLMResponse> WireProvider::judged(const Result<WireHead>& head, Incoming& incoming) const {
  const std::string& url = calls_.protocol().url;
  if (!head) return calls_.failed(head.error(), url);
  if (calls_.service().on_head) calls_.service().on_head(*head);
  if (!is_success(head->status)) return calls_.failed(status_error(head->status, head->headers, incoming.error_body, calls_.now()), url);
  auto answer = incoming.parser().finish();
  if (!answer) return calls_.failed(answer.error(), url);
  return calls_.judged(incoming.size, std::move(*answer), incoming.model);
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
