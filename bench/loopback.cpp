#include "bench/loopback.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/loopback_address.hpp"

namespace conductorai::bench {
namespace {

// The kernel bounds how many connections wait to be accepted, for each socket that listens (net.core.somaxconn).
constexpr int kBacklog = 16'384;

}  // namespace

int listen_on_loopback(int& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  sockaddr_in at = loopback_address(port);
  socklen_t size = sizeof at;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0 && ::listen(fd, kBacklog) == 0 &&
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0) {
    port = ntohs(at.sin_port);
    return fd;
  }
  if (fd >= 0) ::close(fd);
  return -1;
}

int connect_to_loopback(int port) {
  const sockaddr_in at = loopback_address(port);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 || errno == EINPROGRESS) return fd;
  ::close(fd);
  return -1;
}

}  // namespace conductorai::bench
