#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/files.hpp"
#include "cli/json_lines.hpp"
#include "cli/session.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"

namespace conductorai::cli {

namespace {

constexpr int kArtifactsMax = 1'000'000;

struct ListOptions {
  std::string id, task, type, name;
};
struct GetOptions {
  std::string digest, output;
};

int list(const Globals& globals, const ListOptions& options) {
  auto opened = open_workflow(globals, options.id);
  if (!opened) return report(opened.error());
  auto& [session, id] = *opened;
  auto records = session->ai().query_artifacts(
      {.workflow = id, .task = TaskId(options.task), .agent = {}, .type = options.type, .name = options.name, .limit = kArtifactsMax});
  if (!records) return report(records.error());
  Table table({"DIGEST", "SIZE", "TYPE", "TASK", "ROUND", "TRY", "NAME"});
  for (const auto& record : *records) {
    if (globals.json)
      std::cout << artifact_line(record) << "\n";
    else
      table.add({{record.digest.str().substr(0, 19)},
                 {size_text(record.size)},
                 {clean_line(record.type)},
                 {record.task.empty() ? "-" : clean_line(record.task.str())},
                 {std::to_string(record.round)},
                 {std::to_string(record.attempt)},
                 {clean_line(record.name)}});
  }
  if (!globals.json) std::cout << table.text(terminal_columns(), use_colors());
  std::cout << std::flush;
  return kOk;
}

/// A whole digest, or the beginning of the only one that starts so. Errors: not_found, invalid_argument.
Result<Digest> find_digest(ConductorAI& ai, const std::string& text) {
  const std::string wanted = text.starts_with("sha256:") ? text : "sha256:" + text;
  if (wanted.size() == std::string_view("sha256:").size() + 64) return Digest(wanted);
  auto records = ai.query_artifacts({.limit = kArtifactsMax});
  if (!records) return fail(records.error());
  std::optional<Digest> found;
  for (const auto& record : *records) {
    if (!record.digest.str().starts_with(wanted)) continue;
    if (found && *found != record.digest) return fail(ErrorCode::invalid_argument, "the digest is ambiguous", text);
    found = record.digest;
  }
  if (!found || text.empty())
    return fail(ErrorCode::not_found, "no such artifact", text, "conductorai artifacts list ID shows those of a workflow");
  return *found;
}

Result<std::string> bytes_of(Session& session, const std::string& text) {
  auto digest = find_digest(session.ai(), text);
  if (!digest) return fail(digest.error());
  return session.ai().get_artifact(*digest);
}

int get(const Globals& globals, const GetOptions& options) {
  auto session = Session::open(globals, {});
  if (!session) return report(session.error());
  auto bytes = bytes_of(**session, options.digest);
  if (!bytes) return report(bytes.error());
  if (auto written = write_new_file(options.output, *bytes); !written) return report(written.error());
  std::cerr << options.output << ": " << size_text(static_cast<std::int64_t>(bytes->size())) << "\n";
  return kOk;
}

int cat(const Globals& globals, const GetOptions& options) {
  auto session = Session::open(globals, {});
  if (!session) return report(session.error());
  auto bytes = bytes_of(**session, options.digest);
  if (!bytes) return report(bytes.error());
  // Byte for byte into a pipe or file; on a terminal nothing of it may steer.
  std::cout << (output_is_terminal() ? clean_text(*bytes) : *bytes) << std::flush;
  return kOk;
}

}  // namespace

void add_artifacts(CLI::App& app, CommandLine& line) {
  CLI::App* artifacts = app.add_subcommand("artifacts", "Look at what workflows kept: answers, diffs, logs, reports");
  artifacts->require_subcommand(1);
  artifacts->fallthrough();
  add_command<ListOptions>(
      *artifacts, line, "list", "List the artifacts of a workflow",
      [](CLI::App& command, ListOptions& o) {
        command.add_option("ID", o.id, "Workflow (default: the newest)");
        command.add_option("--task", o.task, "Only of this task")->type_name("TASK");
        command.add_option("--type", o.type, "Only of this type")->type_name("TYPE");
        command.add_option("--name", o.name, "Only with this name")->type_name("NAME");
      },
      list);
  add_command<GetOptions>(
      *artifacts, line, "get", "Write an artifact to a file",
      [](CLI::App& command, GetOptions& o) {
        command.add_option("DIGEST", o.digest, "Digest, or a unique beginning of one")->required();
        command.add_option("--output,-o", o.output, "New file to write")->required()->type_name("FILE");
      },
      get);
  add_command<GetOptions>(
      *artifacts, line, "cat", "Print an artifact",
      [](CLI::App& command, GetOptions& o) { command.add_option("DIGEST", o.digest, "Digest, or a unique beginning of one")->required(); },
      cat);
}

}  // namespace conductorai::cli
