#pragma once
// A workflow that begins with what another one's journal says up to a point.

#include <cstdint>
#include <vector>

#include "core/decide.hpp"

namespace conductorai::core {

/// The sequence number of the first result of the task's latest run: from there on a fork runs it again. `events` from sequence 1 on.
/// Errors: not_found (it has no result).
Result<std::uint64_t> first_result_of(const std::vector<Event>& events, const TaskId& task);

/// What a fork takes over: the events before `seq`, under the new workflow's id and without their costs, which stand where they were paid.
/// Who owned the other one, its pauses and what was added to its budget concern that one alone. Approvals that have a deadline
/// get `approvals_until`; a gate whose consequence is not among them is decided anew. Errors: invalid_argument (no such point).
Result<std::vector<Event>> events_before(const std::vector<Event>& events, std::uint64_t seq, const WorkflowId& fork,
                                         Timestamp approvals_until);

/// Where the branch stands after them; empty: where it began.
std::string head_after(const std::vector<Event>& kept);

}  // namespace conductorai::core
