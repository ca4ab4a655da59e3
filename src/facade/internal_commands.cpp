#include "conductorai/conductorai.hpp"
#include "infrastructure/releases/supervisor_process.hpp"
#include "infrastructure/sandbox/sandbox_exec.hpp"

namespace conductorai {

std::optional<int> run_internal_command(int argc, char** argv) {
  if (infrastructure::is_sandbox_exec(argc, argv)) return infrastructure::sandbox_exec_main(argc, argv);
  if (infrastructure::releases::is_release_exec(argc, argv)) return infrastructure::releases::release_exec_main(argc, argv);
  return std::nullopt;
}

}  // namespace conductorai
