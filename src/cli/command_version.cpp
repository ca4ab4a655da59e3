#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_lines.hpp"

namespace conductorai::cli {

namespace {

struct VersionOptions {};

int version(const Globals& globals, const VersionOptions&) {
  if (globals.json)
    std::cout << JsonLine().text("type", "version").text("version", CONDUCTORAI_VERSION).str() << std::endl;
  else
    std::cout << "conductorai " CONDUCTORAI_VERSION << std::endl;
  return kOk;
}

}  // namespace

void add_version(CLI::App& app, CommandLine& line) {
  add_command<VersionOptions>(app, line, "version", "Print the version", [](CLI::App&, VersionOptions&) {}, version);
}

}  // namespace conductorai::cli
