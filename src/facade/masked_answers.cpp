#include "facade/masked_answers.hpp"

namespace conductorai::facade {

task<Result<LLMResponse>> MaskedAnswers::chat(LLMRequest request) {
  auto asking = inner_->chat(std::move(request));
  auto answer = co_await std::move(asking);
  const agents::SecretMask mask(secrets_->values());
  if (!answer || mask.empty()) co_return answer;
  for (std::string* text : {&answer->text, &answer->reasoning, &answer->refusal}) *text = mask.text(std::move(*text));
  for (ToolCall& call : answer->tool_calls) call.arguments = mask.value(std::move(call.arguments));
  for (auto& [path, content] : answer->files)
    if (content) *content = mask.text(std::move(*content));
  // Signed: a piece that had to be changed would be refused when it comes back.
  std::erase_if(answer->thinking, [&](const Value& part) { return mask.value(part) != part; });
  co_return answer;
}

}  // namespace conductorai::facade
