#pragma once
#include <string_view>

namespace conductorai::report {

/// The style sheet. Colours are named after what they say; the dark ones are chosen anew, not inverted. Contrast of text is 4.5 at least.
extern const std::string_view kStyle;

}  // namespace conductorai::report
