#pragma once
// The decorators in their order, outermost first:
//   structured answers → fallback → [for each model: retries → rate limit → breaker → ledger → cache → recording → provider]
// A follow-up is a call of its own; a model passed over leaves its step behind, the next has one of its own; each try is a try of one step.
// An answer on record goes past everything between fallback and ledger: no limit and no open breaker keeps back what is paid. A cached one
// goes past limit and breaker. Only the ledger touches what costs.

#include <memory>

#include "integrations/llm/answer_cache.hpp"
#include "integrations/llm/breaker.hpp"
#include "integrations/llm/fallback.hpp"
#include "integrations/llm/ledger.hpp"
#include "integrations/llm/rate_limit.hpp"
#include "integrations/llm/retries.hpp"
#include "integrations/llm/structured.hpp"

namespace conductorai::integrations {

/// One model of the chain. All it points to outlives the stack; what is null is left out.
struct CallTarget {
  std::string name;     // "openai gpt-4.1"
  std::string model{};  // empty: the provider's own
  BaseLLMProvider& provider;
  StepNotes* notes = nullptr;
  std::optional<Price> price{};
  bool frames = false;
  ModelBreaker* breaker = nullptr;
  RateLimiter* limiter = nullptr;
  AnswerCache* cache = nullptr;
  bool waits = false;     // answers by batches, see CallAccount
  std::string service{};  // what the cache tells it by besides the request
};

struct CallPorts {
  StateManager& states;
  runtime::BudgetTurns& turns;
  ArtifactStore& artifacts;
  Clock& clock;
  Entropy& entropy;
  FallbackProvider::Notice notice{};
};

/// A pause that a service or breaker asks for is waited for no longer than this while another model of the chain is left.
inline constexpr Milliseconds kPauseBeforeFallback{5'000};

/// One attempt's way to its models. All ports outlive it. `account.price` and `account.frames` come from each target.
/// REQUIRES: at least one target.
std::unique_ptr<BaseLLMProvider> make_call_stack(CallPorts ports, std::vector<CallTarget> chain, RetryOptions retries, CallAccount account);
/// The same for one model without breaker and limits.
std::unique_ptr<BaseLLMProvider> make_call_stack(LedgerProvider::Ports ports, Entropy& entropy, RetryOptions retries, CallAccount account);

}  // namespace conductorai::integrations
