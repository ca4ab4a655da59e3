// Counts what is asked of the heap: unlike times, the same on every machine and under any load.

#include <atomic>
#include <cstdlib>
#include <new>

#include "bench/measurement.hpp"

namespace {
std::atomic<std::int64_t> allocated{0};

void* counted(std::size_t bytes) {
  allocated.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t bytes) {
  return counted(bytes);
}
void* operator new[](std::size_t bytes) {
  return counted(bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace conductorai::bench {

std::int64_t allocations() {
  return allocated.load(std::memory_order_relaxed);
}

}  // namespace conductorai::bench
