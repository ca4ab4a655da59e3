#pragma once
#include <string>

#include "conductorai/sandbox.hpp"

namespace conductorai::infrastructure {

/// What bubblewrap's own words on stderr mean, when it could not start the program.
Error bubblewrap_error(const std::string& words, const SandboxCommand& command);

}  // namespace conductorai::infrastructure
