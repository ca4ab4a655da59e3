#include "infrastructure/state/ownership.hpp"

#include <unistd.h>

namespace conductorai::infrastructure {

Result<void> check_append(const JournalRow& row, const std::optional<Position>& stored) {
  if (row.workflow.empty() || row.count == 0 || row.first_seq == 0)
    return fail(ErrorCode::invalid_argument, "a journal row names its workflow, its first sequence and at least one event",
                row.workflow.value);
  const Position at = stored.value_or(Position{1, 0});
  if (row.epoch < at.epoch)
    return fail(ErrorCode::fenced, "another owner has taken over this workflow (epoch " + std::to_string(at.epoch) + ")",
                row.workflow.value);
  if (row.epoch > at.epoch)
    return fail(ErrorCode::conflict, "epoch " + std::to_string(row.epoch) + " was never given, it is " + std::to_string(at.epoch),
                row.workflow.value);
  if (row.first_seq == 1 && at.last_seq > 0) return fail(ErrorCode::already_exists, "this workflow has begun already", row.workflow.value);
  if (row.first_seq != at.last_seq + 1)
    return fail(ErrorCode::conflict, "expected sequence " + std::to_string(at.last_seq + 1) + ", not " + std::to_string(row.first_seq),
                row.workflow.value);
  return {};
}

Result<void> check_removal(const WorkflowSummary& stored) {
  if (!has_ended(stored.status))
    return fail(ErrorCode::conflict, "the workflow has not ended: it is " + std::string(to_string(stored.status)), stored.id.value);
  if (!stored.owner.empty()) return fail(ErrorCode::conflict, "the workflow's owner has not released it: " + stored.owner, stored.id.value);
  return {};
}

std::string this_process() {
  char host[256] = "localhost";
  if (::gethostname(host, sizeof host - 1) != 0 || host[0] == '\0') return std::to_string(::getpid()) + "@localhost";
  return std::to_string(::getpid()) + "@" + host;
}

}  // namespace conductorai::infrastructure
