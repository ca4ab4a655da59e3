#include "integrations/llm/batch/batch_provider.hpp"

#include "core/json.hpp"

namespace conductorai::integrations {

task<Result<LLMResponse>> BatchProvider::chat(LLMRequest request) {
  const Protocol& protocol = calls_.protocol();
  auto model = calls_.model_of(request);
  if (!model) co_return fail(model.error());
  auto body = protocol.write(request, *model, false);
  if (!body) co_return calls_.failed(body.error(), protocol.url);
  const std::string step = request.caller.attempt.workflow.value + "/" + to_string(request.caller.attempt) + "/" + request.caller.ordinal;
  auto line = co_await desk_.ask(
      {.entry = {.id = desk_.service().custom_id(step), .body = std::move(*body)}, .ticket = request.ticket, .keep = request.keep_ticket});
  if (!line) co_return fail(line.error());
  co_return read(request, *model, *line);
}

Result<LLMResponse> BatchProvider::read(const LLMRequest& request, const std::string& model, const BatchLine& line) const {
  const Protocol& protocol = calls_.protocol();
  if (line.error) return calls_.failed(*line.error, protocol.url);
  if (!is_success(line.status)) return calls_.failed(status_error(line.status, {}, core::to_json(line.body), calls_.now()), protocol.url);
  auto reader = protocol.reader();
  reader->on_text(request.on_text);
  auto answer = reader->whole(line.body);
  if (!answer) return calls_.failed(answer.error(), protocol.url);
  return calls_.judged(size_of(request), std::move(*answer), model);
}

}  // namespace conductorai::integrations
