#pragma once
// Other processes for the tests of SqliteStateManager: this test binary again, with a role.

#include <signal.h>

#include <filesystem>
#include <string>
#include <vector>

#include "conductorai/state_manager.hpp"

namespace conductorai::infrastructure::test {

using Environment = std::vector<std::pair<std::string, std::string>>;

/// A child that plays `role` on `state_dir`; killed and reaped with this object.
class Child {
 public:
  Child(const std::string& role, const std::filesystem::path& state_dir, const Environment& environment = {});
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  void signal(int number) const { ::kill(pid_, number); }
  /// Its wait status.
  int wait();
  [[nodiscard]] int pid() const { return pid_; }

 private:
  int pid_ = -1;
  int status_ = 0;
};

AppendRequest row(const std::string& workflow, std::uint64_t first_seq, std::uint64_t epoch = 1, std::size_t body_bytes = 100);
StepBegin step(const std::string& workflow, int ordinal, std::uint64_t epoch = 1);
StepFinish finish(const StepBegin& step, int try_number = 1);

}  // namespace conductorai::infrastructure::test
