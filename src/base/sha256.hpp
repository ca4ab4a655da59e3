#pragma once
// SHA-256 of bytes that come in pieces.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace conductorai {

class Sha256 {
 public:
  using Bytes = std::array<unsigned char, 32>;

  Sha256();
  void update(std::string_view bytes);
  /// Once.
  Bytes bytes();
  /// The same as 64 lower-case hex digits.
  std::string hex();

 private:
  alignas(8) std::array<std::byte, 112> context_;  // OpenSSL's
};

}  // namespace conductorai
