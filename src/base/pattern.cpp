#include "base/pattern.hpp"

#include <boost/regex.hpp>

namespace conductorai {

Result<void> check_pattern(const std::string& pattern) {
  try {
    const boost::regex compiled(pattern);
    return {};
  } catch (const std::exception& wrong) {
    return fail(ErrorCode::invalid_argument, std::string("not a regular expression: ") + wrong.what());
  }
}

Result<bool> pattern_found(const std::string& pattern, std::string_view text) {
  try {
    return boost::regex_search(text.begin(), text.end(), boost::regex(pattern));
  } catch (const std::exception& thrown) {
    return fail(ErrorCode::invalid_argument, "the pattern '" + pattern + "' cannot be searched for: " + thrown.what());
  }
}

}  // namespace conductorai
