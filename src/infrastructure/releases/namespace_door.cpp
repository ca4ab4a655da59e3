#include "infrastructure/releases/namespace_door.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>

#include "infrastructure/sandbox/launch.hpp"
#include "infrastructure/sandbox/warden_protocol.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure::releases {

namespace fs = std::filesystem;

namespace {

constexpr int kBatch = 16;
constexpr int kAnswerWithinMs = 2'000;
constexpr std::chrono::seconds kStartWithin{20};

std::unexpected<Error> shut(const std::string& why) {
  return fail(ErrorCode::unavailable, "cannot reach into the sandbox's network: " + why);
}

}  // namespace

task<Result<std::unique_ptr<NamespaceDoor>>> NamespaceDoor::open(runtime::Loop& loop, pid_t process, WorkArea area, fs::path helper) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) co_return shut(std::strerror(errno));
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  set_nonblocking(ours.get());
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  LaunchSpec spec;
  spec.program = helper;
  spec.argv = {"conductorai", "__release-door", std::to_string(process), std::to_string(area.uid), std::to_string(area.gid)};
  spec.working_directory = "/";
  spec.descriptors = {null.get(), null.get(), null.get(), theirs.get()};
  auto pid = launch(spec);
  if (!pid) co_return shut(to_string(pid.error()));
  theirs.reset();
  std::unique_ptr<NamespaceDoor> door(new NamespaceDoor(std::move(ours), *pid));
  if (auto asked = door->ask(); !asked) co_return fail(asked.error());
  auto answered =
      co_await runtime::with_deadline(loop, kStartWithin, "the helper in the sandbox's network", loop.readable(door->channel_.get()));
  if (!answered) co_return fail(answered.error());
  if (auto taken = door->take(); !taken) co_return fail(taken.error());
  co_return door;
}

NamespaceDoor::~NamespaceDoor() {
  ::kill(helper_, SIGKILL);
  while (::waitpid(helper_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<void> NamespaceDoor::ask() {
  const char word = 's';
  if (::send(channel_.get(), &word, 1, MSG_NOSIGNAL) != 1) return shut(std::strerror(errno));
  asked_ = true;
  return {};
}

Result<void> NamespaceDoor::take() {
  std::array<char, 128> answer{};
  const ssize_t got = receive_with(channel_.get(), answer.data(), answer.size() - 1, ready_);
  if (got < 0 && errno == EAGAIN) return {};
  asked_ = false;
  if (got <= 0) return shut("its helper has ended");
  if (ready_.empty()) return shut(answer.data());
  return {};
}

/// The next are asked for before the last is given away; waiting for them is the exception, and short: a helper that hangs must not hang
/// us.
Result<UniqueFd> NamespaceDoor::socket() {
  if (asked_)
    if (auto taken = take(); !taken) return fail(taken.error());
  if (!asked_ && ready_.size() <= kBatch / 2)
    if (auto asked = ask(); !asked) return fail(asked.error());
  if (ready_.empty()) {
    pollfd waiting{channel_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, kAnswerWithinMs) <= 0) return shut("its helper does not answer");
    if (auto taken = take(); !taken) return fail(taken.error());
  }
  if (ready_.empty()) return shut("its helper does not answer");
  UniqueFd socket = std::move(ready_.back());
  ready_.pop_back();
  return socket;
}

namespace {

bool is_own_user_namespace(int space) {
  struct stat theirs{};
  struct stat ours{};
  return ::fstat(space, &theirs) == 0 && ::stat("/proc/self/ns/user", &ours) == 0 && theirs.st_dev == ours.st_dev &&
         theirs.st_ino == ours.st_ino;
}

/// The namespaces are owned by the user that started bubblewrap: as that user (and not as root, who may lack the capability in a container)
/// joining is allowed.
const char* join(pid_t process, uid_t uid, gid_t gid) {
  const std::string path = "/proc/" + std::to_string(process) + "/ns/net";
  UniqueFd network(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (::geteuid() == 0 && uid != 0 && (::setgroups(0, nullptr) != 0 || ::setresgid(gid, gid, gid) != 0 || ::setresuid(uid, uid, uid) != 0))
    return "changing the user";
  if (!network) network.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!network) return "opening the namespace";
  const UniqueFd owner(::ioctl(network.get(), NS_GET_USERNS));
  if (!owner) return "asking for the namespace's owner";
  // One that is ours already (containers that root made) cannot be joined again.
  if (!is_own_user_namespace(owner.get()) && ::setns(owner.get(), CLONE_NEWUSER) != 0) return "joining the user namespace";
  if (::setns(network.get(), CLONE_NEWNET) != 0) return "joining the network namespace";
  return nullptr;
}

}  // namespace

int namespace_door_main(pid_t process, uid_t uid, gid_t gid, int channel) {
  const char* failed = join(process, uid, gid);
  const std::string words = failed == nullptr ? std::string("ok") : std::string(failed) + ": " + std::strerror(errno);
  char request = 0;
  while (::recv(channel, &request, 1, 0) == 1) {
    std::vector<UniqueFd> made;
    std::vector<int> numbers;
    for (int n = 0; failed == nullptr && n < kBatch; ++n) {
      made.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      if (made.back()) numbers.push_back(made.back().get());
    }
    if (!send_with(channel, words.data(), words.size(), numbers, true)) return 1;
  }
  return 0;
}

}  // namespace conductorai::infrastructure::releases
