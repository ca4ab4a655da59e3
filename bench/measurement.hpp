#pragma once
// One measurement is one line: what was done, how often, how fast, at what cost. Every kind of work is measured beside the bare limit it is
// compared with, in the same run, so that the ratio holds on any machine.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace conductorai::bench {

struct Settings {
  std::string state = "sqlite";
  int workflows = 0;  // 0: what the work takes by itself
  int in_flight = 64;
  int pairs = 1;        // interleaved repetitions of work and limit; ratios are their median
  std::string variant;  // of llm: http1, http2 or sse; empty: each, as a process of its own
  bool json = false;
};

struct Measurement {
  std::string work;     // chain, fanout, bus, …
  std::string variant;  // "sqlite", "memory", "bare …"
  std::int64_t n = 0;
  int in_flight = 1;
  double wall_s = 0;
  double p50_ms = 0, p99_ms = 0;  // of one unit, from its start to its end; 0 where units have none of their own
  double cpu_s = 0;
  std::int64_t peak_rss_bytes = 0;  // of the process so far
  std::int64_t bytes_written = 0;   // by the process, to files
  std::int64_t allocations = 0;     // of memory, by all threads
  std::int64_t errors = 0;
  [[nodiscard]] double per_s() const { return wall_s > 0 ? static_cast<double>(n) / wall_s : 0; }
};

void print(const Measurement& measurement, bool json);
/// A line that sets two measurements in relation: `value` is compared with `at_least` or `at_most` by whoever reads it.
void print_ratio(const std::string& what, double value, const std::string& wanted, bool json);
double median(std::vector<double> values);
/// How often the process has asked for memory so far.
std::int64_t allocations();

/// Clock, CPU and file counters between construction and `end`.
class Stopwatch {
 public:
  Stopwatch();
  /// Latencies in milliseconds, in any order; may be empty.
  void end(Measurement& measurement, std::vector<double> latencies = {}) const;
  [[nodiscard]] double seconds() const;

 private:
  std::chrono::steady_clock::time_point started_;
  double cpu_;
  std::int64_t written_, allocations_;
};

/// A folder of its own below the working directory's disk, removed at the end: /tmp may be memory.
class WorkFolder {
 public:
  WorkFolder();
  ~WorkFolder();
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::int64_t resident_bytes();

// One file each. They answer with how many errors there were.
int run_chain(const Settings& settings);
int run_fanout(const Settings& settings);
int run_bus(const Settings& settings);
int run_journal(const Settings& settings);
int run_stored(const Settings& settings);
int run_waiting(const Settings& settings);
int run_startup(const Settings& settings);
int run_recover(const Settings& settings);
int run_llm_cache(const Settings& settings);
int run_first_token(const Settings& settings);
int run_llm(const Settings& settings);

}  // namespace conductorai::bench
