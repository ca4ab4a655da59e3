#pragma once
// A pull parser for the XML that test runners write: elements, attributes, text, CDATA. No document types, no entities but the five of
// XML and character references, so nothing is fetched and nothing expands.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conductorai/result.hpp"

namespace conductorai::evidence {

class XmlReader {
 public:
  enum class Token { open, close, text, end };

  explicit XmlReader(std::string_view text) : text_(text) {}

  /// The next token. Errors: invalid_argument with "line N" in `where`, also for depth over 64 and an element left open at the end.
  Result<Token> next();

  /// Of `open` and `close`.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Of `open`; empty when it is not there.
  [[nodiscard]] std::string_view attribute(std::string_view name) const;
  /// Of `text`, entities resolved.
  [[nodiscard]] const std::string& text() const { return value_; }
  /// Elements open, the one just opened included.
  [[nodiscard]] std::size_t depth() const { return open_.size(); }

 private:
  [[nodiscard]] std::unexpected<Error> wrong(std::string what) const;
  Result<Token> read_markup();
  Result<Token> read_open();
  Result<Token> read_close();
  Result<void> read_attribute();
  Result<void> skip_past(std::string_view terminator);
  Result<std::string> resolve(std::string_view raw) const;
  std::string_view read_name();
  void skip_space();
  bool take(std::string_view prefix);

  std::string_view text_;
  std::size_t at_ = 0;
  std::string name_;
  std::string value_;
  std::vector<std::pair<std::string, std::string>> attributes_;
  std::vector<std::string> open_;
  bool close_pending_ = false;  // <a/> gives open, then close
  bool root_seen_ = false;
};

}  // namespace conductorai::evidence
