#include "integrations/llm/rate_limit.hpp"

#include <algorithm>

#include "base/human.hpp"
#include "integrations/llm/handing_on.hpp"
#include "integrations/llm/ledger.hpp"
#include "runtime/suspension.hpp"

namespace conductorai::integrations {

namespace {
constexpr double kMinuteNs = 60e9;
}

struct RateLimiter::Waiter final : runtime::Suspension {
  Waiter(RateLimiter& limiter, std::int64_t wanted, std::string in) : owner(limiter), tokens(wanted), lane(std::move(in)) {
    auto mine = std::ranges::find(owner.lanes_, lane, &Lane::name);
    if (mine == owner.lanes_.end()) mine = owner.lanes_.insert(owner.lanes_.end(), Lane{lane, {}});
    mine->waiters.push_back(this);
  }
  ~Waiter() override { leave(); }
  void on_cancelled() override {
    leave();
    owner.pump();  // the next one may need less
  }
  void leave() {
    const auto mine = std::ranges::find(owner.lanes_, lane, &Lane::name);
    if (mine == owner.lanes_.end()) return;
    mine->waiters.remove(this);
    if (mine->waiters.empty()) owner.lanes_.erase(mine);
  }
  RateLimiter& owner;
  std::int64_t tokens;
  std::string lane;
};

void RateLimiter::Bucket::fill(Instant now) {
  level = std::min(capacity, level + static_cast<double>((now - filled_at).count()) * capacity / kMinuteNs);
  filled_at = now;
}

std::chrono::nanoseconds RateLimiter::Bucket::wait(double amount) const {
  const double missing = std::min(amount, capacity) - level;
  // Rounding must not leave the last drop missing for ever.
  if (capacity <= 0 || missing <= 1e-6) return Nanoseconds(0);
  return Nanoseconds(static_cast<std::int64_t>(missing * kMinuteNs / capacity) + 1);
}

RateLimiter::RateLimiter(Clock& clock, Pace pace) : clock_(clock), pace_(pace) {
  const auto bucket = [&](std::int64_t a_minute) {
    return Bucket{.capacity = static_cast<double>(a_minute), .level = static_cast<double>(a_minute), .filled_at = clock.steady_now()};
  };
  requests_ = bucket(pace.requests_per_minute);
  tokens_ = bucket(pace.tokens_per_minute);
}
RateLimiter::~RateLimiter() = default;

std::chrono::nanoseconds RateLimiter::told_wait(std::optional<Told>& told, std::int64_t amount) const {
  if (!told) return Nanoseconds(0);
  const auto left = told->until - clock_.steady_now();
  if (left.count() <= 0) {
    told.reset();
    return Nanoseconds(0);
  }
  const auto wanted = told->limit > 0 ? std::min(amount, told->limit) : amount;
  return wanted > told->left ? left : Nanoseconds(0);
}

std::chrono::nanoseconds RateLimiter::wait_for(std::int64_t tokens) {
  const Instant now = clock_.steady_now();
  requests_.fill(now);
  tokens_.fill(now);
  return std::max({paused_until_ - now, told_wait(told_requests_, 1), told_wait(told_tokens_, tokens), requests_.wait(1),
                   tokens_.wait(static_cast<double>(tokens))});
}

void RateLimiter::spend(std::int64_t tokens) {
  requests_.level -= 1;
  tokens_.level -= static_cast<double>(tokens);  // below nothing for a call larger than a minute
  if (told_requests_) told_requests_->left -= 1;
  if (told_tokens_) told_tokens_->left -= tokens;
}

void RateLimiter::pump() {
  timer_.reset();
  while (!lanes_.empty()) {
    Waiter* next = lanes_.front().waiters.front();
    if (const auto wait = wait_for(next->tokens); wait.count() > 0) {
      timer_ = clock_.call_after(wait, [this] { pump(); });
      return;
    }
    lanes_.splice(lanes_.end(), lanes_, lanes_.begin());
    next->leave();
    spend(next->tokens);
    next->complete();
  }
}

task<Result<void>> RateLimiter::take(std::int64_t tokens, std::string lane, Milliseconds longest) {
  const auto pause = std::chrono::ceil<Milliseconds>(paused_until_ - clock_.steady_now());
  if (pause > std::min(longest, pace_.longest_pause))
    co_return fail(Error{.code = ErrorCode::rate_limited,
                         .message = "the provider asked for a pause of another " + duration_text(pause.count()),
                         .retry = Retry::after,
                         .retry_after = pause});
  if (lanes_.empty() && wait_for(tokens).count() <= 0) {
    spend(tokens);
    co_return Result<void>{};
  }
  const bool first = lanes_.empty();
  Waiter waiter(*this, tokens, std::move(lane));
  if (first) pump();
  auto turn = co_await waiter;
  co_return turn;
}

void RateLimiter::settle(std::int64_t taken, std::int64_t used) {
  if (tokens_.capacity <= 0 || taken == used) return;
  tokens_.fill(clock_.steady_now());
  tokens_.level = std::min(tokens_.capacity, tokens_.level + static_cast<double>(taken - used));
  pump();
}

void RateLimiter::heed(int status, const WireHeaders& headers) {
  const ToldLimits told = told_limits(status, headers, clock_.now());
  const Instant now = clock_.steady_now();
  const auto until = [now](const ToldLimit& limit) { return Told{limit.left, limit.limit, now + limit.resets_in}; };
  if (told.requests && told.requests->resets_in <= pace_.longest_pause) told_requests_ = until(*told.requests);
  if (told.tokens && told.tokens->resets_in <= pace_.longest_pause) told_tokens_ = until(*told.tokens);
  if (told.pause) paused_until_ = std::max(paused_until_, now + *told.pause);
  pump();
}

std::int64_t estimated_tokens(const LLMRequest& request) {
  return size_of(request).bytes / 4 + request.output_tokens_max;
}

std::string lane_of(const LLMCaller& caller) {
  const std::string& task = caller.attempt.task.value;
  return caller.attempt.workflow.value + "/" + task.substr(0, task.find('['));
}

bool RateLimiter::take_unlimited() {
  if (requests_.capacity > 0 || tokens_.capacity > 0 || told_requests_ || told_tokens_ || !lanes_.empty()) return false;
  return paused_until_ <= clock_.steady_now();
}

task<Result<LLMResponse>> RateLimitedProvider::chat(LLMRequest request) {
  if (limiter_.take_unlimited()) return inner_.chat(std::move(request));
  return in_turn(std::make_unique<LLMRequest>(std::move(request)));
}

task<Result<LLMResponse>> RateLimitedProvider::in_turn(std::unique_ptr<LLMRequest> request) {
  const std::int64_t tokens = estimated_tokens(*request);
  auto wait = limiter_.take(tokens, lane_of(request->caller), longest_);
  if (auto turn = co_await std::move(wait); !turn) co_return failed_answer(turn.error());
  auto call = hand_on(inner_, std::move(request));
  auto answer = co_await std::move(call).boxed();
  settle(tokens, *answer);
  co_return answer;
}

void RateLimitedProvider::settle(std::int64_t taken, const Result<LLMResponse>& answer) {
  if (answer)
    limiter_.settle(taken, answer->usage.input_tokens + answer->usage.output_tokens);
  else if (settled_status(answer.error()) == StepStatus::failed)  // refused: the service counts none of it
    limiter_.settle(taken, 0);
}

}  // namespace conductorai::integrations
