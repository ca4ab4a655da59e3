#include "infrastructure/releases/frontend.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>

#include "runtime/scope.hpp"

namespace conductorai::infrastructure::releases {
namespace {

using namespace std::chrono_literals;

/// A listener of the test in place of a service.
class Service final : public Instance {
 public:
  Service() : bound_(std::move(*bind_port(0))) { ::listen(bound_.socket.get(), 64); }
  Result<UniqueFd> dial() override {
    UniqueFd socket = tcp_socket();
    if (auto begun = begin_connect(socket.get(), bound_.port); !begun) return fail(begun.error());
    held_.emplace_back(::dup(socket.get()));
    return socket;
  }
  runtime::Event& ended() override { return ended_; }
  [[nodiscard]] std::string how() const override { return {}; }
  [[nodiscard]] Consumption consumption() const override { return {}; }
  task<void> stop(Milliseconds /*grace*/) override { co_return; }

  UniqueFd accept() { return UniqueFd(::accept4(bound_.socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)); }

  /// Sockets given away that are held here too, as the helper in a sandbox's network holds them for a while.
  std::vector<UniqueFd> held_;

 private:
  BoundSocket bound_;
  runtime::Event ended_;
};

task<void> forward(Frontend& frontend) {
  (void)co_await frontend.run();
}

class FrontendTest : public ::testing::Test {
 protected:
  void SetUp() override { begin(16); }
  void TearDown() override { end(); }
  void begin(std::size_t connections) {
    frontend = std::make_unique<Frontend>(loop, connections);
    scope.spawn(forward(*frontend));
    ASSERT_TRUE(frontend->listen(std::move(*bind_port(0))));
    frontend->set_target(first);
  }
  void end() {
    scope.cancel();
    runtime::run_to_end(loop, scope.join());
  }
  /// Runs the loop until it holds, at most five seconds.
  bool soon(const std::function<bool()>& condition) {
    bool late = false;
    bool met = false;
    auto limit = loop.call_after(5s, [&] { late = true; });
    std::unique_ptr<Timer> tick;
    std::function<void()> again = [&] { tick = loop.call_after(1ms, again); };
    again();
    loop.run_until([&] { return (met = condition()) || late; });
    return met;
  }
  UniqueFd connect() {
    UniqueFd client = tcp_socket();
    EXPECT_TRUE(begin_connect(client.get(), frontend->port()));
    return client;
  }
  UniqueFd accepted(Service& service) {
    UniqueFd peer;
    EXPECT_TRUE(soon([&] {
      peer = service.accept();
      return static_cast<bool>(peer);
    }));
    return peer;
  }
  static void say(const UniqueFd& fd, std::string_view text) {
    EXPECT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  bool hears(const UniqueFd& fd, std::string_view text) {
    std::string heard;
    return soon([&] {
      char piece[65536];
      const ssize_t got = ::recv(fd.get(), piece, sizeof piece, 0);
      if (got > 0) heard.append(piece, static_cast<std::size_t>(got));
      return heard == text;
    });
  }
  bool is_closed(const UniqueFd& fd) {
    return soon([&] {
      char byte = 0;
      const ssize_t got = ::recv(fd.get(), &byte, 1, 0);
      return got == 0 || (got < 0 && errno != EAGAIN);
    });
  }

  runtime::Loop loop;
  std::shared_ptr<Service> first = std::make_shared<Service>();
  std::shared_ptr<Service> second = std::make_shared<Service>();
  std::unique_ptr<Frontend> frontend;
  runtime::TaskScope scope{loop};
};

TEST_F(FrontendTest, CarriesBothWaysAndPassesTheEndOnInOneDirectionOnly) {
  const UniqueFd client = connect();
  const UniqueFd peer = accepted(*first);
  say(client, "question");
  EXPECT_TRUE(hears(peer, "question"));
  ::shutdown(client.get(), SHUT_WR);
  EXPECT_TRUE(is_closed(peer));
  say(peer, "late answer");
  EXPECT_TRUE(hears(client, "late answer"));
}

TEST_F(FrontendTest, HoldsBackAClientWhoseServiceDoesNotRead) {
  const UniqueFd client = connect();
  const UniqueFd peer = accepted(*first);
  const std::string much(1 << 16, 'x');
  std::size_t sent = 0;
  bool blocked = false;
  EXPECT_TRUE(soon([&] {
    const ssize_t now = ::send(client.get(), much.data(), much.size(), MSG_NOSIGNAL);
    if (now > 0) sent += static_cast<std::size_t>(now);
    return std::exchange(blocked, now < 0) && now < 0;
  }));
  EXPECT_LT(sent, std::size_t{64} << 20);
  std::size_t got = 0;
  EXPECT_TRUE(soon([&] {
    char piece[65536];
    const ssize_t now = ::recv(peer.get(), piece, sizeof piece, 0);
    if (now > 0) got += static_cast<std::size_t>(now);
    return got == sent;
  }));
}

TEST_F(FrontendTest, LetsCallersWaitWhereThereIsNoRoom) {
  end();
  runtime::TaskScope inner(loop);
  frontend = std::make_unique<Frontend>(loop, 1);
  inner.spawn(forward(*frontend));
  ASSERT_TRUE(frontend->listen(std::move(*bind_port(0))));
  frontend->set_target(first);
  UniqueFd one = connect();
  UniqueFd peer = accepted(*first);
  const UniqueFd two = connect();
  say(one, "a");
  EXPECT_TRUE(hears(peer, "a"));
  EXPECT_FALSE(first->accept());
  one.reset();
  peer.reset();
  const UniqueFd next = accepted(*first);
  say(next, "welcome");
  EXPECT_TRUE(hears(two, "welcome"));
  inner.cancel();
  runtime::run_to_end(loop, inner.join());
}

TEST_F(FrontendTest, TakesAKeptConnectionToTheNewTargetBetweenTwoRequests) {
  const UniqueFd client = connect();
  const UniqueFd old = accepted(*first);
  say(client, "GET /1 HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(hears(old, "GET /1 HTTP/1.1\r\n\r\n"));
  frontend->set_target(second);
  EXPECT_EQ(frontend->needing(first.get()), 1U);
  say(old, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_TRUE(hears(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  EXPECT_EQ(frontend->needing(first.get()), 0U);
  say(client, "GET /2 HTTP/1.1\r\n\r\n");
  const UniqueFd next = accepted(*second);
  EXPECT_TRUE(hears(next, "GET /2 HTTP/1.1\r\n\r\n"));
}

TEST_F(FrontendTest, KeepsAnIdleConnectionOpenWhenItsReleaseEnds) {
  const UniqueFd client = connect();
  UniqueFd old = accepted(*first);
  frontend->set_target(second);
  frontend->abandon(first.get());
  old.reset();
  say(client, "GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(hears(accepted(*second), "GET / HTTP/1.1\r\n\r\n"));
}

TEST_F(FrontendTest, CutsWhatIsNoHttpOnlyWhenItsReleaseEnds) {
  const UniqueFd client = connect();
  const UniqueFd old = accepted(*first);
  say(client, "\x01\x02");
  EXPECT_TRUE(hears(old, "\x01\x02"));
  frontend->set_target(second);
  say(client, "GET / like");
  EXPECT_TRUE(hears(old, "GET / like"));
  EXPECT_EQ(frontend->needing(first.get()), 1U);
  frontend->abandon(first.get());
  EXPECT_TRUE(is_closed(client));
}

TEST_F(FrontendTest, HearsNoMoreOfAConnectionThatIsOverWhoeverStillHoldsItsSockets) {
  UniqueFd client = connect();
  const UniqueFd peer = accepted(*first);
  say(client, "question");
  EXPECT_TRUE(hears(peer, "question"));
  frontend->set_target(second);
  frontend->abandon(first.get());
  EXPECT_TRUE(is_closed(client));
  const UniqueFd other = connect();  // the batch after which the connection is freed
  accepted(*second);
  say(peer, "to nobody");
  EXPECT_FALSE(first->held_.empty());
  const UniqueFd another = connect();
  const UniqueFd next = accepted(*second);
  say(another, "hello");
  EXPECT_TRUE(hears(next, "hello"));
}

TEST_F(FrontendTest, PassesAMessageInPiecesOnWithoutAWait) {
  const UniqueFd client = connect();
  const UniqueFd peer = accepted(*first);
  send_at_once(client.get());
  send_at_once(peer.get());
  auto quickest = std::chrono::steady_clock::duration::max();
  for (int n = 0; n < 40; ++n) {
    const auto begun = std::chrono::steady_clock::now();
    say(client, "head");
    EXPECT_TRUE(hears(peer, "head"));
    say(client, "body");
    EXPECT_TRUE(hears(peer, "body"));
    const auto took = std::chrono::steady_clock::now() - begun;
    say(peer, "answer");
    EXPECT_TRUE(hears(client, "answer"));
    if (n >= 20) quickest = std::min(quickest, took);  // a young connection is acknowledged at once
  }
  EXPECT_LT(quickest, 30ms);
}

TEST_F(FrontendTest, ClosesWhoComesWhileNothingServes) {
  frontend->set_target(nullptr);
  const UniqueFd client = connect();
  EXPECT_TRUE(is_closed(client));
}

}  // namespace
}  // namespace conductorai::infrastructure::releases
