#pragma once
// Toolchains: how a project is prepared, built and tested, told from its files, and overridden by the workflow's `toolchain`.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conductorai/definition.hpp"
#include "conductorai/result.hpp"

namespace conductorai::evidence {

/// Commands are shell text for /bin/sh, run in the workspace. They find what is ours through the environment, so that their text is the
/// same in every attempt: CONDUCTORAI_SHIMS (folder of shims(), read-only), CONDUCTORAI_BUILD (writable folder outside the workspace, for
/// build products), CONDUCTORAI_REPORT (file to write, in a fresh writable folder). Build products may be gone when a later command
/// runs (a resumed attempt): `discover` and `test` of detected toolchains build again where they must.
struct Toolchain {
  std::string name;                  // python-unittest, python-pytest, node-test, npm, cmake, make, go, cargo, command
  std::string language;              // python, javascript, c++, go, rust; empty: unknown
  std::string prepare;               // fetches dependencies; may need the network. Empty: nothing to fetch
  std::string build;                 // builds, or checks the syntax where nothing is built. Empty: neither is known
  std::string discover;              // writes the names of the tests to CONDUCTORAI_REPORT. Empty: tests can't be listed beforehand
  std::string test;                  // runs them. Empty: the project has no way to run tests that we know
  std::string run;                   // starts the service
  std::string discovery_format;      // parse_discovery
  std::string report_format;         // parse_report; empty: the exit code is all there is
  std::string report_path;           // in the workspace, written by the project's own runner; empty: our runner writes CONDUCTORAI_REPORT
  bool builds_in_workspace = false;  // prepare or build leave what `test` needs in the workspace, and `test` does not make it again
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> folders;  // more environment: each names a folder below CONDUCTORAI_BUILD
  std::vector<std::string> programs;           // of ours among them: missing ones are an error of the machine, not of the tested code
  std::string install_hint;                    // what to install when a program is missing
};

/// Content of a file, nullopt when it is not there or unreadable.
using ReadFile = std::function<std::optional<std::string>(const std::string& path)>;

/// Those of `files` whose content detection looks at, at most 200: for callers whose files must be fetched beforehand.
std::vector<std::string> files_to_read(const std::vector<std::string>& files);

/// `files` are the workspace's, relative and "/"-separated. What `definition` sets replaces what was detected, command by command.
/// Errors: invalid_argument (a report format we don't know). A project nothing is known of gives a toolchain with an empty `test`.
Result<Toolchain> detect_toolchain(const std::vector<std::string>& files, const ReadFile& read, const ToolchainDefinition& definition);

/// The error for a program that is not there: unavailable (exit code 4), naming what to install.
Error missing_program(const Toolchain& toolchain, std::string program);

}  // namespace conductorai::evidence
