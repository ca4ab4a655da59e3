#include "infrastructure/sandbox/selftest_prey.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "base/loopback_address.hpp"
#include "base/read_text.hpp"
#include "infrastructure/sandbox/probes.hpp"

namespace conductorai::infrastructure {

namespace fs = std::filesystem;

namespace {

constexpr const char* kEnvironmentSecret = "CONDUCTORAI_SELFTEST_SECRET";

std::string random_name() {
  std::uint64_t bits = 0;
  (void)!::getrandom(&bits, sizeof bits, 0);
  return std::to_string(bits);
}

std::unexpected<Error> cannot(const char* what) {
  return fail(ErrorCode::unavailable, std::string("the selftest cannot ") + what + ": " + std::strerror(errno));
}

UniqueFd unix_listener(std::string path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  const bool abstract = path[0] == '@';
  if (abstract) path[0] = '\0';
  std::memcpy(at.sun_path, path.data(), std::min(path.size(), sizeof at.sun_path - 1));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), length) != 0 || ::listen(fd.get(), 4) != 0) fd.reset();
  return fd;
}

bool was_connected(const UniqueFd& listener) {
  const UniqueFd peer(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return static_cast<bool>(peer);
}

}  // namespace

Result<std::unique_ptr<Prey>> Prey::put_up(std::optional<RunAs> user) {
  std::unique_ptr<Prey> prey(new Prey);
  if (auto done = prey->write_secret(); !done) return fail(done.error());
  if (auto done = prey->listen(); !done) return fail(done.error());
  LaunchSpec spec;
  spec.program = "/bin/sleep";
  spec.argv = {"sleep", "3600"};
  spec.working_directory = "/";
  spec.user = user;
  auto process = launch(spec);
  if (!process) return fail(process.error());
  prey->process_ = *process;
  prey->process_fd_ = open_pidfd(*process);
  ::setenv(kEnvironmentSecret, prey->secret_.c_str(), 1);
  return prey;
}

Result<void> Prey::write_secret() {
  folder_ = fs::temp_directory_path() / ("conductorai-selftest-" + random_name());
  secret_ = "secret-" + random_name();
  if (::mkdir(folder_.c_str(), 0755) != 0) return cannot("make a folder");
  std::ofstream(folder_ / "secret") << secret_;
  ::chmod(folder_.c_str(), 0777);  // whatever refuses a probe, it is not a mode bit
  ::chmod((folder_ / "secret").c_str(), 0666);
  return {};
}

Result<void> Prey::listen() {
  loopback_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in at = loopback_address(0);
  socklen_t length = sizeof at;
  if (!loopback_ || ::bind(loopback_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 || ::listen(loopback_.get(), 4) != 0 ||
      ::getsockname(loopback_.get(), reinterpret_cast<sockaddr*>(&at), &length) != 0)
    return cannot("listen on loopback");
  port_ = ntohs(at.sin_port);
  const std::string path = folder_ / "socket";
  unix_ = unix_listener(path);
  abstract_ = unix_listener("@" + path);
  if (!unix_ || !abstract_) return cannot("listen on a unix socket");
  ::chmod(path.c_str(), 0777);
  return {};
}

Prey::~Prey() {
  ::unsetenv(kEnvironmentSecret);
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

std::map<std::string, std::string> Prey::variables() const {
  return {{kSecretPathVariable, folder_ / "secret"},
          {kSecretVariable, kEnvironmentSecret},
          {kPortVariable, std::to_string(port_)},
          {kSocketVariable, folder_ / "socket"},
          {kPidVariable, std::to_string(process_)}};
}

std::string Prey::touched() const {
  if (was_connected(loopback_)) return "the listener on loopback was reached";
  if (was_connected(unix_)) return "the unix socket was reached";
  if (was_connected(abstract_)) return "the abstract unix socket was reached";
  pollfd ended{process_fd_.get(), POLLIN, 0};
  if (::poll(&ended, 1, 0) == 1) return "the process outside was ended";
  return read_text(folder_ / "secret") == secret_ ? "" : "the secret was changed";
}

int processes_with(const std::string& marker) {
  int count = 0;
  std::error_code error;
  for (fs::directory_iterator it("/proc", error), end; !error && it != end; it.increment(error)) {
    count += read_text(it->path() / "cmdline").contains(marker) ? 1 : 0;
  }
  return count;
}

}  // namespace conductorai::infrastructure
