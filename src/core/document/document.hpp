#pragma once
// Text to nodes. YAML is a documented subset (docs/formats/workflow.md) that refuses whatever YAML 1.2 refuses, and what invites mistakes:
// duplicate keys, several documents, tags other than the core ones, keys that are not text. JSON is RFC 8259, without duplicate keys.

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "conductorai/result.hpp"
#include "core/document/node.hpp"

namespace conductorai::core::document {

enum class Format { yaml, json };

struct Limits {
  std::size_t bytes = std::size_t{4} << 20;
  int depth = 64;
  std::size_t nodes = 100'000;                    // aliases counted as often as they are used
  std::size_t text_bytes = std::size_t{8} << 20;  // of all scalars, likewise
};

/// json for names that end in ".json", else yaml (of which JSON text is a part).
Format format_of(std::string_view file_name);

/// Never crashes, and takes time in proportion to the text. Errors: invalid_argument, `where` is "FILE:line:column".
Result<Node> parse(std::string_view text, std::string_view file, Format format, const Limits& limits = {});

struct Loaded {
  std::string file;  // as messages call it
  std::string text;
  Node root;
};
/// Reads and parses; messages call the file `shown_as` (the path where left out). Errors: not_found, permission_denied, invalid_argument
/// (too large, a folder, not parsable).
Result<Loaded> load(const std::filesystem::path& path, std::string shown_as = {}, const Limits& limits = {});
/// The file's bytes, whole or not at all. Errors: as `load`.
Result<std::string> read_file(const std::filesystem::path& path, std::string_view shown_as, std::size_t bytes_max);
/// Where the text stops being valid UTF-8, as a byte offset; npos when it is.
std::size_t find_invalid_utf8(std::string_view text);
/// One scalar as YAML reads it ("8" is an integer, "a b" text), or a flow collection; for NAME=VALUE flags.
Result<Node> parse_inline(std::string_view text, std::string_view shown_as);

}  // namespace conductorai::core::document
