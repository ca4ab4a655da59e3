#pragma once
// Server-sent events (WHATWG HTML, "Interpreting an event stream"), from pieces of any size.

#include <functional>
#include <string>
#include <string_view>

namespace conductorai::integrations {

struct SseEvent {
  std::string type;  // empty where the stream names none
  std::string data;  // lines joined by "\n"
};

/// Lines may end in LF, CR or CRLF, a byte order mark and comments are passed over. An event the stream does not close is dropped.
class SseReader {
 public:
  explicit SseReader(std::size_t event_bytes_max) : event_bytes_max_(event_bytes_max) {}
  /// False as soon as one event is larger than the bound; nothing is read after that.
  bool feed(std::string_view piece, const std::function<void(const SseEvent&)>& on_event);

 private:
  void end_line(const std::function<void(const SseEvent&)>& on_event);

  std::size_t event_bytes_max_;
  std::string line_;
  SseEvent event_;
  bool has_data_ = false;
  bool after_cr_ = false;
  bool first_line_ = true;
};

}  // namespace conductorai::integrations
