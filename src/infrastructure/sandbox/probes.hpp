#pragma once
// The attacking side of the selftest: code that runs inside and tries to get out.

#include <string>
#include <utility>
#include <vector>

namespace conductorai::infrastructure {

/// What came of one attempt. The detail tells what was reached, or what refused.
struct Attempt {
  bool escaped = false;
  std::string detail;
};
using ProbeFunction = Attempt (*)();
using ProbeTable = std::vector<std::pair<const char*, ProbeFunction>>;

/// What the outside prepared as prey travels in these variables.
inline constexpr const char* kSecretPathVariable = "PROBE_SECRET_PATH";  // a file with the secret, readable for everyone
inline constexpr const char* kSecretVariable = "PROBE_SECRET_NAME";      // the variable that holds the secret in our own environment
inline constexpr const char* kPortVariable = "PROBE_PORT";               // a listener on loopback
inline constexpr const char* kSocketVariable = "PROBE_SOCKET";           // a listening unix socket
inline constexpr const char* kPidVariable = "PROBE_PID";                 // a process of the same user outside

ProbeTable file_probes();
ProbeTable process_probes();
ProbeTable network_probes();
ProbeTable kernel_probes();
/// These go on until something stops them.
ProbeTable greedy_probes();

/// What the line on stdout begins with: an exit code alone could be anybody's.
inline constexpr const char* kEscapedWord = "escaped: ";
inline constexpr const char* kDeniedWord = "denied: ";

/// Runs the probe `name`. Exit code 0: it got out; 1: denied; 2: no such probe. The detail stands on stdout, behind one of the words above.
int probe(const char* name, char** args);

// For the probes themselves.
Attempt escaped(std::string detail);
Attempt denied(std::string detail);
/// "what: the errno's text"
std::string refusal(const std::string& what);
std::string variable(const char* name);
long number(const char* name);

}  // namespace conductorai::infrastructure
