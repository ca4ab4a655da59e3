#pragma once
// TCP on this machine alone.

namespace conductorai::bench {

/// Listens without blocking. Several may share a port; 0 becomes what the kernel chose. -1 when it cannot be had.
int listen_on_loopback(int& port);
/// Begins to connect, without blocking. -1 when it cannot.
int connect_to_loopback(int port);

}  // namespace conductorai::bench
