#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/report_file.hpp"
#include "cli/terminal.hpp"
#include "core/json.hpp"

extern char** environ;

namespace conductorai::cli {

namespace fs = std::filesystem;

namespace {

struct ReportOptions {
  std::string id, output, open = "auto";
};

bool has_screen() {
  for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY"})
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return true;
  return false;
}

/// Hands it to the desktop's browser. xdg-open returns at once or stays with a browser it started: nobody waits for it.
bool open_in_browser(const fs::path& file) {
  std::string program = "xdg-open", name = file.string();
  char* argv[] = {program.data(), name.data(), nullptr};
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, program.c_str(), &actions, &attributes, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return failed == 0;
}

int tell(const Globals& globals, const WorkflowId& id, const fs::path& file, std::size_t size) {
  if (!globals.json) {
    std::cout << file.string() << std::endl;
    return kOk;
  }
  std::string path, workflow;
  core::append_json_string(path, file.string());
  core::append_json_string(workflow, id.str());
  std::cout << R"({"type":"report","workflow_id":)" << workflow << R"(,"file":)" << path << R"(,"size":)" << size << "}" << std::endl;
  return kOk;
}

int write(const Globals& globals, const ReportOptions& options) {
  auto opened = open_workflow(globals, options.id);
  if (!opened) return report(opened.error());
  auto& [session, id] = *opened;
  auto made = make_report(session->ai(), id);
  if (!made) return report(made.error());
  const std::string& page = made->page;
  if (options.output == "-") {
    std::cout << page << std::flush;
    return kOk;
  }
  const fs::path file = options.output.empty() ? report_path(session->project().state_dir, id) : fs::path(options.output);
  if (auto written = write_report(file, page); !written) return report(written.error());
  const bool open = options.open == "yes" || (options.open == "auto" && !globals.json && output_is_terminal() && has_screen());
  if (open && !open_in_browser(fs::absolute(file)) && options.open == "yes")
    warn(session->config(), "no xdg-open here; the report is in " + file.string());
  return tell(globals, id, file, page.size());
}

}  // namespace

void add_report(CLI::App& app, CommandLine& line) {
  add_command<ReportOptions>(
      app, line, "report", "Write a workflow's story as one HTML page: timeline, graph, evidence, probes, usage",
      [](CLI::App& command, ReportOptions& o) {
        command.add_option("ID", o.id, "Workflow (default: the newest)");
        command.add_option("--output,-o", o.output, "File to write, - for standard output (default: .conductorai/reports/ID.html)")
            ->type_name("FILE");
        command.add_option("--open", o.open, "Open it in a browser: auto (on a terminal of a desktop), yes or no")
            ->check(CLI::IsMember({"auto", "yes", "no"}));
      },
      write);
}

}  // namespace conductorai::cli
