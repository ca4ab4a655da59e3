#pragma once
// One output stream of a command: head and tail in memory, the raw whole in a file up to a cap, the rest counted.

#include <filesystem>
#include <string>
#include <string_view>

#include "conductorai/sandbox.hpp"
#include "infrastructure/process/fd.hpp"

namespace conductorai::infrastructure {

inline constexpr std::size_t kHeadBytes = std::size_t{32} << 10;
inline constexpr std::size_t kTailBytes = std::size_t{32} << 10;

class Capture {
 public:
  /// `file` is made at the first byte (mode 0600), so a silent command leaves none; with 0 bytes allowed it is never made.
  Capture(std::filesystem::path file, std::int64_t file_bytes_max) : file_(std::move(file)), max_(file_bytes_max) {}

  void add(std::string_view piece);
  [[nodiscard]] std::int64_t total() const { return total_; }
  /// Cleaned head and tail. Once.
  [[nodiscard]] CapturedOutput take();
  /// Removes the file: the run gives no result.
  void discard();

 private:
  void spill(std::string_view piece);

  std::filesystem::path file_;
  std::int64_t max_;
  std::int64_t total_ = 0;
  std::int64_t spilled_ = 0;
  bool broken_ = false;  // the file could not be written further
  UniqueFd fd_;
  std::string head_;
  std::string tail_;  // up to twice kTailBytes, trimmed now and then
};

}  // namespace conductorai::infrastructure
