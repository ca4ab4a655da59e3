#include "infrastructure/releases/tcp_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/loopback_address.hpp"

namespace conductorai::infrastructure::releases {

UniqueFd tcp_socket() {
  return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

Result<void> begin_connect(int socket, int port) {
  const sockaddr_in address = loopback_address(port);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EINPROGRESS) return {};
  return fail(ErrorCode::unavailable, std::string("cannot connect: ") + std::strerror(errno));
}

Result<void> finish_connect(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0) return {};
  return fail(ErrorCode::unavailable, std::string("cannot connect: ") + std::strerror(error));
}

void send_at_once(int socket) {
  const int one = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

Result<BoundSocket> bind_port(int port) {
  BoundSocket bound{tcp_socket(), port};
  const int one = 1;
  // What an earlier supervisor's connections left behind must not keep the port from us. One chosen for us is nobody's: shared reuse would
  // let the kernel choose one that another has bound and not yet listens at.
  if (port != 0) ::setsockopt(bound.socket.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address = loopback_address(port);
  if (!bound.socket || ::bind(bound.socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const bool in_use = errno == EADDRINUSE;
    return fail(errno == EACCES ? ErrorCode::permission_denied : ErrorCode::unavailable,
                in_use ? "the port is in use" : std::string("cannot take the port: ") + std::strerror(errno),
                "127.0.0.1:" + std::to_string(port), in_use ? "end what listens there, or choose another port" : "");
  }
  // Connections take it from the listener they come by; those that linger without it would keep the port from the next supervisor.
  ::setsockopt(bound.socket.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  socklen_t size = sizeof address;
  ::getsockname(bound.socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  bound.port = ntohs(address.sin_port);
  return bound;
}

Result<int> free_port() {
  auto bound = bind_port(0);
  if (!bound) return fail(bound.error());
  return bound->port;
}

}  // namespace conductorai::infrastructure::releases
