#pragma once
// Starts a process of our own making: a session of its own (no terminal), default signals and an empty mask, and no descriptor but those
// named.

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "conductorai/result.hpp"

namespace conductorai::infrastructure {

struct SpawnSpec {
  std::string program;  // absolute
  std::vector<std::string> argv;
  std::vector<std::string> environment;     // NAME=value
  std::filesystem::path working_directory;  // empty: ours
  std::vector<int> descriptors;             // [n] becomes descriptor n; -1: /dev/null
};

/// By posix_spawn. Answers with 0, or what errno says.
int spawn_process(SpawnSpec spec, pid_t& pid);

/// "NAME=value" for each.
std::vector<std::string> variables_of(const std::map<std::string, std::string>& environment);

/// The array of C strings that `texts` owns, with the null at its end. Valid as long as `texts` is unchanged.
std::vector<char*> c_strings(std::vector<std::string>& texts);

}  // namespace conductorai::infrastructure
