#pragma once
// What goes between us and the warden, over a SOCK_SEQPACKET pair. Request: one byte; descriptors: the packed LaunchSpec (a file in
// memory), the report pipe, the child's descriptors, the cgroup files. Answer: Answer; descriptors: the process's pidfd when `code` is -1.

#include <string>
#include <vector>

#include "infrastructure/process/fd.hpp"
#include "infrastructure/sandbox/launch.hpp"

namespace conductorai::infrastructure {

struct Answer {
  int code = -1;  // ErrorCode of a failed launch
  char message[256] = {};
  char where[256] = {};
};

/// Descriptors by number of what `spec.descriptors` and the cgroup fields hold; the numbers themselves travel beside, in that order.
std::string pack(const LaunchSpec& spec);
LaunchSpec unpack(const std::string& bytes, const std::vector<int>& descriptors);

bool send_with(int socket, const void* data, std::size_t size, const std::vector<int>& descriptors, bool wait);
/// Received descriptors are close-on-exec. -1 on error, 0 at the end.
ssize_t receive_with(int socket, void* data, std::size_t size, std::vector<UniqueFd>& descriptors);

}  // namespace conductorai::infrastructure
