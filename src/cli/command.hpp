#pragma once
// What commands share. Each stands in a file of its own, command_NAME.cpp, and adds itself to the CLI11 app.

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace conductorai::cli {

struct Globals {
  std::string state_dir, config_file, state, log_level;
  bool json = false;
};

/// One command line. The chosen subcommand's callback sets `action`; nothing happens while parsing.
struct CommandLine {
  Globals globals;
  std::function<int()> action;
};

/// Adds a subcommand; `run` gets its options, which live as long as the app.
template <class Options, class Declare>
CLI::App* add_command(CLI::App& app, CommandLine& line, const std::string& name, const std::string& help, Declare declare,
                      int (*run)(const Globals&, const Options&)) {
  CLI::App* command = app.add_subcommand(name, help);
  auto options = std::make_shared<Options>();
  declare(*command, *options);
  command->callback([options, &line, run] { line.action = [options, &line, run] { return run(line.globals, *options); }; });
  return command;
}

void add_agents(CLI::App& app, CommandLine& line);
void add_artifacts(CLI::App& app, CommandLine& line);
void add_bench(CLI::App& app, CommandLine& line);
void add_completion(CLI::App& app, CommandLine& line);
void add_config(CLI::App& app, CommandLine& line);
void add_control(CLI::App& app, CommandLine& line);
void add_dlq(CLI::App& app, CommandLine& line);
void add_doctor(CLI::App& app, CommandLine& line);
void add_events(CLI::App& app, CommandLine& line);
void add_export(CLI::App& app, CommandLine& line);
void add_fork(CLI::App& app, CommandLine& line);
void add_init(CLI::App& app, CommandLine& line);
void add_list(CLI::App& app, CommandLine& line);
void add_llm(CLI::App& app, CommandLine& line);
void add_man(CLI::App& app, CommandLine& line);
void add_plan(CLI::App& app, CommandLine& line);
void add_prune(CLI::App& app, CommandLine& line);
void add_report(CLI::App& app, CommandLine& line);
void add_monitor(CLI::App& app, CommandLine& line);
void add_releases(CLI::App& app, CommandLine& line);
void add_resume(CLI::App& app, CommandLine& line);
void add_run(CLI::App& app, CommandLine& line);
void add_sandbox(CLI::App& app, CommandLine& line);
void add_schema(CLI::App& app, CommandLine& line);
void add_status(CLI::App& app, CommandLine& line);
void add_validate(CLI::App& app, CommandLine& line);
void add_version(CLI::App& app, CommandLine& line);
void add_watch(CLI::App& app, CommandLine& line);
void add_why(CLI::App& app, CommandLine& line);

}  // namespace conductorai::cli
