#include "infrastructure/sandbox/text_cleaner.hpp"

#include <cstdint>
#include <utility>

namespace conductorai::infrastructure {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::size_t kStringMax = 4096;
constexpr unsigned char kEscape = 0x1B;
constexpr unsigned char kBell = 0x07;

std::size_t length_of(unsigned char lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

std::uint32_t decode(std::string_view bytes) {
  std::uint32_t point = static_cast<unsigned char>(bytes[0]) & (0xFFU >> (bytes.size() + 1));
  for (const char byte : bytes.substr(1)) point = (point << 6U) | (static_cast<unsigned char>(byte) & 0x3FU);
  return point;
}

bool is_valid(std::uint32_t point, std::size_t length) {
  if (length == 3 && (point < 0x800 || (point >= 0xD800 && point <= 0xDFFF))) return false;
  return length != 4 || (point >= 0x10000 && point <= 0x10FFFF);
}

bool is_hidden(std::uint32_t point) {
  const bool c1 = point >= 0x80 && point <= 0x9F;
  const bool bidi = (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
  return c1 || bidi;
}

}  // namespace

std::string TextCleaner::feed(std::string_view piece) {
  std::string out;
  out.reserve(piece.size());
  for (const char byte : piece) take(static_cast<unsigned char>(byte), out);
  return out;
}

std::string TextCleaner::finish() {
  std::string out;
  if (!character_.empty()) replace(out);
  state_ = State::ground;
  return out;
}

void TextCleaner::take(unsigned char byte, std::string& out) {
  switch (state_) {
    case State::ground: return take_ground(byte, out);
    case State::escape:
      string_length_ = 0;
      if (byte == '[')
        state_ = State::csi;
      else if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
        state_ = State::string;
      else if (byte >= 0x20 && byte <= 0x2F)
        state_ = State::intermediate;
      else if (byte != kEscape)
        state_ = State::ground;
      break;
    case State::intermediate:
      if (byte < 0x20 || byte > 0x2F) state_ = State::ground;
      break;
    case State::csi:
      if (byte == kEscape)
        state_ = State::escape;
      else if (byte < 0x20 || byte > 0x3F)
        state_ = State::ground;
      break;
    case State::string:
      if (byte == kEscape)
        state_ = State::string_escape;
      else if (byte == kBell || ++string_length_ > kStringMax)
        state_ = State::ground;
      break;
    case State::string_escape: state_ = byte == '\\' ? State::ground : State::string; break;
  }
  // A newline is never part of a sequence: whatever was begun ends, and the line is kept.
  if (byte == '\n') {
    state_ = State::ground;
    out += '\n';
  }
}

void TextCleaner::take_ground(unsigned char byte, std::string& out) {
  if (!character_.empty()) return take_utf8(byte, out);
  const bool after_return = std::exchange(after_return_, byte == '\r');
  if (byte == kEscape)
    state_ = State::escape;
  else if (byte == '\r')
    out += '\n';
  else if (byte == '\n')
    out += after_return ? "" : "\n";
  else if (byte == '\t' || (byte >= 0x20 && byte < 0x7F))
    out += static_cast<char>(byte);
  else if (byte >= 0x80) {
    needed_ = length_of(byte);
    character_ = static_cast<char>(byte);
    if (needed_ == 0) replace(out);
  }
}

void TextCleaner::take_utf8(unsigned char byte, std::string& out) {
  if ((byte & 0xC0U) != 0x80) {
    replace(out);
    return take_ground(byte, out);
  }
  character_ += static_cast<char>(byte);
  if (character_.size() == needed_) emit(out);
}

void TextCleaner::emit(std::string& out) {
  const std::uint32_t point = decode(character_);
  if (!is_valid(point, needed_)) return replace(out);
  if (!is_hidden(point)) out += character_;
  character_.clear();
}

void TextCleaner::replace(std::string& out) {
  out += kReplacement;
  character_.clear();
}

std::string clean_text(std::string_view text) {
  TextCleaner cleaner;
  std::string out = cleaner.feed(text);
  out += cleaner.finish();
  return out;
}

}  // namespace conductorai::infrastructure
