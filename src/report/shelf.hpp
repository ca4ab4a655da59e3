#pragma once
// Shelf: artifacts as a page shows them: each once, bounded, what is too large or no text by name and digest.

#include <map>
#include <optional>
#include <string>

#include "report/html.hpp"
#include "report/material.hpp"

namespace conductorai::report {

class Shelf {
 public:
  explicit Shelf(const Material& material);
  /// The artifact in a fold; where it already stands on the page, a link to it.
  Html file(const ArtifactRef& artifact, bool open = false);
  /// A link to where it stands; its short digest where it does not.
  [[nodiscard]] Html link(const Digest& digest) const;
  /// Whole text within the limits of a fetch; none where it cannot be had.
  [[nodiscard]] std::optional<std::string> text(const ArtifactRef& artifact) const;

 private:
  Html body(const ArtifactRef& artifact, bool& shown);
  const Material& material_;
  std::map<Digest, std::size_t> anchors_;
  std::size_t bytes_left_;
};

/// "6f1e2d3c4b5a", enough for `conductorai artifacts cat`.
std::string short_digest(const Digest& digest);

}  // namespace conductorai::report
