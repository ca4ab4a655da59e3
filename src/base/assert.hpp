#pragma once
// Assertions mark what is impossible, and stay on in every build.

namespace conductorai {
[[noreturn]] void assertion_failed(const char* condition, const char* message, const char* file, int line) noexcept;
}

#define CONDUCTORAI_ASSERT(condition, message) \
  ((condition) ? void(0) : ::conductorai::assertion_failed(#condition, message, __FILE__, __LINE__))
