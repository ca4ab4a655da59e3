#pragma once
#include <cstdint>
#include <ctime>
#include <filesystem>

namespace conductorai::infrastructure {

struct DiskUsage {
  std::int64_t bytes = 0;  // allocated, with a small charge for each entry
  bool complete = true;    // false: a folder could not be read, or lies too deep
};

/// What the files of a tree hold that were written or otherwise touched since `since` (by ctime, which a program cannot set); follows no
/// symlink, leaves no file system, stops counting past `enough`. May take long on a large tree: run it on a Worker.
DiskUsage disk_usage(const std::filesystem::path& root, timespec since, std::int64_t enough);

/// The clock that files are stamped with.
timespec file_clock();

/// Bytes taken on the file system that holds `path`; -1 when that cannot be told.
std::int64_t file_system_used(const std::filesystem::path& path);

}  // namespace conductorai::infrastructure
