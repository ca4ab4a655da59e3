#pragma once
// The decorators in their order, outermost first: structured answers → retries → ledger → provider.
// A follow-up is a call of its own and may be retried; each try is a try of one step; only the ledger touches the provider.

#include <memory>

#include "integrations/llm/ledger.hpp"
#include "integrations/llm/retries.hpp"
#include "integrations/llm/structured.hpp"

namespace conductorai::integrations {

/// One attempt's way to its provider. All ports outlive it.
std::unique_ptr<BaseLLMProvider> make_call_stack(LedgerProvider::Ports ports, Entropy& entropy, RetryOptions retries, CallAccount account);

}  // namespace conductorai::integrations
