#pragma once
// Tar archives whose bytes depend on nothing but what is put in: POSIX ustar, with pax headers where a name is too long for it.

#include <string>
#include <string_view>

namespace conductorai::agents {

struct TarEntry {
  std::string path;         // relative, "/"-separated
  bool executable = false;  // mode 0755, else 0644
  std::string link_target;  // of a symlink; empty: a regular file
};

/// Entries stand in the order of `add`. Owner is 0:0 without a name, times are 0, folders are implied by the paths.
class TarWriter {
 public:
  void add(const TarEntry& entry, std::string_view content);
  /// The whole archive; the writer is empty afterwards.
  std::string finish();

 private:
  std::string bytes_;
};

}  // namespace conductorai::agents
