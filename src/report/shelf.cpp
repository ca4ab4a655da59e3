#include "report/shelf.hpp"

#include <algorithm>

#include "base/human.hpp"
#include "report/sections.hpp"

namespace conductorai::report {

namespace {

constexpr std::string_view kPrefix = "sha256:";

bool is_text(std::string_view bytes) {
  return bytes.substr(0, 8192).find('\0') == std::string_view::npos;
}

/// Beginning and end, cut at line breaks, with how much is missing between them.
struct Excerpt {
  std::string_view head, tail;
  std::size_t left_out = 0;
};

Excerpt excerpt(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return {.head = text, .tail = {}};
  Excerpt out{.head = text.substr(0, limit / 2), .tail = text.substr(text.size() - limit / 2)};
  if (const auto end = out.head.rfind('\n'); end != std::string_view::npos) out.head = out.head.substr(0, end + 1);
  if (const auto start = out.tail.find('\n'); start != std::string_view::npos) out.tail.remove_prefix(start + 1);
  out.left_out = text.size() - out.head.size() - out.tail.size();
  return out;
}

Html lines(const ArtifactRef& artifact, std::string_view text) {
  if (artifact.type == "diff") return diff_lines(text);
  return html("{}", text);
}

Html how_to_get(const ArtifactRef& artifact, std::string_view why) {
  return html("<p class=\"note\">{}. <code>conductorai artifacts get {} -o {}</code></p>", why, short_digest(artifact.digest),
              artifact.name.empty() ? "FILE" : one_line(artifact.name, 80));
}

}  // namespace

std::string short_digest(const Digest& digest) {
  const std::string& text = digest.str();
  return text.starts_with(kPrefix) ? text.substr(kPrefix.size(), 12) : text.substr(0, 12);
}

Shelf::Shelf(const Material& material) : material_(material), bytes_left_(material.limits.page_bytes) {}

std::optional<std::string> Shelf::text(const ArtifactRef& artifact) const {
  if (!material_.fetch || artifact.digest.empty() || artifact.size > material_.limits.fetch_bytes) return std::nullopt;
  auto bytes = material_.fetch(artifact.digest);
  if (!bytes) return std::nullopt;
  return std::move(*bytes);
}

Html Shelf::link(const Digest& digest) const {
  if (digest.empty()) return {};
  const auto at = anchors_.find(digest);
  if (at == anchors_.end()) return html("<code class=\"dim\">{}</code>", short_digest(digest));
  return html("<a class=\"mono\" href=\"#f{}\">{}</a>", at->second, short_digest(digest));
}

Html Shelf::body(const ArtifactRef& artifact, bool& shown) {
  if (artifact.size > material_.limits.fetch_bytes) return how_to_get(artifact, "Too large to be shown here");
  if (bytes_left_ == 0) return how_to_get(artifact, "Not shown: this page holds as much text as it may");
  const auto bytes = text(artifact);
  if (!bytes) return how_to_get(artifact, "It could not be read");
  if (!is_text(*bytes)) return how_to_get(artifact, "Binary");
  if (bytes->empty()) return html("<p class=\"note\">Empty.</p>");
  shown = true;
  const Excerpt part = excerpt(*bytes, std::min(material_.limits.artifact_bytes, bytes_left_));
  bytes_left_ -= std::min(bytes_left_, part.head.size() + part.tail.size());
  Html out = html("<pre class=\"{}\" tabindex=\"0\">{}</pre>", artifact.type == "diff" ? "diff" : "text", lines(artifact, part.head));
  if (part.left_out == 0) return out;
  out += how_to_get(artifact, size_text(static_cast<std::int64_t>(part.left_out)) + " left out");
  if (!part.tail.empty())
    out += html("<pre class=\"{}\" tabindex=\"0\">{}</pre>", artifact.type == "diff" ? "diff" : "text", lines(artifact, part.tail));
  return out;
}

Html Shelf::file(const ArtifactRef& artifact, bool open) {
  const Html label =
      html("<span class=\"name\">{}</span><span class=\"kind\">{}</span><span class=\"meta\">{} · {}</span>", one_line(artifact.name, 120),
           one_line(artifact.type, 40), size_text(artifact.size), short_digest(artifact.digest));
  if (const auto at = anchors_.find(artifact.digest); at != anchors_.end())
    return html("<p class=\"file again\">{} <a href=\"#f{}\">shown above</a></p>", label, at->second);
  const std::size_t number = anchors_.size() + 1;
  anchors_[artifact.digest] = number;
  bool shown = false;
  const Html inside = body(artifact, shown);
  return html("<details class=\"file\" id=\"f{}\"{}><summary>{}</summary>{}</details>", number, open && shown ? html(" open") : html(""),
              label, inside);
}

}  // namespace conductorai::report
