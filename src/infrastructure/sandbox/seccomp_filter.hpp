#pragma once
// The system calls a sandboxed program is denied, as a compiled BPF program for bubblewrap's --seccomp.

#include <string>

#include "conductorai/result.hpp"

namespace conductorai::infrastructure {

/// The filter's bytes; compiled once. Errors: unavailable (libseccomp refuses: a kernel without seccomp).
Result<std::string> seccomp_filter();

}  // namespace conductorai::infrastructure
