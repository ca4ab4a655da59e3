#include "core/feedback.hpp"

namespace conductorai::core {
namespace {

template <class T>
void add_new(std::vector<T>& to, const std::vector<T>& from) {
  for (const T& item : from) add_once(to, item);
}

}  // namespace

FeedbackPayload feedback_of(const TaskResult& result) {
  FeedbackPayload payload = result.feedback.value_or(FeedbackPayload{});
  payload.from = result.id.task;
  if (payload.summary.empty()) payload.summary = result.summary;
  if (!result.feedback)
    for (const Evidence& evidence : result.evidence)
      if (!evidence.summary.empty())
        payload.findings.push_back({.severity = Severity::error, .message = evidence.summary, .source = evidence.kind});
  if (payload.evidence.empty())
    for (const Evidence& evidence : result.evidence)
      if (!evidence.artifact.empty()) payload.evidence.push_back(evidence.artifact);
  return payload;
}

FeedbackPayload merge_feedback(const std::vector<FeedbackPayload>& payloads) {
  FeedbackPayload merged = payloads.front();
  for (const FeedbackPayload& payload : payloads) {
    if (&payload == &payloads.front()) continue;
    merged.severity = std::max(merged.severity, payload.severity);
    if (!payload.summary.empty()) merged.summary += (merged.summary.empty() ? "" : "; ") + payload.summary;
    merged.findings.insert(merged.findings.end(), payload.findings.begin(), payload.findings.end());
    add_new(merged.recommendations, payload.recommendations);
    add_new(merged.affected_tasks, payload.affected_tasks);
    add_new(merged.evidence, payload.evidence);
  }
  return merged;
}

}  // namespace conductorai::core
