#pragma once
#include "bench/measurement.hpp"

namespace conductorai::bench {

/// `connections` to a server process of our own that answers each after one second, read by one epoll loop.
Measurement bare_epoll_client(int connections);

}  // namespace conductorai::bench
