#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/files.hpp"
#include "cli/json_lines.hpp"
#include "cli/session.hpp"
#include "core/codec.hpp"
#include "core/json.hpp"

namespace conductorai::cli {

namespace fs = std::filesystem;

namespace {

struct ExportOptions {
  std::string id, to;
};

bool is_archive(const std::string& name) {
  return name.ends_with(".tar") || name.ends_with(".tar.gz") || name.ends_with(".tgz");
}

/// An empty folder, made where it is missing. Errors: already_exists, unavailable.
Result<void> claim_folder(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder, error) && (!fs::is_directory(folder, error) || !fs::is_empty(folder, error)))
    return fail(ErrorCode::already_exists, "the target exists already and is not overwritten", folder.string());
  fs::create_directories(folder, error);
  if (error) return fail(ErrorCode::unavailable, error.message(), folder.string());
  return {};
}

/// A file name of ours; never one that content chose.
std::string plain_name(const std::string& text) {
  std::string out;
  for (char c : text.substr(0, 80)) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || (c == '.' && !out.empty());
    out += plain ? c : '_';
  }
  return out.empty() ? "artifact" : out;
}

Result<std::string> write_journal(ConductorAI& ai, const WorkflowId& id, const fs::path& folder) {
  std::string lines, base;
  auto read = ai.read_events(id, 1, false, [&](const EventRecord& record) {
    lines += event_line(record) + "\n";
    if (record.event != "workflow.started") return;
    auto payload = core::parse_json(record.payload);
    const Value* commit = payload ? payload->find("base_commit") : nullptr;
    if (commit != nullptr && commit->as_string() != nullptr) base = *commit->as_string();
  });
  if (!read) return fail(read.error());
  if (auto written = write_new_file(folder / "journal.jsonl", lines); !written) return fail(written.error());
  return base;
}

Result<void> write_artifacts(ConductorAI& ai, const WorkflowId& id, const fs::path& folder) {
  auto records = ai.query_artifacts({.workflow = id, .limit = 1'000'000});
  if (!records) return fail(records.error());
  std::error_code error;
  fs::create_directories(folder / "artifacts", error);
  std::string index;
  for (const auto& record : *records) {
    index += artifact_line(record) + "\n";
    // By content, once: the index says which task and name it belongs to.
    const fs::path file = folder / "artifacts" / (record.digest.str().substr(7, 16) + "-" + plain_name(record.name));
    if (fs::exists(file, error)) continue;
    auto bytes = ai.get_artifact(record.digest);
    if (!bytes) return fail(bytes.error());
    if (auto written = write_new_file(file, *bytes); !written) return written;
  }
  return write_new_file(folder / "artifacts.jsonl", index);
}

/// The branch as a bundle that `git clone` and `git fetch` read, and its change as a patch.
Result<void> write_branch(const WorkflowView& view, const std::string& base, const fs::path& folder) {
  if (view.repo.empty() || view.commit.empty() || view.commit == base) return {};
  const std::string repo = view.repo.string(), branch = "refs/heads/" + view.branch;
  const std::vector<std::string> git{"git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "safe.directory=*",
                                     "-C",  repo};
  auto call = [&](std::vector<std::string> words) {
    words.insert(words.begin(), git.begin(), git.end());
    return run_tool(words);
  };
  if (!call({"rev-parse", "--verify", "--quiet", branch})) return {};  // nothing was merged yet
  const fs::path bundle = fs::absolute(folder) / "branch.bundle";      // git runs in the repository
  if (auto made = call({"bundle", "create", "--quiet", bundle.string(), branch}); !made) return fail(made.error());
  auto patch = call({"diff", "--binary", "--no-ext-diff", "--no-textconv", base, view.commit});
  if (!patch) return fail(patch.error());
  return write_new_file(folder / "branch.patch", *patch);
}

Result<void> write_all(ConductorAI& ai, const WorkflowId& id, const fs::path& folder) {
  auto view = ai.get_workflow_state(id);
  if (!view) return fail(view.error());
  auto definition = ai.get_definition(id);
  if (!definition) return fail(definition.error());
  if (auto written = write_new_file(folder / "result.json", result_line(*view) + "\n"); !written) return written;
  if (auto written = write_new_file(folder / "definition.json", core::encode_definition(**definition) + "\n"); !written) return written;
  auto base = write_journal(ai, id, folder);
  if (!base) return fail(base.error());
  if (auto written = write_artifacts(ai, id, folder); !written) return written;
  return write_branch(*view, *base, folder);
}

Result<void> export_to_archive(ConductorAI& ai, const WorkflowId& id, const fs::path& archive) {
  if (fs::exists(archive)) return fail(ErrorCode::already_exists, "the target exists already and is not overwritten", archive.string());
  const fs::path staging = archive.string() + fmt::format(".{}.partial", ::getpid());
  const fs::path folder = staging / id.str();
  std::error_code ignored;
  auto done = claim_folder(folder);
  if (done) done = write_all(ai, id, folder);
  if (done) {
    const fs::path made = staging / "archive";
    const char* mode = archive.string().ends_with(".tar") ? "-cf" : "-czf";
    auto packed = run_tool({"tar", mode, made.string(), "-C", staging.string(), id.str()});
    if (!packed)
      done = fail(packed.error());
    else
      fs::rename(made, archive);
  }
  fs::remove_all(staging, ignored);
  return done;
}

int export_workflow(const Globals& globals, const ExportOptions& options) {
  auto opened = open_workflow(globals, options.id);
  if (!opened) return report(opened.error());
  auto& [session, id] = *opened;
  Result<void> done;
  if (is_archive(options.to)) {
    done = export_to_archive(session->ai(), id, options.to);
  } else {
    done = claim_folder(options.to);
    if (done) done = write_all(session->ai(), id, options.to);
  }
  if (!done) return report(done.error());
  std::cerr << "exported " << id.str() << " to " << options.to << "\n";
  return kOk;
}

}  // namespace

void add_export(CLI::App& app, CommandLine& line) {
  add_command<ExportOptions>(
      app, line, "export", "Write a workflow's journal, definition, artifacts and branch to a folder or tar file",
      [](CLI::App& command, ExportOptions& o) {
        command.add_option("ID", o.id, "Workflow, or a unique prefix")->required();
        command.add_option("--to", o.to, "New folder, or FILE.tar, FILE.tar.gz")->required()->type_name("DIR|FILE.tar");
      },
      export_workflow);
}

}  // namespace conductorai::cli
