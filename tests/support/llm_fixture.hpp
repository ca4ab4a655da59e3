#pragma once
// What tests of the LLM decorators share: an LLM of canned answers, requests, entropy.

#include <deque>
#include <map>

#include "conductorai/artifact_store.hpp"
#include "conductorai/llm_provider.hpp"
#include "infrastructure/artifacts/memory_artifact_store.hpp"
#include "infrastructure/state/memory_state_manager.hpp"
#include "runtime/scope.hpp"
#include "runtime/sim_loop.hpp"

namespace conductorai::testing {

inline LLMRequest request_of(std::string agent, std::string text, std::string ordinal = "1", int round = 1, int attempt = 1) {
  LLMRequest request;
  request.caller = {
      .attempt = {WorkflowId("wf-1"), TaskId("code"), round, attempt}, .agent_type = std::move(agent), .ordinal = std::move(ordinal)};
  request.messages.push_back({.role = Role::user, .text = std::move(text), .tool_calls = {}, .tool_call_id = {}});
  return request;
}

class CountingEntropy final : public Entropy {
 public:
  std::uint64_t next() override { return ++value_ * 0x9E3779B97F4A7C15ULL; }

 private:
  std::uint64_t value_ = 0;
};

/// The simulation's time with a wall clock that somebody sets.
class JumpingClock final : public Clock {
 public:
  explicit JumpingClock(Clock& clock) : clock_(clock) {}
  Milliseconds ahead{0};
  [[nodiscard]] Timestamp now() const override { return clock_.now() + ahead; }
  [[nodiscard]] Instant steady_now() const override { return clock_.steady_now(); }
  [[nodiscard]] std::unique_ptr<Timer> call_after(std::chrono::nanoseconds delay, std::function<void()> function) override {
    return clock_.call_after(delay, std::move(function));
  }

 private:
  Clock& clock_;
};

class CannedLLM final : public BaseLLMProvider {
 public:
  std::deque<Result<LLMResponse>> answers;
  std::vector<LLMRequest> asked;
  [[nodiscard]] std::string_view name() const override { return "canned"; }
  task<Result<LLMResponse>> chat(LLMRequest request) override {
    asked.push_back(std::move(request));
    if (answers.empty()) co_return fail(ErrorCode::unavailable, "nothing canned is left");
    auto answer = std::move(answers.front());
    answers.pop_front();
    co_return answer;
  }
};

inline LLMResponse text_answer(std::string text) {
  LLMResponse response;
  response.text = std::move(text);
  response.usage = {.calls = 1, .input_tokens = 10, .output_tokens = 5};
  return response;
}

inline Error transient(ErrorCode code) {
  return {.code = code, .message = "for now", .retry = Retry::backoff};
}

}  // namespace conductorai::testing
