#pragma once
// Names of immutable bytes.

#include <string_view>

#include "base/sha256.hpp"
#include "conductorai/ids.hpp"

namespace conductorai::infrastructure {

/// Of all it was given; `hash` is used up.
Digest digest_of(Sha256& hash);
Digest digest_of(std::string_view bytes);
/// "sha256:" and 64 lower-case hex digits: only such a name ever becomes a path.
bool well_formed(const Digest& digest);

}  // namespace conductorai::infrastructure
