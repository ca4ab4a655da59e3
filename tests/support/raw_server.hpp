#pragma once
// RawServer: a TCP server on a free port of the loopback that answers with whatever bytes a test wants, well-formed or not.

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace conductorai::testing {

class RawConnection {
 public:
  RawConnection(int fd, int stopped) : fd_(fd), stopped_(stopped) {}
  /// Up to the end of the headers and of a body of stated length; empty when the peer went away.
  std::string read_request();
  /// False once the peer is gone or the server stops.
  bool send(std::string_view bytes);
  /// Until the peer goes away or the server stops.
  void hang();
  /// False once the server stops.
  bool pause(int milliseconds) const;

 private:
  int fd_;
  int stopped_;  // readable once the server stops
};

std::string http_answer(int status, std::string_view body, std::string_view headers = "Content-Type: text/plain\r\n");

class RawServer {
 public:
  using Handler = std::function<void(RawConnection&)>;
  /// Each connection has its own thread. `unix_path`: listens there instead.
  explicit RawServer(Handler handler, std::string unix_path = {});
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url(std::string_view path = "/") const;
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void accept_all();

  Handler handler_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::vector<std::thread> workers_;
  std::thread acceptor_;
};

/// Reads the request and sends these bytes, then closes.
RawServer::Handler sends(std::string bytes);

}  // namespace conductorai::testing
