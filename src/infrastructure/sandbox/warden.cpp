#include "infrastructure/sandbox/warden.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "infrastructure/sandbox/warden_protocol.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure {

namespace {

constexpr int kSocketFd = 3;

std::unexpected<Error> no_warden(const std::string& why) {
  return fail(ErrorCode::unavailable, "cannot start the process that watches over sandboxes: " + why);
}

}  // namespace

Warden::~Warden() {
  stop();
}

void Warden::stop() {
  socket_.reset();
  if (pid_ <= 0) return;
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

Result<void> Warden::start() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return no_warden(std::strerror(errno));
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  LaunchSpec spec;
  spec.program = helper_;
  spec.argv = {"conductorai", "__sandbox-exec", "warden", std::to_string(kSocketFd)};
  spec.working_directory = "/";
  spec.descriptors = {null.get(), null.get(), null.get(), theirs.get()};
  spec.death_signal = SIGTERM;
  auto pid = infrastructure::launch(spec);
  if (!pid) return no_warden(to_string(pid.error()));
  pid_ = *pid;
  socket_ = std::move(ours);
  return {};
}

task<Result<Warden::Launched>> Warden::launch(LaunchSpec spec) {
  // An answer that nobody takes would be taken for that of the next launch.
  co_return co_await runtime::shielded(ask(std::move(spec)));
}

task<Result<Warden::Launched>> Warden::ask(LaunchSpec spec) {
  auto turn = co_await turn_.acquire();
  if (!turn) co_return fail(turn.error());
  struct Release {
    runtime::Semaphore& turn;
    ~Release() { turn.release(); }
  } const release{turn_};
  if (!socket_)
    if (auto started = start(); !started) co_return fail(started.error());

  const std::string packed = pack(spec);
  const UniqueFd file(::memfd_create("launch", MFD_CLOEXEC));
  if (::write(file.get(), packed.data(), packed.size()) != static_cast<ssize_t>(packed.size())) co_return no_warden(std::strerror(errno));
  auto report = make_pipe();
  if (!report) co_return fail(report.error());
  std::vector<int> descriptors{file.get(), report->write.get()};
  descriptors.insert(descriptors.end(), spec.descriptors.begin(), spec.descriptors.end());
  if (spec.cgroup_folder >= 0) descriptors.push_back(spec.cgroup_folder);
  descriptors.insert(descriptors.end(), spec.cgroup_tasks.begin(), spec.cgroup_tasks.end());

  Answer answer;
  std::vector<UniqueFd> received;
  bool answered = send_with(socket_.get(), "L", 1, descriptors, false);
  if (answered) {
    (void)co_await loop_.readable(socket_.get());
    answered = receive_with(socket_.get(), &answer, sizeof answer, received) == sizeof answer;
  }
  if (!answered) {
    stop();
    co_return no_warden("it has ended");
  }
  if (answer.code >= 0) co_return fail(static_cast<ErrorCode>(answer.code), answer.message, answer.where);
  if (received.empty()) co_return no_warden("it sent no process");
  co_return Launched{std::move(received[0]), std::move(report->read)};
}

}  // namespace conductorai::infrastructure
