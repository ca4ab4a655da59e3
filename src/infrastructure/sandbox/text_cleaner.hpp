#pragma once
// What programs print, made safe to show: valid UTF-8, no escape sequences, no control characters but newline and tab.

#include <string>
#include <string_view>

namespace conductorai::infrastructure {

/// Streaming: pieces may cut a sequence or a character anywhere. A carriage return becomes a newline, "\r\n" one newline; bytes that are no
/// UTF-8 become U+FFFD; characters that reorder text (bidi controls) are dropped.
/// A control string without end (OSC, DCS, …) ends at the next newline or after 4 KiB, so that it cannot hide what follows.
class TextCleaner {
 public:
  [[nodiscard]] std::string feed(std::string_view piece);
  /// What an unfinished character at the end still owes.
  [[nodiscard]] std::string finish();

 private:
  enum class State { ground, escape, intermediate, csi, string, string_escape };
  void take(unsigned char byte, std::string& out);
  void take_ground(unsigned char byte, std::string& out);
  void take_utf8(unsigned char byte, std::string& out);
  void emit(std::string& out);
  void replace(std::string& out);

  State state_ = State::ground;
  bool after_return_ = false;
  std::string character_;   // bytes of an unfinished character
  std::size_t needed_ = 0;  // its length
  std::size_t string_length_ = 0;
};

std::string clean_text(std::string_view text);

}  // namespace conductorai::infrastructure
