#pragma once
// ContainerEngine: podman or docker by their command lines; what the container driver asks of them.

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "infrastructure/process/process.hpp"

namespace conductorai::infrastructure::releases {

/// What an engine says about a container.
struct ContainerState {
  pid_t process = 0;  // its first, as this machine numbers it
  bool running = false;
  bool begun = false;  // it was started at all
  int exit_code = 0;
  bool out_of_memory = false;
};

class ContainerEngine {
 public:
  /// Asks what is there: podman, else docker, or the one that is `wanted`. Errors: unavailable (none answers, and why).
  static task<Result<ContainerEngine>> find(runtime::Loop& loop, std::map<std::string, std::string> environment, std::string wanted);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& program() const { return program_; }  // absolute
  [[nodiscard]] const std::map<std::string, std::string>& environment() const { return environment_; }

  /// `arguments` follow the program's name.
  [[nodiscard]] ProcessSpec command(std::vector<std::string> arguments, Milliseconds timeout) const;
  /// What it printed, without the last line break. Errors: unavailable (with the last line it said), cancelled.
  task<Result<std::string>> ask(std::vector<std::string> arguments) const;

  task<Result<ContainerState>> state_of(std::string container) const;
  /// At once, running or not; that it is not there is as good.
  task<void> remove(std::string container) const;

 private:
  ContainerEngine(runtime::Loop& loop, std::string name, std::string program, std::map<std::string, std::string> environment)
      : loop_(&loop), name_(std::move(name)), program_(std::move(program)), environment_(std::move(environment)) {}

  runtime::Loop* loop_;
  std::string name_;
  std::string program_;
  std::map<std::string, std::string> environment_;
};

}  // namespace conductorai::infrastructure::releases
