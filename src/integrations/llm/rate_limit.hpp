#pragma once
// RateLimiter: requests and tokens a minute to one service, by configuration and by what the service says of itself, shared
// fairly by tasks.

#include <list>
#include <memory>
#include <optional>

#include "conductorai/clock.hpp"
#include "conductorai/llm_provider.hpp"
#include "integrations/llm/rate_headers.hpp"

namespace conductorai::integrations {

struct Pace {
  std::int64_t requests_per_minute = 0;  // 0: none of ours
  std::int64_t tokens_per_minute = 0;
  Milliseconds longest_pause{120'000};  // a service that wants more is not waited for: the caller gets an error with that time
};

/// Shared by all calls of a process to one service. A minute's worth may go at once, then it flows evenly. A call larger than a minute's
/// tokens goes alone, with a full minute saved up.
class RateLimiter {
 public:
  RateLimiter(Clock& clock, Pace pace);
  ~RateLimiter();
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  /// Waits for its turn. Lanes have turns one after the other, however many wait in each; within a lane it is first come, first served.
  /// Errors: cancelled (its place is given up), rate_limited (the service wants a pause longer than `longest_pause` and `longest`).
  task<Result<void>> take(std::int64_t tokens, std::string lane = {}, Milliseconds longest = Milliseconds::max());
  /// True where no limit is known that a call could meet: it goes at once, and has nothing to settle.
  [[nodiscard]] bool take_unlimited();
  /// `taken` was an estimate: what was not used goes back.
  void settle(std::int64_t taken, std::int64_t used);
  void heed(int status, const WireHeaders& headers);

 private:
  using Nanoseconds = std::chrono::nanoseconds;
  struct Bucket {
    double capacity = 0;  // 0: no limit
    double level = 0;
    Instant filled_at{};
    void fill(Instant now);
    [[nodiscard]] Nanoseconds wait(double amount) const;
  };
  struct Told {
    std::int64_t left = 0, limit = 0;
    Instant until{};
  };
  struct Waiter;
  struct Lane {
    std::string name;
    std::list<Waiter*> waiters;  // never empty
  };

  [[nodiscard]] Nanoseconds told_wait(std::optional<Told>& told, std::int64_t amount) const;
  Nanoseconds wait_for(std::int64_t tokens);
  void spend(std::int64_t tokens);
  void pump();

  Clock& clock_;
  Pace pace_;
  Bucket requests_, tokens_;
  std::optional<Told> told_requests_, told_tokens_;
  Instant paused_until_{};
  std::list<Lane> lanes_;  // the first has its turn
  std::unique_ptr<Timer> timer_;
};

/// Whose turn a call takes: all items of a foreach together have one.
[[nodiscard]] std::string lane_of(const LLMCaller& caller);

/// A token for four bytes of the request, and the largest output: what services count while a request is under way.
[[nodiscard]] std::int64_t estimated_tokens(const LLMRequest& request);

class RateLimitedProvider final : public BaseLLMProvider {
 public:
  /// `longest`: what a pause of the service may take for who asks here.
  RateLimitedProvider(BaseLLMProvider& inner, RateLimiter& limiter, Milliseconds longest = Milliseconds::max())
      : inner_(inner), limiter_(limiter), longest_(longest) {}
  [[nodiscard]] std::string_view name() const override { return inner_.name(); }
  task<Result<LLMResponse>> chat(LLMRequest request) override;

 private:
  task<Result<LLMResponse>> in_turn(std::unique_ptr<LLMRequest> request);
  void settle(std::int64_t taken, const Result<LLMResponse>& answer);

  BaseLLMProvider& inner_;
  RateLimiter& limiter_;
  Milliseconds longest_;
};

}  // namespace conductorai::integrations
