#include "infrastructure/releases/frontend.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ranges>

#include "runtime/scope.hpp"

namespace conductorai::infrastructure::releases {

namespace {

constexpr std::size_t kBuffer = std::size_t{16} << 10;  // of each direction of each connection
constexpr int kTurnsMax = 16;                           // of one connection before others have theirs
constexpr int kBacklog = 512;
constexpr std::chrono::seconds kLinger{10};

}  // namespace

/// One end of a connection and what was read from it and not yet written to the other.
struct Frontend::Side {
  UniqueFd fd;
  std::string buffer;
  std::uint32_t watched = 0;  // epoll's mask; 0: not registered
  bool ended = false;         // it sends no more
  bool told = false;          // it was told that the other sends no more
};

struct Frontend::Connection {
  Side client;
  Side service;
  std::shared_ptr<Instance> on;  // null: between two releases
  bool connecting = false;
  bool dropped = false;
  bool lingering = false;
  std::uint64_t moved = 0;  // grows with everything that happens on it
  AnswerWatch watch;
};

Frontend::Frontend(runtime::Loop& loop, std::size_t connections_max) : loop_(loop), connections_max_(connections_max) {
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
}
Frontend::~Frontend() = default;

task<Result<void>> Frontend::run() {
  const TaskEnvironment environment = co_await current_environment();
  runtime::TaskScope sweeper(loop_, environment.cancel);
  sweeper.spawn(sweep());
  auto ended = co_await forward();
  sweeper.cancel();
  co_await sweeper.join();
  co_return ended;
}

task<Result<void>> Frontend::forward() {
  if (!epoll_) co_return fail(ErrorCode::resource_exhausted, std::string("cannot watch connections: ") + std::strerror(errno));
  std::array<epoll_event, 64> events{};
  for (;;) {
    auto ready = co_await loop_.readable(epoll_.get());
    if (!ready) co_return ready;
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), 0);
    for (int n = 0; n < count; ++n) {
      const epoll_event& event = events[static_cast<std::size_t>(n)];
      auto* connection = static_cast<Connection*>(event.data.ptr);
      if (connection == nullptr)
        accept_all();
      else if (!connection->dropped && (event.events & EPOLLERR) != 0)
        drop(*connection);  // reset by either side
      else if (!connection->dropped)
        handle(*connection);
    }
    dropped_.clear();
  }
}

Result<void> Frontend::listen(BoundSocket bound) {
  if (::listen(bound.socket.get(), kBacklog) != 0)
    return fail(ErrorCode::unavailable, errno == EADDRINUSE ? "the port is in use" : std::string("cannot listen: ") + std::strerror(errno),
                "127.0.0.1:" + std::to_string(bound.port), "end what listens there, or choose another port");
  close();
  listener_ = std::move(bound.socket);
  port_ = bound.port;
  watch_listener(true);
  return {};
}

void Frontend::close() {
  watch_listener(false);
  listener_.reset();
  port_ = 0;
}

void Frontend::watch_listener(bool on) {
  if (on == accepting_ || !listener_) return;
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  if (::epoll_ctl(epoll_.get(), on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listener_.get(), &event) == 0) accepting_ = on;
}

/// Where there is no room, callers wait in the kernel's line until a connection ends.
void Frontend::accept_all() {
  for (;;) {
    if (connections_.size() >= connections_max_) return watch_listener(false);
    UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno != EAGAIN && !connections_.empty()) watch_listener(false);  // no descriptor left
      return;
    }
    send_at_once(client.get());
    auto made = std::make_unique<Connection>();
    Connection& connection = *made;
    connection.client.fd = std::move(client);
    connections_.emplace(&connection, std::move(made));
    if (!dial(connection)) {
      drop(connection);
      continue;
    }
    handle(connection);
  }
}

bool Frontend::dial(Connection& connection) {
  if (!target_) return false;
  auto socket = target_->dial();
  if (!socket) return false;
  send_at_once(socket->get());
  connection.on = target_;
  close(connection.service);
  connection.service.fd = std::move(*socket);
  connection.connecting = true;
  connection.client.told = false;
  return true;
}

/// Closing alone does not take a socket out of epoll's set while another process holds it as well (the helper that made it, a child about
/// to start a program): its events would name a connection that is gone.
void Frontend::close(Side& side) {
  if (side.watched != 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, side.fd.get(), nullptr);
  side = Side{};
}

void Frontend::let_go(Connection& connection) {
  close(connection.service);
  connection.on = nullptr;
  connection.connecting = false;
}

/// False: the connection is over.
bool Frontend::read_client(Connection& connection) {
  std::array<char, kBuffer> piece;
  Side& client = connection.client;
  if (client.ended || !client.buffer.empty()) return true;
  const ssize_t got = ::recv(client.fd.get(), piece.data(), piece.size(), 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) {
    client.ended = true;
    ++connection.moved;
    return connection.on != nullptr;
  }
  const std::string_view bytes(piece.data(), static_cast<std::size_t>(got));
  const bool begins =
      connection.watch.may_begin() && connection.service.buffer.empty() && (begins_request(bytes) || connection.on == nullptr);
  if (begins && connection.on != target_) {
    let_go(connection);
    if (!dial(connection)) return false;
  }
  if (connection.on == nullptr) return false;
  ++connection.moved;
  connection.watch.asked(bytes);
  client.buffer.assign(bytes);
  return true;
}

bool Frontend::read_service(Connection& connection) {
  std::array<char, kBuffer> piece;
  Side& service = connection.service;
  if (connection.on == nullptr || connection.connecting || service.ended || !service.buffer.empty()) return true;
  const ssize_t got = ::recv(service.fd.get(), piece.data(), piece.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (got <= 0 && target_ && connection.on != target_ && connection.watch.between() && !connection.client.ended) {
    let_go(connection);  // a release that ends closes what is idle: the client's next request goes to its successor
    return true;
  }
  if (got < 0) return false;
  ++connection.moved;
  if (got == 0) {
    service.ended = true;
    return true;
  }
  const std::string_view bytes(piece.data(), static_cast<std::size_t>(got));
  connection.watch.answered(bytes);
  service.buffer.assign(bytes);
  return true;
}

bool Frontend::write(Side& from, Side& to, std::uint64_t& moved) {
  if (!from.buffer.empty()) {
    const ssize_t sent = ::send(to.fd.get(), from.buffer.data(), from.buffer.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    from.buffer.erase(0, static_cast<std::size_t>(sent));
    ++moved;
  }
  if (from.buffer.empty() && from.ended && !to.told) {
    ::shutdown(to.fd.get(), SHUT_WR);
    to.told = true;
  }
  return true;
}

/// False: refused.
bool Frontend::connected(Connection& connection) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(connection.service.fd.get(), reinterpret_cast<sockaddr*>(&peer), &size) == 0) {
    connection.connecting = false;
    ++connection.moved;
    return true;
  }
  return finish_connect(connection.service.fd.get()).has_value();
}

void Frontend::handle(Connection& connection) {
  Side& client = connection.client;
  Side& service = connection.service;
  for (int turn = 0; turn < kTurnsMax; ++turn) {
    const auto before = connection.moved;
    if (connection.connecting && !connected(connection)) return drop(connection);
    if (!read_client(connection) || !read_service(connection)) return drop(connection);
    const bool open = connection.on != nullptr && !connection.connecting;
    if (open && (!write(client, service, connection.moved) || !write(service, client, connection.moved))) return drop(connection);
    if (client.ended && service.ended && client.buffer.empty() && service.buffer.empty()) return drop(connection);
    if (before == connection.moved) break;
  }
  watch(connection);
}

void Frontend::watch(Connection& connection) {
  Side& client = connection.client;
  Side& service = connection.service;
  std::uint32_t from_client = !client.ended && client.buffer.empty() ? EPOLLIN : 0;
  if (!service.buffer.empty()) from_client |= EPOLLOUT;
  watch(client, from_client, connection);
  if (connection.on == nullptr) return;
  std::uint32_t from_service = !service.ended && service.buffer.empty() ? EPOLLIN : 0;
  if (connection.connecting || !client.buffer.empty()) from_service |= EPOLLOUT;
  watch(service, from_service, connection);
}

/// A side that is through in both directions would report so for ever: it is watched no more.
void Frontend::watch(Side& side, std::uint32_t wanted, Connection& connection) {
  constexpr std::uint32_t kRegistered = EPOLLRDHUP;  // never asked for: stands for "is in the set", also with an empty mask
  const std::uint32_t mask = side.ended && side.told ? 0 : wanted | kRegistered;
  if (side.watched == mask) return;
  epoll_event event{.events = wanted, .data = {.ptr = &connection}};
  ::epoll_ctl(epoll_.get(), mask == 0 ? EPOLL_CTL_DEL : side.watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, side.fd.get(), &event);
  side.watched = mask;
}

/// A client that was told the end and keeps its own side open is waited for, but not for ever.
task<void> Frontend::sweep() {
  for (;;) {
    auto slept = co_await sleep_for(loop_, kLinger);
    if (!slept) co_return;
    std::vector<Connection*> over;
    for (auto& [connection, owned] : connections_) {
      const bool told = connection->service.ended && connection->client.told;
      if (told && std::exchange(connection->lingering, true)) over.push_back(connection);
    }
    for (Connection* connection : over) drop(*connection);
  }
}

/// Cut, not ended: whoever waits for more learns that it was not all.
void Frontend::drop(Connection& connection) {
  const bool whole = connection.client.ended && connection.service.ended;
  const linger at_once{1, 0};
  if (!whole && !connection.service.ended && connection.client.fd && !connection.watch.between())
    ::setsockopt(connection.client.fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  connection.dropped = true;
  close(connection.client);
  let_go(connection);
  auto node = connections_.extract(&connection);
  if (node) dropped_.push_back(std::move(node.mapped()));
  watch_listener(true);
}

std::size_t Frontend::needing(const Instance* instance) const {
  std::size_t count = 0;
  for (const auto& connection : std::views::values(connections_))
    if (connection->on.get() == instance &&
        (!connection->watch.between() || !connection->client.buffer.empty() || !connection->service.buffer.empty()))
      ++count;
  return count;
}

void Frontend::abandon(const Instance* instance) {
  std::vector<Connection*> on_it;
  for (auto& [connection, owned] : connections_)
    if (connection->on.get() == instance) on_it.push_back(connection);
  for (Connection* connection : on_it) {
    const bool idle = connection->watch.between() && connection->client.buffer.empty() && connection->service.buffer.empty();
    if (!idle || connection->client.ended || !target_) {
      drop(*connection);
    } else {
      let_go(*connection);
      watch(*connection);
    }
  }
}

}  // namespace conductorai::infrastructure::releases
