#include "infrastructure/sandbox/warden_protocol.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace conductorai::infrastructure {

namespace {

constexpr std::size_t kDescriptorsMax = 64;

template <class T>
void put(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void put(std::string& out, const std::string& text) {
  put(out, text.size());
  out += text;
}
void put(std::string& out, const std::vector<std::string>& texts) {
  put(out, texts.size());
  for (const auto& text : texts) put(out, text);
}

/// Both ends are the same program, so plain bytes do.
struct Reader {
  std::string_view rest;

  template <class T>
  T take() {
    T value{};
    rest.copy(reinterpret_cast<char*>(&value), sizeof value);
    rest.remove_prefix(sizeof value);
    return value;
  }
  std::string text() {
    const auto size = take<std::size_t>();
    std::string out(rest.substr(0, size));
    rest.remove_prefix(size);
    return out;
  }
  std::vector<std::string> texts() {
    std::vector<std::string> out(take<std::size_t>());
    for (auto& item : out) item = text();
    return out;
  }
};

}  // namespace

std::string pack(const LaunchSpec& spec) {
  std::string out;
  put(out, spec.program);
  put(out, spec.argv);
  put(out, spec.environment);
  put(out, spec.working_directory.string());
  put(out, spec.user.has_value());
  put(out, spec.user.value_or(RunAs{}));
  put(out, spec.death_signal);
  put(out, spec.descriptors.size());
  put(out, spec.cgroup_folder >= 0);
  put(out, spec.limits.size());
  for (const auto& limit : spec.limits) put(out, limit);
  return out;
}

LaunchSpec unpack(const std::string& bytes, const std::vector<int>& descriptors) {
  Reader reader{bytes};
  LaunchSpec spec;
  spec.program = reader.text();
  spec.argv = reader.texts();
  spec.environment = reader.texts();
  spec.working_directory = reader.text();
  const bool has_user = reader.take<bool>();
  const auto user = reader.take<RunAs>();
  if (has_user) spec.user = user;
  spec.death_signal = reader.take<int>();
  auto rest = descriptors.begin() + static_cast<std::ptrdiff_t>(reader.take<std::size_t>());
  spec.descriptors.assign(descriptors.begin(), rest);
  if (reader.take<bool>()) spec.cgroup_folder = *rest++;
  spec.cgroup_tasks.assign(rest, descriptors.end());
  spec.limits.resize(reader.take<std::size_t>());
  for (auto& limit : spec.limits) limit = reader.take<ResourceLimit>();
  return spec;
}

bool send_with(int socket, const void* data, std::size_t size, const std::vector<int>& descriptors, bool wait) {
  iovec piece{const_cast<void*>(data), size};
  alignas(cmsghdr) char control[CMSG_SPACE(kDescriptorsMax * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const std::size_t bytes = descriptors.size() * sizeof(int);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(header), descriptors.data(), bytes);
  }
  ssize_t sent = 0;
  while ((sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT))) < 0 && errno == EINTR) {
  }
  return sent == static_cast<ssize_t>(size);
}

ssize_t receive_with(int socket, void* data, std::size_t size, std::vector<UniqueFd>& descriptors) {
  iovec piece{data, size};
  alignas(cmsghdr) char control[CMSG_SPACE(kDescriptorsMax * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = 0;
  while ((got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  if (got < 0) return got;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t n = 0; n < count; ++n) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + n * sizeof(int), sizeof fd);
      descriptors.emplace_back(fd);
    }
  }
  return got;
}

}  // namespace conductorai::infrastructure
