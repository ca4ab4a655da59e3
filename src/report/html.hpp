#pragma once
// Markup that cannot be injected into: only string literals are markup, everything else is text and leaves escaped.

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace conductorai::report {

/// Text as it may stand between tags and in quoted attributes. Escape sequences and control characters are gone, bytes that are no UTF-8
/// show as U+FFFD, direction overrides as their number: a reader sees that they were there, and nothing is read in another order.
std::string escaped(std::string_view text);

/// One line for headings and summaries: line breaks as spaces, at most `limit` bytes, cut between code points.
std::string one_line(std::string_view text, std::size_t limit = 300);

/// A piece of page.
class Html {
 public:
  Html() = default;
  Html& operator+=(const Html& other) {
    text_ += other.text_;
    return *this;
  }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  [[nodiscard]] std::size_t size() const { return text_.size(); }
  [[nodiscard]] const std::string& str() const { return text_; }

 private:
  friend Html filled(std::string_view form, std::initializer_list<std::string> values);
  std::string text_;
};

/// A form with `{}` for each value; it can only come from the source of this program.
struct Markup {
  template <std::size_t N>
  consteval Markup(const char (&literal)[N]) : form(literal, N - 1) {}  // NOLINT(google-explicit-constructor): a literal is markup
  std::string_view form;
};

Html filled(std::string_view form, std::initializer_list<std::string> values);

/// How a value stands in a page.
inline std::string placed(const Html& html) {
  return html.str();
}
inline std::string placed(std::string_view text) {
  return escaped(text);
}
std::string placed(double number);  // two decimals at most, for coordinates
template <std::integral T>
std::string placed(T number) {
  return std::to_string(number);
}

/// `html("<li class=\"{}\">{}</li>", name, text)`: values are escaped unless they are Html.
template <class... Values>
Html html(Markup markup, const Values&... values) {
  return filled(markup.form, {placed(values)...});
}

}  // namespace conductorai::report
