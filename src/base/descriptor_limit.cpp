#include "base/descriptor_limit.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

namespace conductorai {

int raise_descriptor_limit(int most) {
  constexpr rlim_t kMost = std::numeric_limits<int>::max();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = std::max(before, std::min(limit.rlim_max, static_cast<rlim_t>(most)));
  return static_cast<int>(std::min(::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before, kMost));
}

}  // namespace conductorai
