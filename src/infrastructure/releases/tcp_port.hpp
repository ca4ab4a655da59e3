#pragma once
// TCP on the loopback address: sockets, ports.

#include "conductorai/result.hpp"
#include "infrastructure/process/fd.hpp"

namespace conductorai::infrastructure::releases {

/// Non-blocking, close-on-exec.
UniqueFd tcp_socket();
/// Begins to connect a non-blocking socket to 127.0.0.1. Errors: unavailable (refused at once).
Result<void> begin_connect(int socket, int port);
/// Whether a connection that was begun is there. REQUIRES: writable. Errors: unavailable (refused).
Result<void> finish_connect(int socket);
/// What is written goes out at once: a message in two pieces would else wait for the other side's delayed acknowledgement, 40 ms.
void send_at_once(int socket);

struct BoundSocket {
  UniqueFd socket;
  int port = 0;
};
/// Takes a port on 127.0.0.1 without listening yet; 0: any. Errors: unavailable (in use), permission_denied (below 1024).
Result<BoundSocket> bind_port(int port);
/// A port that was free a moment ago.
Result<int> free_port();

}  // namespace conductorai::infrastructure::releases
