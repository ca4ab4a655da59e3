#pragma once
// Text in lower case, as names of headers, hosts and keywords are compared: letters of ASCII, whatever the locale.

#include <algorithm>
#include <string>
#include <string_view>

namespace conductorai {

[[nodiscard]] inline char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] inline std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return lower(c); });
  return out;
}

}  // namespace conductorai
