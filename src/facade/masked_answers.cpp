#include "facade/masked_answers.hpp"

namespace conductorai::facade {

namespace {

// Inlined, what it makes would lie in the frame that waits for the answer.
[[gnu::noinline]] void hide(const std::vector<std::string>& secrets, LLMResponse& answer) {
  const agents::SecretMask mask(secrets);
  if (mask.empty()) return;
  for (std::string* text : {&answer.text, &answer.reasoning, &answer.refusal, &answer.model}) *text = mask.text(std::move(*text));
  for (ToolCall& call : answer.tool_calls) {
    call.arguments = mask.value(std::move(call.arguments));
    for (std::string* text : {&call.id, &call.name}) *text = mask.text(std::move(*text));
  }
  for (auto& [path, content] : answer.files)
    if (content) *content = mask.text(std::move(*content));
  // Signed: a piece that had to be changed would be refused when it comes back.
  std::erase_if(answer.thinking, [&](const Value& part) { return mask.value(part) != part; });
}

}  // namespace

task<Result<LLMResponse>> MaskedAnswers::chat(LLMRequest request) {
  return masked(inner_->chat(std::move(request)));
}

task<Result<LLMResponse>> MaskedAnswers::masked(task<Result<LLMResponse>> call) {
  auto answer = co_await std::move(call).boxed();
  if (*answer) hide(secrets_->values(), **answer);
  co_return answer;
}

}  // namespace conductorai::facade
