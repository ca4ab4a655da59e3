#pragma once
// 127.0.0.1 as a socket address.

#include <netinet/in.h>

#include <cstdint>

namespace conductorai {

/// `port` 0: any that is free.
inline sockaddr_in loopback_address(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace conductorai
