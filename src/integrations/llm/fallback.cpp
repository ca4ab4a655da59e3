#include "integrations/llm/fallback.hpp"

#include <algorithm>

#include "integrations/llm/handing_on.hpp"
#include "integrations/llm/ledger.hpp"

namespace conductorai::integrations {

task<Result<void>> AnswersOnRecord::read(AttemptId attempt) {
  auto steps = co_await states_.load_steps(std::move(attempt));
  if (!steps) co_return fail(steps.error());
  digests_.emplace();
  for (const StepRecord& step : *steps)
    if (step.status == StepStatus::answered && !step.set_aside) digests_->insert_or_assign(step.id.ordinal, step.request_digest);
  co_return Result<void>{};
}

bool AnswersOnRecord::hold(const LLMRequest& request) const {
  const auto found = digests_->find(request.caller.ordinal);
  return found != digests_->end() && found->second == request_digest(request);
}

bool falls_back(const Error& error) {
  if (error.where == kUnrecordedAnswer || error.where == kLeftWaiting) return false;
  switch (error.code) {
    case ErrorCode::unavailable:
    case ErrorCode::rate_limited:
    case ErrorCode::timeout:
    case ErrorCode::permission_denied:
    case ErrorCode::invalid_answer: return true;
    default: return false;
  }
}

std::string fallback_ordinal(const std::string& ordinal, std::size_t model) {
  return model == 0 ? ordinal : ordinal + "f" + std::to_string(model);
}

namespace {

/// What each of them said, and the soonest that one of them may be asked again.
Error none_answered(const std::vector<std::pair<std::string, Error>>& failed) {
  Error error{.code = failed.back().second.code,
              .message = "none of " + std::to_string(failed.size()) + " models could answer",
              .hint = failed.back().second.hint};
  for (const auto& [name, why] : failed) {
    error.message += "; " + name + ": " + why.message;
    if (error.hint.empty()) error.hint = why.hint;
    const bool sooner = why.retry == Retry::backoff || (why.retry == Retry::after && error.retry != Retry::backoff &&
                                                        (error.retry == Retry::never || why.retry_after < error.retry_after));
    if (!sooner) continue;
    error.retry = why.retry;
    error.retry_after = why.retry_after;
  }
  return error;
}

}  // namespace

LLMRequest FallbackProvider::to_link(LLMRequest request, const std::string& ordinal, std::size_t link) const {
  request.caller.ordinal = fallback_ordinal(ordinal, link);
  if (link > 0) request.model = chain_[link].model;
  return request;
}

std::optional<std::size_t> FallbackProvider::link_on_record(const LLMRequest& request) const {
  if (record_.is_empty()) return std::nullopt;
  for (std::size_t i = 0; i < chain_.size(); ++i)
    if (record_.hold(to_link(request, request.caller.ordinal, i))) return i;
  return std::nullopt;
}

task<Result<LLMResponse>> FallbackProvider::chat(LLMRequest request) {
  auto kept = std::make_unique<LLMRequest>(std::move(request));
  return record_.is_read() ? way_to_answer(std::move(kept)) : after_reading(std::move(kept));
}

task<Result<LLMResponse>> FallbackProvider::after_reading(std::unique_ptr<LLMRequest> request) {
  auto reading = record_.read(request->caller.attempt);
  if (auto read = co_await std::move(reading); !read) co_return failed_answer(read.error());
  auto call = way_to_answer(std::move(request));
  auto answer = co_await std::move(call).boxed();
  co_return answer;
}

task<Result<LLMResponse>> FallbackProvider::way_to_answer(std::unique_ptr<LLMRequest> request) {
  if (const auto link = link_on_record(*request)) {
    const std::string ordinal = request->caller.ordinal;
    return chain_[*link].on_record.chat(to_link(std::move(*request), ordinal, *link));
  }
  return chain_.size() == 1 ? hand_on(chain_.front().way, std::move(request)) : in_turn(std::move(request));
}

task<Result<LLMResponse>> FallbackProvider::in_turn(std::unique_ptr<LLMRequest> request) {
  const std::string ordinal = request->caller.ordinal;
  std::vector<std::pair<std::string, Error>> failed;
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    auto call = chain_[i].way.chat(to_link(*request, ordinal, i));
    auto answer = co_await std::move(call).boxed();
    if (*answer) co_return answer;
    failed.emplace_back(chain_[i].name, std::move(answer->error()));
    const Error& why = failed.back().second;
    if (!falls_back(why)) break;
    if (notice_ && i + 1 < chain_.size())
      notice_(to_link(*request, ordinal, i).caller, chain_[i].name + " cannot answer (" + why.message + "): asking " + chain_[i + 1].name);
  }
  // A pause is decided by the code and the place, so the last word stands as it is.
  if (!falls_back(failed.back().second)) co_return fail(std::move(failed.back().second));
  co_return fail(none_answered(failed));
}

}  // namespace conductorai::integrations
