#include "infrastructure/releases/tcp_port.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

namespace conductorai::infrastructure::releases {
namespace {

TEST(TcpPort, IsHadAgainWhileConnectionsOfItsFormerOwnerLinger) {
  auto bound = bind_port(0);
  ASSERT_TRUE(bound);
  ASSERT_EQ(::listen(bound->socket.get(), 4), 0);
  UniqueFd client = tcp_socket();
  ASSERT_TRUE(begin_connect(client.get(), bound->port));
  pollfd arrives{.fd = bound->socket.get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&arrives, 1, 10'000), 1);
  UniqueFd accepted(::accept(bound->socket.get(), nullptr, nullptr));
  ASSERT_TRUE(accepted);
  accepted.reset();  // who closes first is left in TIME_WAIT
  client.reset();
  bound->socket.reset();
  EXPECT_TRUE(bind_port(bound->port));
}

TEST(TcpPort, IsRefusedWhileAnotherListensThere) {
  auto bound = bind_port(0);
  ASSERT_TRUE(bound);
  ASSERT_EQ(::listen(bound->socket.get(), 4), 0);
  auto second = bind_port(bound->port);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace conductorai::infrastructure::releases
