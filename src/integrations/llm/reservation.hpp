#pragma once
// What a call reserves of the budgets above it before it is sent: the one estimate for calls that are made and for calls that are planned.

#include <cstdint>
#include <optional>

#include "conductorai/llm_provider.hpp"
#include "conductorai/state_manager.hpp"
#include "integrations/llm/prices.hpp"

namespace conductorai::integrations {

/// What of a request decides what it may cost.
struct RequestSize {
  std::int64_t bytes = 0;  // of all its texts
  std::int64_t messages = 0;
  std::int64_t tools = 0;
  bool schema = false;
  std::int64_t output_tokens_max = 0;
};

[[nodiscard]] RequestSize size_of(const LLMRequest& request);

/// Bytes as input tokens (one token is at least one byte) at the dearest rate of input, and the maximum of the output; without the time.
/// `frames`: the provider counts tokens of its own around messages and tools. Without a price nothing is asked for in money.
[[nodiscard]] Amounts reservation(const RequestSize& size, const std::optional<Price>& price, bool frames);

}  // namespace conductorai::integrations
