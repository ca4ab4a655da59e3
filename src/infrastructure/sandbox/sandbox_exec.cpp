#include "infrastructure/sandbox/sandbox_exec.hpp"

#include <cstdlib>
#include <string_view>

#include "infrastructure/sandbox/probes.hpp"
#include "infrastructure/sandbox/supervisor.hpp"
#include "infrastructure/sandbox/warden.hpp"

namespace conductorai::infrastructure {

bool is_sandbox_exec(int argc, char** argv) {
  if (argc < 2) return false;
  const std::string_view mode = argv[1];
  return mode == "__sandbox-exec" || mode == "__sandbox-probe";
}

int sandbox_exec_main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string_view mode = argv[1];
  if (mode == "__sandbox-probe") return probe(argv[2], argv + 3);
  if (argc < 4) return 2;
  if (std::string_view(argv[2]) == "warden") return warden_main(std::atoi(argv[3]));
  return supervise(argv + 3);
}

}  // namespace conductorai::infrastructure
