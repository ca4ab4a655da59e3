#include "infrastructure/releases/health_gate.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "infrastructure/releases/tcp_port.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure::releases {

namespace {

constexpr std::size_t kHeadMax = std::size_t{64} << 10;

task<Result<UniqueFd>> connect(runtime::Loop& loop, std::shared_ptr<Instance> instance) {
  auto socket = instance->dial();
  if (!socket) co_return fail(socket.error());
  auto ready = co_await loop.writable(socket->get());
  if (!ready) co_return fail(ready.error());
  if (auto made = finish_connect(socket->get()); !made) co_return fail(made.error());
  co_return socket;
}

Result<int> status_of(std::string_view head) {
  int status = 0;
  const bool http = head.starts_with("HTTP/1.") && head.size() >= 12 && head[8] == ' ';
  if (!http || std::from_chars(head.data() + 9, head.data() + 12, status).ec != std::errc{})
    return fail(ErrorCode::unavailable, head.empty() ? "it closed the connection without an answer" : "its answer is no HTTP");
  return status;
}

task<Result<int>> ask(runtime::Loop& loop, std::shared_ptr<Instance> instance, std::string path) {
  auto socket = co_await connect(loop, std::move(instance));
  if (!socket) co_return fail(socket.error());
  const std::string request =
      "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: conductorai-health\r\nAccept: */*\r\nConnection: close\r\n\r\n";
  if (::send(socket->get(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    co_return fail(ErrorCode::unavailable, "it does not take the request");
  std::string head;
  std::array<char, 4096> piece;
  while (head.find("\r\n") == std::string::npos && head.size() < kHeadMax) {
    auto ready = co_await loop.readable(socket->get());
    if (!ready) co_return fail(ready.error());
    const ssize_t got = ::recv(socket->get(), piece.data(), piece.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got < 0) co_return fail(ErrorCode::unavailable, std::string("it broke the connection: ") + std::strerror(errno));
    if (got == 0) break;
    head.append(piece.data(), static_cast<std::size_t>(got));
  }
  co_return status_of(head);
}

task<Result<void>> try_once(runtime::Loop& loop, std::shared_ptr<Instance> instance, HealthCheck check) {
  if (check.path.empty()) {
    auto socket = co_await connect(loop, std::move(instance));
    if (!socket) co_return fail(socket.error());
    co_return Result<void>{};
  }
  auto status = co_await ask(loop, std::move(instance), check.path);
  if (!status) co_return fail(status.error());
  if (*status != check.status)
    co_return fail(ErrorCode::unavailable,
                   "GET " + check.path + " answers " + std::to_string(*status) + ", not " + std::to_string(check.status));
  co_return Result<void>{};
}

task<Result<void>> try_until_good(runtime::Loop& loop, Clock& clock, std::shared_ptr<Instance> instance, HealthCheck check,
                                  std::string& last) {
  int good = 0;
  for (;;) {
    auto tried = co_await probe_once(loop, clock, instance, check);
    if (!tried && tried.error().code == ErrorCode::cancelled) co_return tried;
    if (instance->ended().is_set()) co_return fail(ErrorCode::unavailable, "it ended before it was healthy: " + instance->how());
    good = tried ? good + 1 : 0;
    if (good >= check.successes) co_return Result<void>{};
    if (!tried) last = tried.error().message;
    // Woken early by its end.
    (void)co_await runtime::with_deadline(clock, check.interval, "the pause", instance->ended().wait());
    const TaskEnvironment environment = co_await current_environment();
    if (environment.cancelled()) co_return fail(ErrorCode::cancelled, "cancelled");
  }
}

}  // namespace

task<Result<void>> probe_once(runtime::Loop& loop, Clock& clock, std::shared_ptr<Instance> instance, HealthCheck check) {
  const auto within = check.request_timeout;
  auto tried = co_await runtime::with_deadline(clock, within, "its answer", try_once(loop, std::move(instance), std::move(check)));
  co_return tried;
}

task<Result<void>> until_healthy(runtime::Loop& loop, Clock& clock, std::shared_ptr<Instance> instance, HealthCheck check) {
  std::string last = "no try has ended";
  const auto within = check.start_timeout;
  auto good = co_await runtime::with_deadline(clock, within, "getting healthy", try_until_good(loop, clock, instance, check, last));
  if (good || good.error().code != ErrorCode::timeout) co_return good;
  co_return fail(ErrorCode::timeout, "it was not healthy within " + std::to_string(within.count()) + " ms: " + last);
}

}  // namespace conductorai::infrastructure::releases
