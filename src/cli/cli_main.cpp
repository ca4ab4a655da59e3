#include <sys/resource.h>

#include <algorithm>

#include "cli/app.hpp"
#include "conductorai/conductorai.hpp"

namespace {

constexpr rlim_t kDescriptorsMax = 65'536;

/// Models' calls over HTTP/1.1 take a connection each; the usual soft limit is there for programs that use select.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kDescriptorsMax));
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  // The sandbox starts this binary again as its own helper: that must happen before anything of the command line is looked at.
  if (auto exit_code = conductorai::run_internal_command(argc, argv)) return *exit_code;
  raise_descriptor_limit();
  return conductorai::cli::run(argc, argv);
}
