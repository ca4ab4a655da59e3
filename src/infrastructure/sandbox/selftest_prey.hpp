#pragma once
// What the selftest puts up outside for the probes to catch, and what tells whether one was caught.

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "conductorai/result.hpp"
#include "infrastructure/process/fd.hpp"
#include "infrastructure/sandbox/launch.hpp"

namespace conductorai::infrastructure {

/// A file with a secret that any user may read, a secret in our environment, listeners on loopback and on unix sockets, and a process of
/// the sandbox's own user. Taken down by the destructor.
class Prey {
 public:
  static Result<std::unique_ptr<Prey>> put_up(std::optional<RunAs> user);
  ~Prey();
  Prey(const Prey&) = delete;
  Prey& operator=(const Prey&) = delete;

  /// For the probe's environment.
  [[nodiscard]] std::map<std::string, std::string> variables() const;
  /// Empty, or what was touched; asking clears it for connections.
  [[nodiscard]] std::string touched() const;
  [[nodiscard]] const std::string& secret() const { return secret_; }

 private:
  Prey() = default;
  Result<void> write_secret();
  Result<void> listen();

  std::filesystem::path folder_;
  std::string secret_;
  UniqueFd loopback_, unix_, abstract_;
  int port_ = 0;
  pid_t process_ = -1;
  UniqueFd process_fd_;
};

/// Processes whose command line holds `marker`.
int processes_with(const std::string& marker);

}  // namespace conductorai::infrastructure
