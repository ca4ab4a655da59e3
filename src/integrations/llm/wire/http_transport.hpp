#pragma once
// HttpTransport: the port through which providers reach their services. The facade implements it with the HTTP client.

#include <functional>
#include <string>
#include <string_view>

#include "conductorai/task.hpp"
#include "integrations/llm/wire/api_error.hpp"

namespace conductorai::integrations {

struct WireRequest {
  std::string method = "POST";
  std::string url;
  WireHeaders headers;
  std::string body;
  std::string proxy;              // empty: by the usual variables
  std::string ca_file;            // empty: the machine's own
  Milliseconds timeout{120'000};  // of the whole exchange
  Milliseconds connect_timeout{10'000};
  Milliseconds first_byte_timeout{60'000};  // once sent
  Milliseconds idle_timeout{60'000};        // between two pieces of the answer
};
struct WireHead {
  int status = 0;
  WireHeaders headers;
};

class HttpTransport {
 public:
  /// A piece of the body; false ends the exchange, which is then a success all the same.
  using Sink = std::function<bool(const WireHead& head, std::string_view piece)>;

  virtual ~HttpTransport() = default;
  /// Errors: unavailable when the request never left (no such host, refused, TLS, proxy); timeout and invalid_answer when it did and its
  /// outcome is unknown; invalid_argument (URL, header), resource_exhausted, cancelled. What may help when tried again says so.
  virtual task<Result<WireHead>> exchange(WireRequest request, Sink sink) = 0;
};

}  // namespace conductorai::integrations
