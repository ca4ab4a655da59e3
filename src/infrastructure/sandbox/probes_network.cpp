#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "infrastructure/sandbox/probes.hpp"

namespace conductorai::infrastructure {

namespace {

bool connects(int family, int type, const char* address, int port) {
  const int fd = ::socket(family, type, 0);
  if (fd < 0) return false;
  int result = -1;
  if (family == AF_INET) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, address, &to.sin_addr);
    result = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  } else {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET6, address, &to.sin6_addr);
    result = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  ::close(fd);
  return result == 0;
}

Attempt loopback() {
  const int port = static_cast<int>(number(kPortVariable));
  if (connects(AF_INET, SOCK_STREAM, "127.0.0.1", port)) return escaped("reached a service on the machine's loopback");
  return denied(refusal("connect to a service on loopback"));
}

/// A connected datagram socket needs a route, and sends nothing.
Attempt outside_network() {
  if (connects(AF_INET, SOCK_DGRAM, "192.0.2.1", 9)) return escaped("has a route to the outside");
  if (connects(AF_INET6, SOCK_DGRAM, "2001:db8::1", 9)) return escaped("has an IPv6 route to the outside");
  const std::string why = refusal("route to the outside");
  ifaddrs* list = nullptr;
  std::string others;
  if (::getifaddrs(&list) == 0)
    for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next)
      if ((at->ifa_flags & IFF_LOOPBACK) == 0) others += std::string(" ") + at->ifa_name;
  ::freeifaddrs(list);
  return others.empty() ? denied(why) : escaped("sees the interfaces" + others);
}

bool connects_unix(std::string path) {
  const bool abstract = path.starts_with('@');
  if (abstract) path[0] = '\0';
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, path.data(), std::min(path.size(), sizeof to.sun_path - 1));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
  const int result = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), length);
  ::close(fd);
  return result == 0;
}

Attempt unix_sockets() {
  const std::string path = variable(kSocketVariable);
  if (connects_unix(path)) return escaped("reached a unix socket of the machine");
  const std::string why = refusal("connect to a unix socket of the machine");
  if (connects_unix("@" + path)) return escaped("reached an abstract unix socket of the machine");
  for (const char* name : {"/var/run/docker.sock", "/run/docker.sock", "/run/dbus/system_bus_socket", "/run/systemd/private"})
    if (connects_unix(name)) return escaped(std::string("reached ") + name);
  return denied(why);
}

Attempt raw_sockets() {
  if (::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0) return escaped("opened a raw socket");
  if (::socket(AF_PACKET, SOCK_RAW, 0) >= 0) return escaped("opened a packet socket");
  return denied(refusal("open a raw socket"));
}

Attempt other_families() {
  for (const int family : {AF_VSOCK, AF_ALG, AF_BLUETOOTH, AF_TIPC})
    if (::socket(family, SOCK_STREAM, 0) >= 0 || ::socket(family, SOCK_SEQPACKET, 0) >= 0)
      return escaped("opened a socket of family " + std::to_string(family) + ", which no namespace confines");
  return denied(refusal("open sockets that no namespace confines"));
}

}  // namespace

ProbeTable network_probes() {
  return {{"loopback", loopback},
          {"outside-network", outside_network},
          {"unix-sockets", unix_sockets},
          {"raw-sockets", raw_sockets},
          {"other-socket-families", other_families}};
}

}  // namespace conductorai::infrastructure
