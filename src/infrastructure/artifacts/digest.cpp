#include "infrastructure/artifacts/digest.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/assert.hpp"

namespace conductorai::infrastructure {

namespace {
constexpr std::string_view kPrefix = "sha256:";
}

struct Sha256::Context {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  CONDUCTORAI_ASSERT(context_->context != nullptr && EVP_DigestInit_ex(context_->context, EVP_sha256(), nullptr) == 1,
                     "SHA-256 is part of every OpenSSL");
}
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  EVP_DigestUpdate(context_->context, bytes.data(), bytes.size());
}

Digest Sha256::finish() {
  std::array<unsigned char, 32> hash{};
  EVP_DigestFinal_ex(context_->context, hash.data(), nullptr);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text(kPrefix);
  for (unsigned char byte : hash) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return Digest(std::move(text));
}

Digest digest_of(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

bool well_formed(const Digest& digest) {
  const std::string_view text = digest.value;
  return text.size() == kPrefix.size() + 64 && text.starts_with(kPrefix) &&
         std::ranges::all_of(text.substr(kPrefix.size()), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace conductorai::infrastructure
