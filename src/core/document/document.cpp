#include "core/document/document.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "core/document/resolve.hpp"
#include "core/document/words.hpp"
#include "core/document/yaml_parser.hpp"

namespace conductorai::core::document {

namespace {

std::unexpected<Error> invalid(std::string_view file, Position at, std::string message, std::string hint = {}) {
  return fail(ErrorCode::invalid_argument, std::move(message), fmt::format("{}:{}:{}", file, at.line, at.column), std::move(hint));
}

/// The position of a fault that keeps a text from becoming a Source: in bytes, which is all there is.
Position raw_position(std::string_view text, std::size_t offset) {
  Position at;
  for (const char c : text.substr(0, offset)) {
    at.column = c == '\n' ? 1 : at.column + 1;
    at.line += c == '\n' ? 1 : 0;
  }
  return at;
}

}  // namespace

Format format_of(std::string_view file_name) {
  return file_name.ends_with(".json") ? Format::json : Format::yaml;
}

Result<Node> parse(std::string_view text, std::string_view file, Format format, const Limits& limits) {
  if (text.size() > limits.bytes)
    return invalid(file, {},
                   fmt::format("the text has {} bytes, more than {}", text.size(), format_size(static_cast<std::int64_t>(limits.bytes))));
  std::optional<Source> source;
  try {
    source.emplace(text);
    return format == Format::json ? parse_json_document(*source, limits) : YamlParser(*source, limits).parse_stream();
  } catch (const SyntaxError& error) {
    return invalid(file, source ? source->position(error.offset) : raw_position(text, error.offset), error.message, error.hint);
  }
}

Result<std::string> read_file(const std::filesystem::path& path, std::string_view shown_as, std::size_t bytes_max) {
  std::error_code status_error;
  const auto status = std::filesystem::status(path, status_error);
  const std::string shown(shown_as);
  if (!std::filesystem::exists(status)) {
    const bool denied = status_error == std::errc::permission_denied;
    return fail(denied ? ErrorCode::permission_denied : ErrorCode::not_found, denied ? "cannot be reached" : "no such file", shown);
  }
  if (std::filesystem::is_directory(status)) return fail(ErrorCode::invalid_argument, "this is a folder, not a file", shown);
  std::ifstream stream(path, std::ios::binary);
  if (!stream)
    return fail(errno == EACCES ? ErrorCode::permission_denied : ErrorCode::unavailable,
                fmt::format("cannot be opened: {}", std::strerror(errno)), shown);
  std::string text;
  char block[65'536];
  while (stream.read(block, sizeof block) || stream.gcount() > 0) {
    text.append(block, static_cast<std::size_t>(stream.gcount()));
    if (text.size() > bytes_max)
      return fail(ErrorCode::invalid_argument, fmt::format("larger than {}", format_size(static_cast<std::int64_t>(bytes_max))), shown);
  }
  if (stream.bad()) return fail(ErrorCode::unavailable, "cannot be read", shown);
  return text;
}

Result<Loaded> load(const std::filesystem::path& path, std::string shown_as, const Limits& limits) {
  if (shown_as.empty()) shown_as = path.string();
  auto text = read_file(path, shown_as, limits.bytes);
  if (!text) return fail(text.error());
  auto root = parse(*text, shown_as, format_of(path.string()), limits);
  if (!root) return fail(root.error());
  return Loaded{std::move(shown_as), std::move(*text), std::move(*root)};
}

Result<Node> parse_inline(std::string_view text, std::string_view shown_as) {
  const auto first = text.find_first_not_of(' ');
  const bool structured = first != std::string_view::npos && std::string_view("[{\"'").find(text[first]) != std::string_view::npos;
  if (structured) return parse(text, shown_as, Format::yaml);
  if (find_invalid_utf8(text) != std::string_view::npos) return invalid(shown_as, {}, "not valid UTF-8");
  Node node;
  node.text = text;
  resolve_plain(node);
  return node;
}

}  // namespace conductorai::core::document
