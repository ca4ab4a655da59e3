#include "infrastructure/process/spawn.hpp"

#include <fcntl.h>
#include <spawn.h>

#include <csignal>

namespace conductorai::infrastructure {

std::vector<std::string> variables_of(const std::map<std::string, std::string>& environment) {
  std::vector<std::string> variables;
  variables.reserve(environment.size());
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  return variables;
}

std::vector<char*> c_strings(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

int spawn_process(SpawnSpec spec, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  const int count = static_cast<int>(spec.descriptors.size());
  for (int target = 0; target < count; ++target) {
    const int from = spec.descriptors[static_cast<std::size_t>(target)];
    if (from >= 0)
      ::posix_spawn_file_actions_adddup2(&actions, from, target);
    else
      ::posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0);
  }
  ::posix_spawn_file_actions_addclosefrom_np(&actions, count);
  if (!spec.working_directory.empty()) ::posix_spawn_file_actions_addchdir_np(&actions, spec.working_directory.c_str());
  auto argv = c_strings(spec.argv);
  auto envp = c_strings(spec.environment);
  const int error = ::posix_spawn(&pid, spec.program.c_str(), &actions, &attributes, argv.data(), envp.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace conductorai::infrastructure
