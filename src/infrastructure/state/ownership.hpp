#pragma once
// What every adapter checks before an append, and who we are.

#include <optional>
#include <string>

#include "conductorai/state_manager.hpp"

namespace conductorai::infrastructure {

/// Where a stored workflow stands.
struct Position {
  std::uint64_t epoch = 0;
  std::uint64_t last_seq = 0;
};

/// `stored`: none for a workflow that is not known. Errors: conflict, fenced, already_exists, invalid_argument.
Result<void> check_append(const JournalRow& row, const std::optional<Position>& stored);

/// Only what has ended and was released may be removed. Errors: conflict.
Result<void> check_removal(const WorkflowSummary& stored);

/// "pid@host"
std::string this_process();

}  // namespace conductorai::infrastructure
