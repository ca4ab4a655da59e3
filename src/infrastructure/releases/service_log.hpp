#pragma once
// ServiceLog: what a release printed, in a bounded number of bounded files: "log" is the newest, "log.1" the one before.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "infrastructure/process/fd.hpp"

namespace conductorai::infrastructure::releases {

struct LogBounds {
  std::int64_t file_bytes = std::int64_t{4} << 20;
  int files = 4;
};

class ServiceLog {
 public:
  ServiceLog(std::filesystem::path file, LogBounds bounds);

  /// A disk that is full loses output, never the service.
  void add(std::string_view text);
  /// Bytes added, also those that were lost.
  [[nodiscard]] std::int64_t total() const { return total_; }
  /// The last lines, on one line, for a reason told to people.
  [[nodiscard]] std::string last_words() const;
  void forget_last_words() { tail_.clear(); }

 private:
  void open();
  void rotate();

  std::filesystem::path file_;
  LogBounds bounds_;
  UniqueFd fd_;
  std::int64_t size_ = 0;
  std::int64_t total_ = 0;
  std::string tail_;
};

/// The newest bytes over all files of a log, at most `bytes_max`, from the start of a line where there is one.
std::string read_log(const std::filesystem::path& file, std::int64_t bytes_max);

}  // namespace conductorai::infrastructure::releases
