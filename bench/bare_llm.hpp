#pragma once
// The limits of `llm`: as many requests, sent and read by the barest client there is for each wire.

#include "bench/llm_service.hpp"
#include "bench/measurement.hpp"

namespace conductorai::bench {

/// One epoll loop over as many sockets as requests.
Measurement bare_http1_client(const LlmService& service, int requests);
/// One epoll loop with nghttp2 and OpenSSL, as many requests a connection as the service allows.
Measurement bare_http2_client(const LlmService& service, int requests);
/// libcurl's multi interface with its sockets in an epoll descriptor, and a callback that counts bytes.
Measurement bare_sse_reader(const LlmService& service, int streams);

/// What all of them send.
const std::string& bare_request_body();

}  // namespace conductorai::bench
