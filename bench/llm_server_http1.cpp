#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "bench/llm_server.hpp"
#include "bench/llm_service.hpp"

namespace conductorai::bench {
namespace {

struct Connection {
  std::string in;
  unsigned serial = 0;
};

std::string in_chunk(const std::string& data) {
  std::array<char, 16> size{};
  const auto end = std::to_chars(size.data(), size.data() + size.size(), data.size(), 16).ptr;
  return std::string(size.data(), end) + "\r\n" + data + "\r\n";
}

std::string event(const std::string& delta, const std::string& rest) {
  return R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":)" +
         delta + R"(,"finish_reason":)" + rest + "}\n\n";
}

/// What goes out at one time: a piece, and what belongs around the first and the last.
std::vector<std::string> stream_pieces() {
  std::vector<std::string> pieces;
  pieces.reserve(kChunks);
  for (int i = 0; i < kChunks; ++i) pieces.push_back(in_chunk(event(R"({"content":" word)" + std::to_string(i) + "\"}", "null}]")));
  pieces.front().insert(0, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
  pieces.back() += in_chunk(event("{}", R"("stop"}],"usage":{"prompt_tokens":64,"completion_tokens":200,"total_tokens":264})")) +
                   in_chunk("data: [DONE]\n\n") + "0\r\n\r\n";
  return pieces;
}

/// Bytes of the first request in `in`; 0 while it is not whole.
std::size_t whole_request(std::string_view in) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  constexpr std::string_view kLength = "ontent-";  // "Content-Length: " or "content-length: "
  const auto head = in.find(kEnd);
  if (head == std::string_view::npos) return 0;
  std::size_t body = 0;
  for (auto at = in.find(kLength); at < head; at = in.find(kLength, at + 1)) {
    const auto colon = in.find(':', at);
    if (colon - at != kLength.size() + 6) continue;  // "length", not "type"
    std::from_chars(in.data() + colon + 2, in.data() + head, body);
  }
  const std::size_t all = head + kEnd.size() + body;
  return in.size() >= all ? all : 0;
}

void send_all(int fd, std::string_view text) {
  (void)!::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);  // far less than a socket holds
}

}  // namespace

int serve_http1(bool streams) {
  ServerLoop loop(std::chrono::milliseconds(streams ? kBetweenChunksMs : kAnswerAfterMs));
  std::vector<Connection> connections;
  const std::vector<std::string> pieces = stream_pieces();
  unsigned serials = 0;
  const auto accepted = [&](int fd) {
    if (connections.size() <= static_cast<std::size_t>(fd)) connections.resize(static_cast<std::size_t>(fd) + 1);
    connections[static_cast<std::size_t>(fd)] = {.in = {}, .serial = ++serials};
  };
  const auto ready = [&](int fd, unsigned) {
    Connection& connection = connections[static_cast<std::size_t>(fd)];
    std::array<char, 16 * 1024> bytes;
    const ssize_t got = ::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got <= 0) {
      connection = {};
      ::close(fd);
      return;
    }
    connection.in.append(bytes.data(), static_cast<std::size_t>(got));
    for (std::size_t size = 0; (size = whole_request(connection.in)) > 0; connection.in.erase(0, size)) loop.owe(fd, connection.serial, 0);
  };
  const auto due = [&](const Due& owed) {
    if (connections[static_cast<std::size_t>(owed.fd)].serial != owed.serial) return;
    if (!streams) return send_all(owed.fd, whole_answer());
    send_all(owed.fd, pieces[static_cast<std::size_t>(owed.item)]);
    if (owed.item + 1 < kChunks) loop.owe(owed.fd, owed.serial, owed.item + 1);
  };
  if (!loop.listen()) return 4;
  loop.run({.accepted = accepted, .ready = ready, .due = due, .turn_ended = [] {}});
}

}  // namespace conductorai::bench
