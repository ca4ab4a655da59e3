#include "evidence/xml.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace conductorai::evidence {
namespace {

constexpr std::size_t kDepthMax = 64;
constexpr std::size_t kAttributesMax = 64;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool ends_name(char c) {
  return is_space(c) || c == '=' || c == '/' || c == '>' || c == '<' || c == '"' || c == '\'';
}

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

/// The character of "#10" or "#x0A", or of one of XML's five names; false for anything else.
bool append_entity(std::string& out, std::string_view name) {
  static constexpr std::pair<std::string_view, char> kNamed[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [known, character] : kNamed) {
    if (name != known) continue;
    out += character;
    return true;
  }
  if (name.size() < 2 || name[0] != '#') return false;
  const bool hex = name[1] == 'x';
  const auto digits = name.substr(hex ? 2 : 1);
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
  if (error != std::errc{} || end != digits.data() + digits.size() || code > 0x10FFFF) return false;
  append_utf8(out, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
  return true;
}

}  // namespace

std::unexpected<Error> XmlReader::wrong(std::string what) const {
  const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, text_.size())), '\n');
  return fail(ErrorCode::invalid_argument, "not well-formed XML: " + std::move(what), "line " + std::to_string(line));
}

std::string_view XmlReader::attribute(std::string_view name) const {
  auto it = std::ranges::find(attributes_, name, [](const auto& pair) -> std::string_view { return pair.first; });
  return it == attributes_.end() ? std::string_view{} : std::string_view(it->second);
}

bool XmlReader::take(std::string_view prefix) {
  if (!text_.substr(at_).starts_with(prefix)) return false;
  at_ += prefix.size();
  return true;
}

void XmlReader::skip_space() {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
}

std::string_view XmlReader::read_name() {
  const auto start = at_;
  while (at_ < text_.size() && !ends_name(text_[at_])) ++at_;
  return text_.substr(start, at_ - start);
}

Result<void> XmlReader::skip_past(std::string_view terminator) {
  const auto end = text_.find(terminator, at_);
  if (end == std::string_view::npos) return wrong("it ends inside markup");
  at_ = end + terminator.size();
  return {};
}

Result<std::string> XmlReader::resolve(std::string_view raw) const {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '&') {
      out += raw[i];
      continue;
    }
    const auto end = raw.find(';', i);
    if (end == std::string_view::npos || end - i > 10 || !append_entity(out, raw.substr(i + 1, end - i - 1)))
      return wrong("unknown entity");
    i = end;
  }
  return out;
}

Result<XmlReader::Token> XmlReader::next() {
  if (close_pending_) {
    close_pending_ = false;
    open_.pop_back();
    return Token::close;
  }
  while (at_ < text_.size()) {
    if (text_[at_] == '<') {
      const auto before = at_;
      auto token = read_markup();
      if (!token || *token != Token::end) return token;
      if (at_ == before) return wrong("unreadable markup");
      continue;  // a comment, declaration or instruction
    }
    const auto end = std::min(text_.find('<', at_), text_.size());
    const auto raw = text_.substr(at_, end - at_);
    if (open_.empty()) {
      if (!std::ranges::all_of(raw, is_space) && raw != "\xEF\xBB\xBF") return wrong("text outside the root element");
      at_ = end;
      continue;
    }
    auto resolved = resolve(raw);
    if (!resolved) return fail(resolved.error());
    at_ = end;
    value_ = std::move(*resolved);
    return Token::text;
  }
  if (!open_.empty()) return wrong("it ends inside <" + open_.back() + ">");
  if (!root_seen_) return wrong("there is no element");
  return Token::end;
}

Result<XmlReader::Token> XmlReader::read_markup() {
  if (take("<!--")) {
    if (auto r = skip_past("-->"); !r) return fail(r.error());
    return Token::end;
  }
  if (take("<![CDATA[")) {
    const auto start = at_;
    if (auto r = skip_past("]]>"); !r) return fail(r.error());
    if (open_.empty()) return wrong("text outside the root element");
    value_ = std::string(text_.substr(start, at_ - 3 - start));
    return Token::text;
  }
  if (take("<?")) {
    if (auto r = skip_past("?>"); !r) return fail(r.error());
    return Token::end;
  }
  if (take("<!")) return wrong("document types are not read");
  if (take("</")) return read_close();
  ++at_;
  return read_open();
}

Result<XmlReader::Token> XmlReader::read_open() {
  name_ = std::string(read_name());
  if (name_.empty()) return wrong("an element without a name");
  if (open_.empty() && root_seen_) return wrong("a second root element");
  root_seen_ = true;
  if (open_.size() >= kDepthMax) return wrong("elements nested too deep");
  attributes_.clear();
  while (true) {
    skip_space();
    if (take("/>")) {
      close_pending_ = true;
      break;
    }
    if (take(">")) break;
    if (attributes_.size() >= kAttributesMax) return wrong("too many attributes");
    if (auto r = read_attribute(); !r) return fail(r.error());
  }
  open_.push_back(name_);
  return Token::open;
}

Result<void> XmlReader::read_attribute() {
  std::string name(read_name());
  if (name.empty()) return wrong("it ends inside <" + name_ + ">");
  skip_space();
  if (!take("=")) return wrong("attribute " + name + " has no value");
  skip_space();
  if (at_ >= text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) return wrong("attribute " + name + " is not quoted");
  const char quote = text_[at_++];
  const auto end = text_.find(quote, at_);
  if (end == std::string_view::npos) return wrong("it ends inside attribute " + name);
  auto value = resolve(text_.substr(at_, end - at_));
  if (!value) return fail(value.error());
  at_ = end + 1;
  attributes_.emplace_back(std::move(name), std::move(*value));
  return {};
}

Result<XmlReader::Token> XmlReader::read_close() {
  name_ = std::string(read_name());
  skip_space();
  if (!take(">")) return wrong("an end tag that does not end");
  if (open_.empty() || open_.back() != name_) return wrong("</" + name_ + "> closes nothing");
  open_.pop_back();
  return Token::close;
}

}  // namespace conductorai::evidence
