#include "core/document/stream.hpp"

#include <algorithm>
#include <string>

namespace conductorai::core::document {
namespace {

bool is_marker(std::string_view line) {
  return line.starts_with("---") && (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
}

bool says_something(std::string_view line) {
  const auto first = line.find_first_not_of(" \t\r\n\v\f");
  return first != std::string_view::npos && line[first] != '#';
}

}  // namespace

std::vector<Part> split_documents(std::string_view content) {
  std::vector<Part> parts;
  std::size_t begin = 0, line = 0, begin_line = 0;
  bool filled = false;
  const auto close = [&](std::size_t end) {
    if (filled) parts.push_back({.text = content.substr(begin, end - begin), .line = begin_line});
    filled = false;
  };
  for (std::size_t at = 0; at < content.size(); ++line) {
    const auto end = std::min(content.find('\n', at), content.size());
    const auto text = content.substr(at, end - at);
    const bool marker = is_marker(text);
    if (marker) {
      close(at);
      begin = at;
      begin_line = line;
    }
    filled = filled || says_something(marker ? text.substr(3) : text);
    at = end + 1;
  }
  close(content.size());
  return parts;
}

Result<Node> parse_part(const Part& part, std::string_view file, const Limits& limits) {
  // The lines above keep their places as empty ones, so that positions and errors are the file's.
  return parse(std::string(part.line, '\n') + std::string(part.text), file, Format::yaml, limits);
}

}  // namespace conductorai::core::document
