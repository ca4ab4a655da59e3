#pragma once
// A TCP connection as a health sign: made, and not dropped at once by whoever took it.

#include <string>

#include "conductorai/result.hpp"
#include "conductorai/task.hpp"
#include "conductorai/time.hpp"
#include "runtime/loop.hpp"
#include "runtime/offload.hpp"

namespace conductorai::infrastructure {

/// Milliseconds until `address` ("127.0.0.1:80", "[::1]:80", "name:80", or a URL with a port) took the connection. A proxy in front of a
/// dead service accepts too and then hangs up: a connection that ends within 50 ms without a byte does not count.
/// Errors: invalid_argument (address), unavailable, timeout, resource_exhausted, cancelled.
task<Result<double>> tcp_connect(runtime::Loop& loop, runtime::Worker& resolver, std::string address, Milliseconds timeout);

}  // namespace conductorai::infrastructure
