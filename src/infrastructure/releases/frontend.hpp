#pragma once
// Frontend: the app's public port. Connections are forwarded to the instance that is the target when they come; changing the target changes
// where the next request goes.
//
// What is promised at a switch: no request that was accepted is cut as long as its release may drain; a new connection goes to the new
// release; a connection kept alive (HTTP/1) goes over between two requests and the client notices nothing. What is no HTTP/1 stays with its
// release until that has drained, then it is closed.

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "infrastructure/releases/answer_watch.hpp"
#include "infrastructure/releases/driver.hpp"
#include "infrastructure/releases/tcp_port.hpp"
#include "runtime/loop.hpp"

namespace conductorai::infrastructure::releases {

class Frontend {
 public:
  Frontend(runtime::Loop& loop, std::size_t connections_max);
  ~Frontend();
  Frontend(const Frontend&) = delete;
  Frontend& operator=(const Frontend&) = delete;

  /// Forwards until cancelled. Errors: resource_exhausted (no epoll).
  task<Result<void>> run();

  /// Begins to accept on a bound socket, in place of the present one. Errors: unavailable (somebody else was faster).
  Result<void> listen(BoundSocket bound);
  void close();
  [[nodiscard]] int port() const { return port_; }  // 0: not listening

  /// Null: connections that come are closed at once.
  void set_target(std::shared_ptr<Instance> target) { target_ = std::move(target); }
  [[nodiscard]] const std::shared_ptr<Instance>& target() const { return target_; }

  /// Connections that need this instance still: an exchange goes on, or they are no HTTP/1.
  [[nodiscard]] std::size_t needing(const Instance* instance) const;
  /// Lets go of an instance that is to end: idle connections wait for their next request, others are closed.
  void abandon(const Instance* instance);

 private:
  struct Connection;
  struct Side;
  void accept_all();
  void watch_listener(bool on);
  void handle(Connection& connection);
  bool read_client(Connection& connection);
  bool read_service(Connection& connection);
  bool write(Side& from, Side& to, std::uint64_t& moved);
  bool connected(Connection& connection);
  task<Result<void>> forward();
  task<void> sweep();
  bool dial(Connection& connection);
  void close(Side& side);
  void let_go(Connection& connection);
  void watch(Connection& connection);
  void watch(Side& side, std::uint32_t wanted, Connection& connection);
  void drop(Connection& connection);

  runtime::Loop& loop_;
  std::size_t connections_max_;
  UniqueFd epoll_;
  UniqueFd listener_;
  int port_ = 0;
  bool accepting_ = false;  // the listener is watched
  std::shared_ptr<Instance> target_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> dropped_;  // events of this batch may still name them
};

}  // namespace conductorai::infrastructure::releases
