#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace conductorai {

void assertion_failed(const char* condition, const char* message, const char* file, int line) noexcept {
  std::fprintf(stderr, "conductorai: assertion failed: %s: %s (%s:%d)\n", condition, message, file, line);
  std::abort();
}

}  // namespace conductorai
