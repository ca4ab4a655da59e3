#pragma once
// For decorators: calls handed on by plain functions, so that no coroutine that waits for an answer has room for the question.
// Not inlined: a frame has room for what is inlined into it too.

#include <memory>
#include <utility>

#include "conductorai/llm_provider.hpp"

namespace conductorai::integrations {

/// A call that has failed before it began, for functions that hand calls on without being coroutines.
inline task<Result<LLMResponse>> failed_call(Error error) {
  co_return fail(std::move(error));
}

/// For coroutines, which keep room for every error that they make.
[[gnu::noinline]] inline std::unique_ptr<Result<LLMResponse>> failed_answer(Error& error) {
  return std::make_unique<Result<LLMResponse>>(fail(std::move(error)));
}

/// Asks with what a coroutine has kept until now, and has no room for while it waits for the answer.
[[gnu::noinline]] inline task<Result<LLMResponse>> hand_on(BaseLLMProvider& inner, std::unique_ptr<LLMRequest> request) {
  return inner.chat(std::move(*request));
}

}  // namespace conductorai::integrations
