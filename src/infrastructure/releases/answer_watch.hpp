#pragma once
// AnswerWatch: follows one connection's HTTP/1 far enough to say where an exchange ends, so that a connection can go over to another
// release between two exchanges and never within one. It understands what it can be sure of; all else counts as "going on".

#include <cstdint>
#include <string>
#include <string_view>

namespace conductorai::infrastructure::releases {

/// Whether bytes begin like an HTTP/1 request: "GET /", "POST http://…", "OPTIONS *".
[[nodiscard]] bool begins_request(std::string_view bytes);

class AnswerWatch {
 public:
  /// The client's bytes, `first` those that follow a complete answer or the connection's start.
  void asked(std::string_view bytes);
  void answered(std::string_view bytes);

  /// Nothing has been said yet, or the answer to the last request is whole. A request that follows begins a new exchange.
  [[nodiscard]] bool between() const { return state_ == State::fresh || state_ == State::whole; }
  /// Bytes of the client that look like a request are one: it would not ask again before it had the answer, whose length only it knows.
  [[nodiscard]] bool may_begin() const { return between() || state_ == State::unclear; }
  /// No HTTP/1, or no longer (an upgrade): it is never moved.
  [[nodiscard]] bool foreign() const { return state_ == State::foreign; }

 private:
  enum class State { fresh, request, head, body, unclear, whole, foreign };
  void take_head();

  State state_ = State::fresh;
  bool without_body_ = false;  // HEAD
  std::string head_;
  std::int64_t left_ = 0;
};

}  // namespace conductorai::infrastructure::releases
