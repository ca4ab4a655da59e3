#include "cli/app.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"

namespace conductorai::cli {

namespace {

void declare_globals(CLI::App& app, Globals& globals) {
  app.add_option("--state-dir", globals.state_dir, "Where state is kept (default: .conductorai of the project)")->type_name("DIR");
  app.add_option("--config", globals.config_file, "Configuration in place of the project's conductorai.yaml")->type_name("FILE");
  app.add_option("--state", globals.state, "State backend: sqlite or memory")->type_name("NAME");
  app.add_option("--log-level", globals.log_level, "error, warn, info or debug")->type_name("LEVEL");
  app.add_flag("--json", globals.json, "One JSON object a line on standard output");
}

void declare_commands(CLI::App& app, CommandLine& line) {
  for (auto* add :
       {add_run,    add_resume,  add_fork,      add_status,   add_list,    add_events, add_watch,      add_why,    add_report, add_validate,
        add_plan,   add_control, add_artifacts, add_releases, add_monitor, add_export, add_prune,      add_agents, add_dlq,    add_init,
        add_schema, add_config,  add_doctor,    add_sandbox,  add_bench,   add_llm,    add_completion, add_man,    add_version})
    add(app, line);
}

int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  std::string what = error.what();
  // CLI11 misses the subcommand before it notices the word that is none.
  const auto rest = app.remaining();
  if (app.get_subcommands().empty() && !rest.empty()) what = "unknown command or option: " + rest.front();
  while (!what.empty() && what.back() == '\n') what.pop_back();
  for (char& c : what)
    if (c == '\n') c = ' ';
  std::string help = "conductorai";
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    help += " " + at->get_name();
  }
  return report({.code = ErrorCode::invalid_argument, .message = what, .hint = help + " --help"});
}

/// An unset variable of the shell between quotes would mean "the only one there is" to a command that takes an id.
bool holds_empty_word(int argc, char** argv) {
  return std::any_of(argv + std::min(argc, 1), argv + argc, [](const char* word) { return *word == '\0'; });
}

/// What was asked for is not done where it could not be printed (a full disk behind a redirection).
int delivered(int code) {
  std::cout << std::flush;
  if (std::cout.good() && std::fflush(stdout) == 0) return code;
  return report({.code = ErrorCode::resource_exhausted,
                 .message = "what there is to say could not be written to standard output",
                 .hint = "is the disk full that it is redirected to? conductorai status shows how the workflow stands"});
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app("Takes a requirement to software that runs and is watched: durable workflows of LLM agents, judged by evidence",
               "conductorai");
  CommandLine line;
  app.require_subcommand(1);
  app.fallthrough();  // global options may follow the command
  app.set_version_flag("--version", "conductorai " CONDUCTORAI_VERSION);
  declare_globals(app, line.globals);
  declare_commands(app, line);
  if (holds_empty_word(argc, argv))
    return report({.code = ErrorCode::invalid_argument,
                   .message = "an argument is empty",
                   .hint = "is a variable of the shell not set? Leave the argument out if that is meant"});
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& done) {
    return delivered(app.exit(done));  // --help, --version
  } catch (const CLI::ParseError& error) {
    if (argc <= 1) {
      std::cerr << app.help();
      return kUsersText;
    }
    return usage_error(app, error);
  }
  return delivered(line.action());
}

}  // namespace conductorai::cli
