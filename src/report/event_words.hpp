#pragma once
// What an event says, in words.

#include <string>

#include "conductorai/conductorai.hpp"

namespace conductorai::report {

/// "test  failed: 2 of 7 tests fail (round 1, attempt 1)": not cleaned, that is the business of who shows it.
std::string event_words(const EventRecord& record);

}  // namespace conductorai::report
