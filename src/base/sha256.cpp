// By OpenSSL's plain functions: EVP would bring up all of libcrypto in each process (3 MB of its pages) for the same instructions.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/sha256.hpp"

#include <openssl/sha.h>

namespace conductorai {

namespace {
SHA256_CTX* of(std::array<std::byte, 112>& context) {
  static_assert(sizeof(SHA256_CTX) <= sizeof context && alignof(SHA256_CTX) <= 8);
  return reinterpret_cast<SHA256_CTX*>(context.data());
}
}  // namespace

Sha256::Sha256() {
  SHA256_Init(of(context_));
}

void Sha256::update(std::string_view bytes) {
  SHA256_Update(of(context_), bytes.data(), bytes.size());
}

Sha256::Bytes Sha256::bytes() {
  Bytes digest;
  SHA256_Final(digest.data(), of(context_));
  return digest;
}

std::string Sha256::hex() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const Bytes digest = bytes();
  std::string out(2 * digest.size(), '0');
  for (std::size_t i = 0; i < digest.size(); ++i) {
    out[2 * i] = kDigits[digest[i] >> 4U];
    out[2 * i + 1] = kDigits[digest[i] & 15U];
  }
  return out;
}

}  // namespace conductorai
