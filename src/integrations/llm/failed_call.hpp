#pragma once

#include <utility>

#include "conductorai/llm_provider.hpp"

namespace conductorai::integrations {

/// A call that has failed before it began, for functions that hand calls on without being coroutines.
inline task<Result<LLMResponse>> failed_call(Error error) {
  co_return fail(std::move(error));
}

}  // namespace conductorai::integrations
