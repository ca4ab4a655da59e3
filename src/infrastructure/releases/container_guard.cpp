#include "infrastructure/releases/container_guard.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "infrastructure/process/spawn.hpp"

namespace conductorai::infrastructure::releases {

namespace {

constexpr int kTries = 5;  // an engine under load may refuse for a moment
constexpr unsigned kPauseSeconds = 1;

bool done(std::vector<std::string> command) {
  pid_t pid = -1;
  auto argv = c_strings(command);
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
  pid_t pid = -1;
  const int error = spawn_process({.program = helper.string(),
                                   .argv = {"conductorai", "__release-guard", engine, container, "0"},
                                   .environment = variables_of(environment),
                                   .working_directory = "/",
                                   .descriptors = {pipe->read.get(), -1, -1}},
                                  pid);
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
