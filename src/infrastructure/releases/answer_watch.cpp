#include "infrastructure/releases/answer_watch.hpp"

#include <algorithm>
#include <charconv>

#include "base/lower.hpp"

namespace conductorai::infrastructure::releases {

namespace {

constexpr std::size_t kHeadMax = std::size_t{64} << 10;
constexpr std::size_t kMethodMax = 16;

/// The value of a header in a lower-case head; empty when there is none.
std::string_view header(std::string_view head, std::string_view name) {
  const auto at = head.find("\r\n" + std::string(name) + ":");
  if (at == std::string_view::npos) return {};
  head.remove_prefix(at + name.size() + 3);
  head = head.substr(0, head.find("\r\n"));
  while (!head.empty() && (head.front() == ' ' || head.front() == '\t')) head.remove_prefix(1);
  while (!head.empty() && (head.back() == ' ' || head.back() == '\t')) head.remove_suffix(1);
  return head;
}

int status_of(std::string_view head) {  // "http/1.1 200 ok"
  int status = 0;
  if (head.size() > 12) std::from_chars(head.data() + 9, head.data() + 12, status);
  return status;
}

}  // namespace

bool begins_request(std::string_view bytes) {
  const auto space = bytes.find(' ');
  if (space == std::string_view::npos || space == 0 || space > kMethodMax || space + 1 >= bytes.size()) return false;
  if (!std::ranges::all_of(bytes.substr(0, space), [](char c) { return c >= 'A' && c <= 'Z'; })) return false;
  const char target = bytes[space + 1];
  return target == '/' || target == 'h' || target == '*';
}

void AnswerWatch::asked(std::string_view bytes) {
  if (state_ == State::foreign || state_ == State::request || state_ == State::head) return;
  if (begins_request(bytes) && !bytes.starts_with("PRI * ")) {
    state_ = State::request;
    without_body_ = bytes.starts_with("HEAD ");
    head_.clear();
  } else if (state_ == State::fresh || state_ == State::whole) {
    state_ = State::foreign;
  }
}

void AnswerWatch::answered(std::string_view bytes) {
  if (state_ == State::foreign || bytes.empty()) return;
  if (state_ == State::fresh || state_ == State::whole) {
    state_ = State::foreign;  // it speaks unasked
    return;
  }
  if (state_ == State::request || state_ == State::head) {
    state_ = State::head;
    head_.append(bytes);
    take_head();
  } else if (state_ == State::body) {
    left_ -= static_cast<std::int64_t>(bytes.size());
    state_ = left_ > 0 ? State::body : left_ == 0 ? State::whole : State::unclear;
  }
}

void AnswerWatch::take_head() {
  const auto end = head_.find("\r\n\r\n");
  if (!head_.starts_with(std::string_view("HTTP/1.").substr(0, head_.size())) || (end == std::string::npos && head_.size() > kHeadMax)) {
    state_ = State::foreign;
    return;
  }
  if (end == std::string::npos) return;
  const std::string head = lower(std::string_view(head_).substr(0, end + 2));
  const auto after = static_cast<std::int64_t>(head_.size() - end - 4);
  const int status = status_of(head);
  if (status == 101) {
    state_ = State::foreign;
  } else if (status >= 100 && status < 200) {
    head_.erase(0, end + 4);  // an interim answer: the final one follows
    if (!head_.empty()) take_head();
  } else if (without_body_ || status == 204 || status == 304) {
    state_ = after == 0 ? State::whole : State::unclear;
  } else if (const auto length = header(head, "content-length"); !length.empty() && header(head, "transfer-encoding").empty()) {
    left_ = -1;
    std::from_chars(length.data(), length.data() + length.size(), left_);
    left_ -= after;
    state_ = left_ > 0 ? State::body : left_ == 0 ? State::whole : State::unclear;
  } else {
    state_ = State::unclear;
  }
  if (state_ != State::head) head_ = {};
}

}  // namespace conductorai::infrastructure::releases
