#pragma once
// SHA-256 of bytes that come in pieces.

#include <memory>
#include <string_view>

#include "conductorai/ids.hpp"

namespace conductorai::infrastructure {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(std::string_view bytes);
  /// Once.
  Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

Digest digest_of(std::string_view bytes);
/// "sha256:" and 64 lower-case hex digits: only such a name ever becomes a path.
bool well_formed(const Digest& digest);

}  // namespace conductorai::infrastructure
