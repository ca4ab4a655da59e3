#pragma once
// Events in words, for people.

#include <string>

#include "conductorai/conductorai.hpp"

namespace conductorai::cli {

/// "task.completed  test  failed: 2 of 7 tests fail (round 1)": one line, clean.
std::string event_text(const EventRecord& record);
/// The same with its local time before it.
std::string event_text_with_time(const EventRecord& record);

}  // namespace conductorai::cli
