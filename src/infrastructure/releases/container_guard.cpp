#include "infrastructure/releases/container_guard.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace conductorai::infrastructure::releases {

namespace {

constexpr int kTries = 5;  // an engine under load may refuse for a moment
constexpr unsigned kPauseSeconds = 1;

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

int spawn_guard(const std::string& helper, std::vector<std::string> arguments, std::vector<std::string> variables, int word, pid_t& pid) {
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
  ::posix_spawn_file_actions_adddup2(&actions, word, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  ::posix_spawn_file_actions_addchdir_np(&actions, "/");
  auto argv = pointers(arguments);
  auto envp = pointers(variables);
  const int error = ::posix_spawn(&pid, helper.c_str(), &actions, &attributes, argv.data(), envp.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

bool done(std::vector<std::string> command) {
  pid_t pid = -1;
  auto argv = pointers(command);
  if (::posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environ) != 0) return false;
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

Result<std::unique_ptr<ContainerGuard>> ContainerGuard::start(const std::filesystem::path& helper, const std::string& engine,
                                                              const std::string& container,
                                                              const std::map<std::string, std::string>& environment) {
  auto pipe = make_pipe();
  if (!pipe) return fail(pipe.error());
  std::vector<std::string> variables;
  variables.reserve(environment.size());
  for (const auto& [name, value] : environment) variables.push_back(fmt::format("{}={}", name, value));
  pid_t pid = -1;
  const int error =
      spawn_guard(helper.string(), {"conductorai", "__release-guard", engine, container, "0"}, std::move(variables), pipe->read.get(), pid);
  if (error != 0) return fail(ErrorCode::unavailable, std::string("cannot start the container's guard: ") + std::strerror(error));
  return std::unique_ptr<ContainerGuard>(new ContainerGuard(std::move(pipe->write), pid));
}

ContainerGuard::~ContainerGuard() {
  (void)!::write(word_.get(), "d", 1);
  word_.reset();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

int container_guard_main(const char* engine, const char* container) {
  char word = 0;
  ssize_t got = 0;
  while ((got = ::read(0, &word, 1)) < 0 && errno == EINTR) {
  }
  if (got == 1) return 0;
  // Killed first: what removes by itself asks politely, and waits.
  for (int attempt = 0; attempt < kTries; ++attempt) {
    (void)done({engine, "kill", container});
    if (done({engine, "rm", "--force", container})) return 0;
    ::sleep(kPauseSeconds);
  }
  return 1;
}

}  // namespace conductorai::infrastructure::releases
