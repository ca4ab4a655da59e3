#include "bench/measurement.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace conductorai::bench {
namespace {

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::int64_t written_bytes() {
  std::ifstream in("/proc/self/io");
  std::string name;
  std::int64_t value = 0;
  while (in >> name >> value)
    if (name == "wchar:") return value;
  return 0;
}

std::int64_t status_kib(const char* wanted) {
  std::ifstream in("/proc/self/status");
  std::string word;
  while (in >> word)
    if (std::int64_t kib = 0; word == wanted && in >> kib) return kib * 1024;
  return 0;
}

double percentile(const std::vector<double>& sorted, double part) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<std::size_t>(part * static_cast<double>(sorted.size()));
  return sorted[std::min(rank, sorted.size() - 1)];
}

}  // namespace

Stopwatch::Stopwatch()
    : started_(std::chrono::steady_clock::now()), cpu_(cpu_seconds()), written_(written_bytes()), allocations_(allocations()) {}

double Stopwatch::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

void Stopwatch::end(Measurement& measurement, std::vector<double> latencies) const {
  measurement.wall_s = seconds();
  measurement.cpu_s = cpu_seconds() - cpu_;
  measurement.bytes_written = written_bytes() - written_;
  measurement.allocations = allocations() - allocations_;
  measurement.peak_rss_bytes = status_kib("VmHWM:");
  std::ranges::sort(latencies);
  measurement.p50_ms = percentile(latencies, 0.50);
  measurement.p99_ms = percentile(latencies, 0.99);
}

std::int64_t resident_bytes() {
  return status_kib("VmRSS:");
}

void print(const Measurement& m, bool json) {
  const char* const format = json
                                 ? "{\"work\":\"%s\",\"variant\":\"%s\",\"n\":%lld,\"in_flight\":%d,\"wall_s\":%.4f,\"per_s\":%.1f,\"p50_"
                                   "ms\":%.3f,\"p99_ms\":%.3f,"
                                   "\"cpu_s\":%.3f,\"peak_rss_mb\":%.1f,\"bytes_written\":%lld,\"allocations_each\":%.1f,\"errors\":%lld}\n"
                                 : "%-9s %-22s n %-8lld in flight %-6d wall %8.3f s  %10.1f/s  p50 %8.3f ms  p99 %8.3f ms  cpu %7.3f s  "
                                   "rss %.1f MB  written %lld  "
                                   "allocations %.1f each  errors %lld\n";
  const double allocations_each = static_cast<double>(m.allocations) / static_cast<double>(std::max<std::int64_t>(m.n, 1));
  std::printf(format, m.work.c_str(), m.variant.c_str(), static_cast<long long>(m.n), m.in_flight, m.wall_s, m.per_s(), m.p50_ms, m.p99_ms,
              m.cpu_s, static_cast<double>(m.peak_rss_bytes) / 1e6, static_cast<long long>(m.bytes_written), allocations_each,
              static_cast<long long>(m.errors));
  std::fflush(stdout);
}

void print_ratio(const std::string& what, double value, const std::string& wanted, bool json) {
  const char* const format = json ? "{\"ratio\":\"%s\",\"value\":%.3f,\"wanted\":\"%s\"}\n" : "          %s: %.3f (wanted: %s)\n";
  std::printf(format, what.c_str(), value, wanted.c_str());
  std::fflush(stdout);
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[values.size() / 2];
}

WorkFolder::WorkFolder() {
  std::string name = std::filesystem::absolute("conductorai-bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    std::perror(("conductorai-bench: cannot make a folder " + name).c_str());
    std::exit(4);
  }
  path_ = name;
}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace conductorai::bench
