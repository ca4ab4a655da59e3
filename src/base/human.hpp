#pragma once
// Amounts as people read them.

#include <cstdint>
#include <string>

namespace conductorai {

/// "350 ms", "4.2 s", "3 min 10 s"
std::string duration_text(std::int64_t ms);
/// "512 B", "3.4 KiB"
std::string size_text(std::int64_t bytes);

}  // namespace conductorai
