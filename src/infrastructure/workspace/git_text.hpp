#pragma once
// What git prints, and paths as git writes them.

#include <ranges>
#include <string>
#include <string_view>
#include <vector>

namespace conductorai::infrastructure {

/// The parts of a listing made with -z; git writes no empty ones.
inline std::vector<std::string> nul_separated(std::string_view text) {
  std::vector<std::string> out;
  for (auto part : std::views::split(text, '\0'))
    if (!part.empty()) out.emplace_back(part.begin(), part.end());
  return out;
}

/// Without the line ends at its end.
inline std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

inline std::string joined(const std::vector<std::string>& path) {
  std::string out;
  for (const auto& part : path) out += (out.empty() ? "" : "/") + part;
  return out;
}

}  // namespace conductorai::infrastructure
