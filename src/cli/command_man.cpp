#include <fmt/format.h>

#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/man_page.hpp"

namespace conductorai::cli {

namespace {

/// Text of a line: nothing of it is a request or an escape, and every hyphen can be copied into a shell.
std::string roff(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out += "\\&";
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '\n')
      out += ' ';
    else
      out += c;
  }
  return out;
}

/// "TEXT:{a,b}" of a checked option as "a|b".
std::string value_of(const CLI::Option& option) {
  if (option.get_expected_max() == 0) return "";
  std::string type = option.get_type_name();
  const std::size_t open = type.find('{'), close = type.rfind('}');
  if (open == std::string::npos || close == std::string::npos) return type;
  std::string choices = type.substr(open + 1, close - open - 1);
  for (char& c : choices)
    if (c == ',') c = '|';
  return choices;
}

std::string option_entry(const CLI::Option& option) {
  std::string names;
  for (const auto& name : option.get_snames()) names += fmt::format("{}\\fB\\-{}\\fR", names.empty() ? "" : ", ", roff(name));
  for (const auto& name : option.get_lnames()) names += fmt::format("{}\\fB\\-\\-{}\\fR", names.empty() ? "" : ", ", roff(name));
  if (names.empty())
    names = fmt::format("\\fI{}\\fR", roff(option.get_name(true)));
  else if (const std::string value = value_of(option); !value.empty())
    names += fmt::format(" \\fI{}\\fR", roff(value));
  return fmt::format(".TP\n{}\n{}\n", names, roff(option.get_description()));
}

std::string options_of(const CLI::App& command) {
  std::string out;
  for (const CLI::Option* option : command.get_options())
    if (option != command.get_help_ptr()) out += option_entry(*option);
  return out;
}

std::string usage_of(const CLI::App& command, const std::string& path) {
  std::string line = fmt::format("\\fBconductorai {}\\fR", roff(path));
  for (const CLI::Option* option : command.get_options())
    if (option->get_positional()) {
      const std::string name = fmt::format("\\fI{}\\fR", roff(option->get_name(true)));
      line += option->get_required() ? " " + name : " [" + name + "]";
    }
  return line;
}

bool hidden(const CLI::App& command) {
  return command.get_group().empty();
}

std::string commands_of(const CLI::App& app, const std::string& above) {
  std::string out;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (hidden(*command)) continue;
    const std::string path = above + command->get_name();
    const std::string inner = commands_of(*command, path + " ");
    // A group alone does nothing: only what stands in it is a command.
    out += inner.empty() ? fmt::format(".SS {}\n{}.\n{}", usage_of(*command, path), roff(command->get_description()), options_of(*command))
                         : inner;
  }
  return out;
}

constexpr std::string_view kAfterCommands = R"(.SH EXIT STATUS
.TP
.B 0
completed; commands that look, when they could answer
.TP
.B 1
failed, cancelled, rejected
.TP
.B 2
what the user wrote: flags, files, YAML, ids, not a repository, a dirty base
.TP
.B 3
paused: a budget is used up, or an approval is waited for
.TP
.B 4
the machine: state not writable or newer, disk full, owned by another process, sandbox or provider missing
.TP
.B 130, 143
interrupted, terminated: the state is kept
.SH FILES
.TP
.I workflow.yaml
what is wanted, and how it is judged
.TP
.I conductorai.yaml
configuration of a project; \fBconductorai config init\fR writes a commented one
.TP
.I .conductorai/
state: journal, artifacts, reports; in the nearest folder upwards with \fI.conductorai\fR, \fIconductorai.yaml\fR or \fI.git\fR
.SH ENVIRONMENT
.TP
.B CONDUCTORAI_LLM__MODEL
and so on: every key of the configuration, in capitals, with two underscores between the parts
.TP
.B NO_COLOR
no colours on a terminal
.SH EXAMPLES
.nf
conductorai init
conductorai run workflow.yaml \-\-llm mock
conductorai why
conductorai resume
conductorai report
.fi
.SH SEE ALSO
.BR git (1),
.BR bwrap (1)
)";

void print_man(const CLI::App& app) {
  std::cout << man_page(app, CONDUCTORAI_VERSION) << std::flush;
}

}  // namespace

std::string man_page(const CLI::App& app, std::string_view version) {
  std::string out = fmt::format(".TH CONDUCTORAI 1 \"\" \"ConductorAI {}\" \"User Commands\"\n", version);
  out += ".SH NAME\nconductorai \\- durable workflows of LLM agents, judged by evidence\n";
  out += ".SH SYNOPSIS\n.B conductorai\n.RI [ options ]\n.I command\n.RI [ arguments ]\n";
  out += fmt::format(".SH DESCRIPTION\n{}.\n", roff(app.get_description()));
  out += "Workflow ids may be shortened to a prefix that only one workflow has; left out, the newest is meant.\n";
  out += ".SH OPTIONS\nThey may stand before or after the command.\n" + options_of(app);
  out += ".SH COMMANDS\n" + commands_of(app, "");
  out += kAfterCommands;
  return out;
}

void add_man(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("man", "Print the manual page: conductorai man | man -l -");
  command->callback([&app, &line] {
    line.action = [&app] {
      print_man(app);
      return int{kOk};
    };
  });
}

}  // namespace conductorai::cli
