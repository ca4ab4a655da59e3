#pragma once
// Amounts as people read them.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace conductorai {

/// "350 ms", "4.2 s", "3 min 10 s"
std::string duration_text(std::int64_t ms);
/// "512 B", "3.4 KiB"
std::string size_text(std::int64_t bytes);
/// "1 file", "2 files"
std::string count_text(std::size_t count, std::string_view one);

}  // namespace conductorai
