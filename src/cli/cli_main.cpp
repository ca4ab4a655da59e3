#include "base/descriptor_limit.hpp"
#include "cli/app.hpp"
#include "conductorai/conductorai.hpp"

namespace {

// Models' calls over HTTP/1.1 take a connection each; the usual soft limit is there for programs that use select.
constexpr int kDescriptorsMax = 65'536;

}  // namespace

int main(int argc, char** argv) {
  // The sandbox starts this binary again as its own helper: that must happen before anything of the command line is looked at.
  if (auto exit_code = conductorai::run_internal_command(argc, argv)) return *exit_code;
  conductorai::raise_descriptor_limit(kDescriptorsMax);
  return conductorai::cli::run(argc, argv);
}
