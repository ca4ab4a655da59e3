#pragma once

#include <limits>

namespace conductorai {

/// Raises how many descriptors this process may have open to `most`, or as far as the hard limit allows; it never lowers it. What it is
/// now.
int raise_descriptor_limit(int most = std::numeric_limits<int>::max());

}  // namespace conductorai
