#include "integrations/llm/fallback.hpp"

#include <algorithm>

#include "integrations/llm/ledger.hpp"

namespace conductorai::integrations {

task<Result<bool>> AnswersOnRecord::hold(LLMRequest request) {
  if (!digests_) {
    auto steps = co_await states_.load_steps(request.caller.attempt);
    if (!steps) co_return fail(steps.error());
    digests_.emplace();
    for (const StepRecord& step : *steps)
      if (step.status == StepStatus::answered && !step.set_aside) digests_->insert_or_assign(step.id.ordinal, step.request_digest);
  }
  const auto found = digests_->find(request.caller.ordinal);
  co_return found != digests_->end() && found->second == request_digest(request);
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

task<Result<std::optional<std::size_t>>> FallbackProvider::link_on_record(LLMRequest request) {
  const std::string ordinal = request.caller.ordinal;
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    auto held = co_await record_.hold(to_link(request, ordinal, i));
    if (!held) co_return fail(held.error());
    if (*held) co_return std::optional(i);
  }
  co_return std::optional<std::size_t>();
}

task<Result<LLMResponse>> FallbackProvider::chat(LLMRequest request) {
  auto look = link_on_record(request);
  auto held = co_await std::move(look);
  if (!held) co_return fail(held.error());
  auto call = way_to_answer(request, *held);
  auto answer = co_await std::move(call);
  co_return answer;
}

task<Result<LLMResponse>> FallbackProvider::way_to_answer(LLMRequest& request, std::optional<std::size_t> on_record) {
  const std::string ordinal = request.caller.ordinal;
  if (on_record) return chain_[*on_record].on_record.chat(to_link(std::move(request), ordinal, *on_record));
  return chain_.size() == 1 ? chain_.front().way.chat(std::move(request)) : in_turn(std::move(request));
}

task<Result<LLMResponse>> FallbackProvider::in_turn(LLMRequest request) {
  const std::string ordinal = request.caller.ordinal;
  std::vector<std::pair<std::string, Error>> failed;
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    LLMRequest asked = to_link(request, ordinal, i);
    auto call = chain_[i].way.chat(asked);
    auto answer = co_await std::move(call);
    if (answer) co_return answer;
    failed.emplace_back(chain_[i].name, answer.error());
    if (!falls_back(answer.error())) break;
    if (notice_ && i + 1 < chain_.size())
      notice_(asked.caller, chain_[i].name + " cannot answer (" + answer.error().message + "): asking " + chain_[i + 1].name);
  }
  // A pause is decided by the code and the place, so the last word stands as it is.
  if (!falls_back(failed.back().second)) co_return fail(std::move(failed.back().second));
  co_return fail(none_answered(failed));
}

}  // namespace conductorai::integrations
