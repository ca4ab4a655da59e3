#pragma once
#include <string>
#include <vector>

#include "conductorai/result.hpp"

namespace conductorai::facade {

struct ProbeResult {
  std::string probe;
  bool denied = false;
  std::string detail;
};

/// Tries to escape from the sandbox in every way we know. Errors: unavailable (no sandbox to be had).
Result<std::vector<ProbeResult>> sandbox_selftest();

}  // namespace conductorai::facade
