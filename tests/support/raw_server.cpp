#include "tests/support/raw_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/loopback_address.hpp"

namespace conductorai::testing {

namespace {
/// True when `fd` is ready; false when the server stops first or `timeout_ms` is over.
bool wait_ready(int fd, short events, int stopped, int timeout_ms = -1) {
  pollfd both[2] = {{stopped, POLLIN, 0}, {fd, events, 0}};
  const int n = ::poll(both, fd < 0 ? 1 : 2, timeout_ms);
  return n > 0 && both[0].revents == 0;
}
}  // namespace

std::string RawConnection::read_request() {
  std::string text;
  std::size_t wanted = std::string::npos;
  char buffer[4096];
  while (text.size() < wanted) {
    if (!wait_ready(fd_, POLLIN, stopped_)) return {};
    const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n <= 0) return {};
    text.append(buffer, static_cast<std::size_t>(n));
    const auto end = text.find("\r\n\r\n");
    if (end == std::string::npos || wanted != std::string::npos) continue;
    const auto length = text.find("Content-Length: ");
    wanted = end + 4 + (length < end ? std::strtoul(text.c_str() + length + 16, nullptr, 10) : 0);
  }
  return text;
}

bool RawConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!wait_ready(fd_, POLLOUT, stopped_)) return false;
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void RawConnection::hang() {
  char buffer[4096];
  while (wait_ready(fd_, POLLIN, stopped_) && ::recv(fd_, buffer, sizeof buffer, 0) > 0) {
  }
}

bool RawConnection::pause(int milliseconds) const {
  pollfd stop{stopped_, POLLIN, 0};
  return ::poll(&stop, 1, milliseconds) == 0;
}

std::string http_answer(int status, std::string_view body, std::string_view headers) {
  return "HTTP/1.1 " + std::to_string(status) + " Whatever\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

RawServer::RawServer(Handler handler, std::string unix_path) : handler_(std::move(handler)) {
  if (::pipe2(stop_, O_CLOEXEC) != 0) std::abort();
  listener_ = ::socket(unix_path.empty() ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (unix_path.empty()) {
    sockaddr_in address = loopback_address(0);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0) std::abort();
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  } else {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, unix_path.c_str(), sizeof address.sun_path - 1);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
  }
  if (::listen(listener_, 512) != 0) std::abort();
  acceptor_ = std::thread([this] { accept_all(); });
}

RawServer::~RawServer() {
  if (::write(stop_[1], "x", 1) != 1) std::abort();
  acceptor_.join();
  for (std::thread& worker : workers_) worker.join();
  for (const int fd : {listener_, stop_[0], stop_[1]}) ::close(fd);
}

std::string RawServer::url(std::string_view path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
}

void RawServer::accept_all() {
  while (wait_ready(listener_, POLLIN, stop_[0])) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++connections_;
    workers_.emplace_back([this, fd] {
      RawConnection connection(fd, stop_[0]);
      handler_(connection);
      ::shutdown(fd, SHUT_WR);
      connection.hang();  // the peer reads to the end before the socket goes, unless it went first
      ::close(fd);
    });
  }
}

RawServer::Handler sends(std::string bytes) {
  return [bytes = std::move(bytes)](RawConnection& connection) {
    (void)connection.read_request();
    connection.send(bytes);
  };
}

}  // namespace conductorai::testing
