#pragma once
// FeedbackPayloads: made where an agent gave none, and many made one. Private to core.

#include <algorithm>

#include "conductorai/models.hpp"

namespace conductorai::core {

/// Appends what is not there yet.
template <class T>
void add_once(std::vector<T>& to, const T& item) {
  if (std::ranges::find(to, item) == to.end()) to.push_back(item);
}

/// The agent's own, or one made from evidence and summary; `from` is always the task.
[[nodiscard]] FeedbackPayload feedback_of(const TaskResult& result);
/// One from many: the worst severity, everything they say, in their order. REQUIRES: not empty.
[[nodiscard]] FeedbackPayload merge_feedback(const std::vector<FeedbackPayload>& payloads);

}  // namespace conductorai::core
