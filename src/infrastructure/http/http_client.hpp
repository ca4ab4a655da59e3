#pragma once
// HttpClient: HTTP/1.1 and HTTP/2 by libcurl's multi interface on the loop. Redirects are not followed unless asked for.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conductorai/result.hpp"
#include "conductorai/task.hpp"
#include "conductorai/time.hpp"
#include "runtime/loop.hpp"

namespace conductorai::infrastructure {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  HttpHeaders headers;
  std::string body;
  Milliseconds timeout{30'000};                          // of the whole exchange
  Milliseconds connect_timeout{10'000};                  //
  std::int64_t body_bytes_max = std::int64_t{16} << 20;  // a longer answer is cut, and says so
  std::int64_t header_bytes_max = 256 << 10;             // more is an error
  std::string unix_socket;                               // instead of TCP; the URL's host is then only a name
  bool proxies = true;                                   // honour the usual variables; loopback never goes through one
  std::string proxy;                                     // instead of the variables'; loopback too goes through it
  std::string ca_file;                                   // instead of the machine's own certificates
  std::function<void()> sending;                         // called before it is written, which nothing of it was until then; may be empty
  bool follow_redirects = false;                         // at most ten
  bool fresh_connection = false;                         // neither takes a kept connection nor leaves one: what probes measure
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;  // names in lower case
  std::string body;
  bool truncated = false;
  double total_ms = 0;  // from the start to the last byte
  double connect_ms = 0;
  double first_byte_ms = 0;
};

/// The first header of that name (lower case); null when there is none.
const std::string* find_header(const HttpHeaders& headers, std::string_view name);

/// A piece of the body as it arrives, `head` being the answer so far without its body. False ends the exchange: the answer is then
/// `truncated`. Called on the loop's thread; it must not call the client.
using BodySink = std::function<bool(const HttpResponse& head, std::string_view piece)>;

class Transfer;

struct HttpLimits {
  int connections_per_host = 100;  // at once; an exchange for which there is none waits, and its time runs
  int connections_kept = 200;      // after their exchanges, for later ones
};

/// Errors: invalid_argument (URL, method, header), unavailable (refused, no such host, TLS, the connection was lost), invalid_answer (not
/// HTTP, headers without end), timeout, cancelled. An answer of any status is an answer. What may help when tried again says
/// Retry::backoff. Thread: the loop's. It must outlive every call.
class HttpClient {
 public:
  explicit HttpClient(runtime::Loop& loop, HttpLimits limits = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  task<Result<HttpResponse>> send(HttpRequest request);
  /// The same, with the body handed to `sink` instead of kept; `body_bytes_max` does not apply.
  task<Result<HttpResponse>> stream(HttpRequest request, BodySink sink);

 private:
  struct Impl;
  static task<Result<HttpResponse>> exchange(HttpClient& self, std::unique_ptr<Transfer> transfer);
  Result<void> start(Transfer& transfer);
  bool under_way(Transfer& transfer);
  Result<HttpResponse> ended(Transfer& transfer);
  runtime::Loop& loop_;
  HttpLimits limits_;
  std::unique_ptr<Impl> impl_;  // made at the first request: most processes make none
};

}  // namespace conductorai::infrastructure
