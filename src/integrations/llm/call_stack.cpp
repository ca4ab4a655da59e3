#include "integrations/llm/call_stack.hpp"

#include <algorithm>

namespace conductorai::integrations {
namespace {

CallAccount account_of(CallAccount account, const CallTarget& target) {
  account.price = target.price;
  account.frames = target.frames;
  account.waits = target.waits;
  return account;
}

/// The decorators of one model.
class Lane {
 public:
  Lane(const CallPorts& ports, const CallTarget& target, RetryOptions retries, CallAccount account)
      : name_(target.name),
        model_(target.model),
        cached_(cached(target)),
        ledger_({.inner = cached_ ? *cached_ : target.provider,
                 .states = ports.states,
                 .turns = ports.turns,
                 .artifacts = ports.artifacts,
                 .clock = ports.clock,
                 .notes = target.notes},
                account_of(std::move(account), target)) {
    BaseLLMProvider* top = &ledger_;
    if (target.breaker != nullptr) top = &breaker_.emplace(*top, *target.breaker);
    if (target.limiter != nullptr) top = &limited_.emplace(*top, *target.limiter, retries.max_retry_after);
    top_ = &retrying_.emplace(*top, ports.clock, ports.entropy, retries);
    if (cached_) top_ = &cached_first_.emplace(*top_, ledger_, *cached_);
  }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  [[nodiscard]] FallbackProvider::Link link() { return {.name = name_, .way = *top_, .on_record = ledger_, .model = model_}; }

 private:
  static std::unique_ptr<CachingProvider> cached(const CallTarget& target) {
    if (target.cache == nullptr) return nullptr;
    return std::make_unique<CachingProvider>(target.provider, *target.cache, target.service);
  }

  std::string name_, model_;
  std::unique_ptr<CachingProvider> cached_;
  LedgerProvider ledger_;
  std::optional<BreakerProvider> breaker_;
  std::optional<RateLimitedProvider> limited_;
  std::optional<RetryingProvider> retrying_;
  std::optional<CachedFirstProvider> cached_first_;
  BaseLLMProvider* top_ = nullptr;
};

class CallStack final : public BaseLLMProvider {
 public:
  CallStack(CallPorts ports, const std::vector<CallTarget>& chain, RetryOptions retries, const CallAccount& account)
      : record_(ports.states),
        lanes_(make_lanes(ports, chain, retries, account)),
        fallback_(links(), record_, std::move(ports.notice)),
        structured_(fallback_, account.follow_ups) {}
  [[nodiscard]] std::string_view name() const override { return structured_.name(); }
  task<Result<LLMResponse>> chat(LLMRequest request) override { return structured_.chat(std::move(request)); }

 private:
  using Lanes = std::vector<std::unique_ptr<Lane>>;

  static Lanes make_lanes(const CallPorts& ports, const std::vector<CallTarget>& chain, RetryOptions retries, const CallAccount& account) {
    Lanes lanes;
    for (const CallTarget& target : chain) {
      RetryOptions own = retries;
      if (&target != &chain.back()) own.max_retry_after = std::min(own.max_retry_after, kPauseBeforeFallback);
      lanes.push_back(std::make_unique<Lane>(ports, target, own, account));
    }
    return lanes;
  }
  [[nodiscard]] std::vector<FallbackProvider::Link> links() const {
    std::vector<FallbackProvider::Link> all;
    for (const auto& lane : lanes_) all.push_back(lane->link());
    return all;
  }

  AnswersOnRecord record_;
  Lanes lanes_;
  FallbackProvider fallback_;
  StructuredProvider structured_;
};

}  // namespace

std::unique_ptr<BaseLLMProvider> make_call_stack(CallPorts ports, std::vector<CallTarget> chain, RetryOptions retries,
                                                 CallAccount account) {
  return std::make_unique<CallStack>(std::move(ports), chain, retries, account);
}

std::unique_ptr<BaseLLMProvider> make_call_stack(LedgerProvider::Ports ports, Entropy& entropy, RetryOptions retries, CallAccount account) {
  CallTarget only{.name = std::string(ports.inner.name()),
                  .provider = ports.inner,
                  .notes = ports.notes,
                  .price = account.price,
                  .frames = account.frames};
  return make_call_stack(
      {.states = ports.states, .turns = ports.turns, .artifacts = ports.artifacts, .clock = ports.clock, .entropy = entropy},
      {std::move(only)}, retries, std::move(account));
}

}  // namespace conductorai::integrations
