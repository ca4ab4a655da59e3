#pragma once
// Text that a service or a model wrote, made safe to show and to store.

#include <string>
#include <string_view>

namespace conductorai {

/// Valid UTF-8 on one line without control characters, escape sequences or direction overrides; cut after `bytes_max` with "…".
std::string printable_line(std::string_view text, std::size_t bytes_max);
/// The same with its line breaks and tabs kept.
std::string printable_text(std::string_view text, std::size_t bytes_max);

}  // namespace conductorai
