#include "infrastructure/probe/tcp_connect.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "runtime/scope.hpp"

namespace conductorai::infrastructure {

namespace {

constexpr Milliseconds kSettled{50};

struct Endpoint {
  std::string host, port;
};

struct FreeAddress {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddress>;

struct Socket {
  explicit Socket(int descriptor) : fd(descriptor) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd >= 0) ::close(fd);
  }
  int fd;
};

Result<Endpoint> parse(std::string_view address) {
  const auto wrong = [&] { return fail(ErrorCode::invalid_argument, "expected HOST:PORT", std::string(address)); };
  std::string_view rest = address;
  if (const auto scheme = rest.find("://"); scheme != std::string_view::npos) rest = rest.substr(scheme + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return wrong();
  Endpoint out{std::string(rest.substr(0, colon)), std::string(rest.substr(colon + 1))};
  if (out.host.starts_with('[') && out.host.ends_with(']')) out.host = out.host.substr(1, out.host.size() - 2);
  int port = 0;
  const auto [end, error] = std::from_chars(out.port.data(), out.port.data() + out.port.size(), port);
  if (error != std::errc{} || end != out.port.data() + out.port.size() || port < 1 || port > 65535) return wrong();
  return out;
}

Result<Addresses> look_up(const Endpoint& endpoint, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int failed = ::getaddrinfo(endpoint.host.c_str(), endpoint.port.c_str(), &hints, &list);
  if (failed != 0 || list == nullptr)
    return fail(ErrorCode::unavailable, "no such host: " + endpoint.host + " (" + ::gai_strerror(failed) + ")");
  return Addresses(list);
}

std::unexpected<Error> refused(int error) {
  return fail(ErrorCode::unavailable, std::string("no connection: ") + std::strerror(error));
}

task<Result<void>> connect(runtime::Loop* loop, int fd, const addrinfo* to) {
  if (::connect(fd, to->ai_addr, to->ai_addrlen) != 0) {
    if (errno != EINPROGRESS) co_return refused(errno);
    auto ready = co_await loop->writable(fd);
    if (!ready) co_return ready;
  }
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) co_return refused(error);
  co_return Result<void>{};
}

}  // namespace

task<Result<double>> tcp_connect(runtime::Loop& loop, runtime::Worker& resolver, std::string address, Milliseconds timeout) {
  auto endpoint = parse(address);
  if (!endpoint) co_return fail(endpoint.error());
  auto addresses = look_up(*endpoint, AI_NUMERICHOST);
  if (!addresses) addresses = co_await resolver.run([endpoint = *endpoint] { return look_up(endpoint, 0); });
  if (!addresses) co_return fail(addresses.error());
  const addrinfo* to = addresses->get();
  const Socket socket(::socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.fd < 0) co_return fail(ErrorCode::resource_exhausted, std::string("no socket: ") + std::strerror(errno));
  const Instant started = loop.steady_now();
  auto connected = co_await runtime::with_deadline(loop, timeout, "connecting", connect(&loop, socket.fd, to));
  if (!connected) co_return fail(connected.error());
  const double ms = std::chrono::duration<double, std::milli>(loop.steady_now() - started).count();
  auto said = co_await runtime::with_deadline(loop, kSettled, "settling", loop.readable(socket.fd));
  if (!said && said.error().code == ErrorCode::timeout) co_return ms;  // it stays open and waits for us
  if (!said) co_return fail(said.error());
  char byte = 0;
  const auto n = ::recv(socket.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (n > 0) co_return ms;
  co_return fail(ErrorCode::unavailable, "the connection was taken and closed at once");
}

}  // namespace conductorai::infrastructure
