#include "infrastructure/sandbox/probes.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace conductorai::infrastructure {

Attempt escaped(std::string detail) {
  return {true, std::move(detail)};
}
Attempt denied(std::string detail) {
  return {false, std::move(detail)};
}

std::string refusal(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string(value);
}

long number(const char* name) {
  return std::strtol(variable(name).c_str(), nullptr, 10);
}

int probe(const char* name, char** /*args*/) {
  for (const ProbeTable& table : {file_probes(), process_probes(), network_probes(), kernel_probes(), greedy_probes()})
    for (const auto& [known, function] : table)
      if (std::strcmp(known, name) == 0) {
        const Attempt attempt = function();
        std::printf("%s%s\n", attempt.escaped ? kEscapedWord : kDeniedWord, attempt.detail.c_str());
        return attempt.escaped ? 0 : 1;
      }
  std::fprintf(stderr, "no such probe: %s\n", name);
  return 2;
}

}  // namespace conductorai::infrastructure
