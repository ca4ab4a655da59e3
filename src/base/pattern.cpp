#include "base/pattern.hpp"

#include <boost/regex.hpp>

namespace conductorai {

struct Pattern::Compiled {
  std::string text;
  boost::regex expression;
};

Result<Pattern> Pattern::compile(const std::string& pattern, bool ignore_case) {
  try {
    const auto flags = ignore_case ? boost::regex::perl | boost::regex::icase : boost::regex::perl;
    return Pattern(std::make_shared<const Compiled>(Compiled{pattern, boost::regex(pattern, flags)}));
  } catch (const std::exception& wrong) {
    return fail(ErrorCode::invalid_argument, std::string("not a regular expression: ") + wrong.what());
  }
}

Result<bool> Pattern::found_in(std::string_view text) const {
  try {
    return boost::regex_search(text.begin(), text.end(), compiled_->expression);
  } catch (const std::exception& thrown) {
    return fail(ErrorCode::invalid_argument, "the pattern '" + compiled_->text + "' cannot be searched for: " + thrown.what());
  }
}

Result<void> check_pattern(const std::string& pattern) {
  auto compiled = Pattern::compile(pattern, false);
  if (!compiled) return fail(compiled.error());
  return {};
}

Result<bool> pattern_found(const std::string& pattern, std::string_view text) {
  auto compiled = Pattern::compile(pattern, false);
  if (!compiled)
    return fail(ErrorCode::invalid_argument, "the pattern '" + pattern + "' cannot be searched for: " + compiled.error().message);
  return compiled->found_in(text);
}

}  // namespace conductorai
