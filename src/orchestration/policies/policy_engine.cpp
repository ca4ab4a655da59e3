#include "orchestration/policies/policy_engine.hpp"

#include <iterator>

namespace conductorai::orchestration {

PolicyEngine::PolicyEngine(std::vector<std::unique_ptr<Policy>> rules) : rules_(std::move(rules)) {}

std::vector<PolicyEngine::Answer> PolicyEngine::check_each(const PolicyContext& context) const {
  std::vector<Answer> answers;
  answers.reserve(rules_.size());
  for (const auto& rule : rules_) answers.push_back({rule->name(), rule->check(context)});
  return answers;
}

PolicyDecision PolicyEngine::check(const PolicyContext& context) const {
  PolicyDecision strictest;
  for (const auto& rule : rules_) {
    PolicyDecision answer = rule->check(context);
    if (answer.verdict < strictest.verdict) continue;
    if (answer.verdict > strictest.verdict) strictest = {.verdict = answer.verdict, .reasons = {}};
    std::ranges::move(answer.reasons, std::back_inserter(strictest.reasons));
  }
  return strictest;
}

Result<void> PolicyEngine::enforce(const PolicyContext& context) const {
  PolicyDecision decision = check(context);
  if (decision.verdict == PolicyVerdict::allow) return {};
  std::string message;
  for (const auto& reason : decision.reasons) message += (message.empty() ? "" : "; ") + reason;
  const bool later = decision.verdict == PolicyVerdict::wait;
  Error error{.code = later ? ErrorCode::unavailable : ErrorCode::permission_denied,
              .message = std::move(message),
              .retry = later ? Retry::backoff : Retry::never};
  return fail(std::move(error));
}

}  // namespace conductorai::orchestration
