#pragma once
// The processes of one run, looked at from outside.

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "infrastructure/process/fd.hpp"

namespace conductorai::infrastructure {

struct TreeSample {
  int processes = 0;
  std::int64_t memory_bytes = 0;    // resident, pages shared among them counted once where it matters
  std::int64_t scratch_bytes = 0;   // in /tmp and /dev/shm
  std::int64_t unlinked_bytes = 0;  // in files that are deleted but still open (only when asked for)
};

class ProcessTree {
 public:
  virtual ~ProcessTree() = default;
  /// `memory_limit`: past it the exact figure is worked out. `unlinked`: look through all open files.
  virtual TreeSample look(std::int64_t memory_limit, bool unlinked) = 0;
};

/// All processes of the PID namespace whose first process is `init`, through that namespace's own /proc.
class NamespaceTree final : public ProcessTree {
 public:
  explicit NamespaceTree(pid_t init) : init_(init) {}
  TreeSample look(std::int64_t memory_limit, bool unlinked) override;

 private:
  bool enter();
  pid_t init_;
  UniqueFd proc_;
  std::vector<UniqueFd> scratch_;
};

/// `root`'s descendants, found by their parents.
class DescendantTree final : public ProcessTree {
 public:
  explicit DescendantTree(pid_t root) : root_(root) {}
  TreeSample look(std::int64_t memory_limit, bool unlinked) override;

 private:
  pid_t root_;
};

/// Children, their children, and so on; without `root` itself.
std::vector<pid_t> descendants(pid_t root);

}  // namespace conductorai::infrastructure
