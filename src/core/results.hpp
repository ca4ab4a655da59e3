#pragma once
// How the result of an attempt becomes an event. Private to core.

#include <expected>

#include "core/decision.hpp"

namespace conductorai::core {

std::expected<void, Rejection> record_result(Decision& decision, const RecordResult& command);

}  // namespace conductorai::core
