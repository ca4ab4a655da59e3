#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/files.hpp"
#include "cli/json_lines.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"

namespace conductorai::cli {

namespace {

struct InitOptions {
  std::string file = "conductorai.yaml";
};
struct ShowOptions {};

int init(const Globals&, const InitOptions& options) {
  if (options.file == "-") {
    std::cout << definition::config_template() << std::flush;
    return kOk;
  }
  if (auto written = write_new_file(options.file, definition::config_template()); !written) return report(written.error());
  std::cerr << "wrote " << options.file << "\n";
  return kOk;
}

int show(const Globals& globals, const ShowOptions&) {
  auto config = load_configuration(globals, find_project(".", globals.state_dir), {});
  if (!config) return report(config.error());
  if (globals.json) {
    for (const auto& [key, value, origin] : definition::shown_settings(*config))
      std::cout << JsonLine().text("type", "setting").text("key", key).text_or_null("value", value).text("origin", origin).str() << "\n";
    return kOk;
  }
  std::cout << clean_text(definition::show_config(*config)) << std::flush;
  return kOk;
}

}  // namespace

void add_config(CLI::App& app, CommandLine& line) {
  CLI::App* config = app.add_subcommand("config", "The configuration of a project");
  config->require_subcommand(1);
  config->fallthrough();
  add_command<InitOptions>(
      *config, line, "init", "Write a commented conductorai.yaml that shows every key",
      [](CLI::App& command, InitOptions& o) { command.add_option("FILE", o.file, "New file to write, - for standard output"); }, init);
  add_command<ShowOptions>(
      *config, line, "show", "Show every value in force and where it comes from", [](CLI::App&, ShowOptions&) {}, show);
}

}  // namespace conductorai::cli
