#pragma once
// Recognises the test runner in a shell command, so that it can be run under our shim.

#include <optional>
#include <string>
#include <string_view>

namespace conductorai::evidence {

struct KnownRunner {
  std::string runner;     // python-unittest, python-pytest, node-test, npm, ctest, go, cargo
  std::string before;     // what stands before it, "&&" included: "make && "
  std::string command;    // the runner's own command as it stands
  std::string arguments;  // what the shim is to be given, with a leading space
};

/// Nothing when the last command of the line is no runner we know, or is given arguments or shell syntax that we can't pass on faithfully.
std::optional<KnownRunner> known_runner(std::string_view command);

}  // namespace conductorai::evidence
