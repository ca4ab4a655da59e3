#pragma once
// Other programs, ours and others', as processes of their own.

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace conductorai::bench {

/// A program that lies beside this one.
std::filesystem::path beside_us(const char* program);
/// Standard output goes to `out`, or away where that is -1; standard error always away. `more`: "NAME=value", before the own environment.
/// -1 when it could not be started.
pid_t start_program(std::vector<std::string> argv, int out = -1, std::vector<std::string> more = {});
/// Exit code; -1 for one that did not end by itself.
int wait_for(pid_t pid);

}  // namespace conductorai::bench
