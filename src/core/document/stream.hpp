#pragma once
// A file of several YAML documents, such as Kubernetes manifests: parted at its "---" lines, each one parsed by `parse`.

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/document/document.hpp"

namespace conductorai::core::document {

/// One document of a file, its marker line included.
struct Part {
  std::string_view text;
  std::size_t line = 0;  // lines of the file above it
};

/// A line that begins with "---" parts documents wherever it stands; one with nothing but comments is none.
std::vector<Part> split_documents(std::string_view content);

/// As `parse`; positions are those of the whole file.
Result<Node> parse_part(const Part& part, std::string_view file, const Limits& limits = {});

}  // namespace conductorai::core::document
