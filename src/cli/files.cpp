#include "cli/files.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/text.hpp"

extern char** environ;

namespace conductorai::cli {

namespace {

std::string read_all(int fd) {
  std::string out;
  char buffer[16 * 1024];
  while (true) {
    const auto got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return out;
    out.append(buffer, static_cast<std::size_t>(got));
  }
}

/// Standard error goes to standard output's pipe: these tools print little, and what they complain about is the answer then.
Result<pid_t> spawn(const std::vector<std::string>& argv, int output) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, 1);
  ::posix_spawn_file_actions_adddup2(&actions, output, 2);
  std::vector<char*> arguments;
  for (const auto& word : argv) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) return fail(ErrorCode::not_found, "the program is not installed", argv[0]);
  if (error != 0) return fail(ErrorCode::unavailable, std::strerror(error), argv[0]);
  return pid;
}

}  // namespace

Result<void> write_new_file(const std::filesystem::path& file, std::string_view bytes) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0 && errno == EEXIST) return fail(ErrorCode::already_exists, "the file exists already and is not overwritten", file.string());
  if (fd < 0) return fail(ErrorCode::unavailable, std::strerror(errno), file.string());
  int error = 0;
  while (!bytes.empty() && error == 0) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written > 0)
      bytes.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      error = errno;
  }
  if (::close(fd) != 0 && error == 0) error = errno;
  if (error == 0) return {};
  ::unlink(file.c_str());
  return fail(error == ENOSPC ? ErrorCode::resource_exhausted : ErrorCode::unavailable, std::strerror(error), file.string());
}

Result<std::string> run_tool(const std::vector<std::string>& argv) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(ErrorCode::resource_exhausted, std::strerror(errno), argv[0]);
  auto pid = spawn(argv, ends[1]);
  ::close(ends[1]);
  std::string out = pid ? read_all(ends[0]) : "";
  ::close(ends[0]);
  if (!pid) return fail(pid.error());
  int status = 0;
  while (::waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return out;
  return fail(ErrorCode::unavailable, argv[0] + " failed: " + clean_line(clean_tail(out, 1)));
}

}  // namespace conductorai::cli
