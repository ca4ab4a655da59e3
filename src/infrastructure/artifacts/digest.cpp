#include "infrastructure/artifacts/digest.hpp"

#include <algorithm>
#include <string>

namespace conductorai::infrastructure {

namespace {
constexpr std::string_view kPrefix = "sha256:";
}

Digest digest_of(Sha256& hash) {
  return Digest(std::string(kPrefix) + hash.hex());
}

Digest digest_of(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return digest_of(hash);
}

bool well_formed(const Digest& digest) {
  const std::string_view text = digest.value;
  return text.size() == kPrefix.size() + 64 && text.starts_with(kPrefix) &&
         std::ranges::all_of(text.substr(kPrefix.size()), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace conductorai::infrastructure
