#pragma once
// ToolchainRun: a project's toolchain at work in one attempt. Finds it, lays out the shims, and runs its commands as steps.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/task_context.hpp"
#include "evidence/toolchain.hpp"

namespace conductorai::agents {

/// How a command of the toolchain ended, and the file it wrote to CONDUCTORAI_REPORT.
struct ToolchainOutcome {
  CommandOutcome command;
  std::optional<std::string> written;
  [[nodiscard]] const CommandResult& result() const { return command.result; }
  /// What it printed, stdout before stderr.
  [[nodiscard]] std::string printed() const;
};

/// What the workspace's files tell, and those files.
struct FoundToolchain {
  evidence::Toolchain toolchain;
  std::vector<std::string> files;
};
/// Errors: as TaskContext::workspace; invalid_argument (the workflow's toolchain).
task<Result<FoundToolchain>> find_toolchain(TaskContext& context);
/// Whether its dependencies are fetched: it has any, and the sandbox lets it, or the user says how.
bool fetches_dependencies(const evidence::Toolchain& toolchain, const WorkflowDefinition& workflow);

class ToolchainRun {
 public:
  /// Reads the workspace's files. Errors: as TaskContext::workspace; invalid_argument (the workflow's toolchain).
  static task<Result<std::unique_ptr<ToolchainRun>>> open(TaskContext& context);
  /// Of what was found already. Errors: resource_exhausted.
  static Result<std::unique_ptr<ToolchainRun>> open(TaskContext& context, FoundToolchain found);

  [[nodiscard]] const evidence::Toolchain& toolchain() const { return toolchain_; }
  [[nodiscard]] const std::vector<std::string>& files() const { return files_; }

  /// Fetches dependencies, or lays out what the same command brought before for the same lock files: nullopt when there is nothing to do.
  /// Errors: as build.
  task<Result<std::optional<ToolchainOutcome>>> prepare();
  /// Prepares and builds: nullopt when there is nothing to do, else how the last command ended; a failed fetch ends it.
  /// Errors: as TaskContext::run; unavailable (exit code 4) when a program of the toolchain is not installed.
  task<Result<std::optional<ToolchainOutcome>>> build();
  /// Errors of both as build. REQUIRES: the toolchain has such a command.
  task<Result<ToolchainOutcome>> discover();
  task<Result<ToolchainOutcome>> test();
  /// Fetches dependencies, and lets a command that is none of the toolchain's (a model's) lay them out before it begins. How the fetch
  /// ended where it failed. Errors: as build. REQUIRES: fetches_dependencies.
  task<Result<std::optional<ToolchainOutcome>>> prepare_for(CommandRequest& request);

 private:
  ToolchainRun(TaskContext& context, evidence::Toolchain toolchain, std::vector<std::string> files)
      : context_(context), toolchain_(std::move(toolchain)), files_(std::move(files)) {}

  struct Command {
    std::string name;   // of artifacts and folders
    std::string label;  // for progress
    std::string shell;
    bool network = false;
    std::map<std::string, std::string> environment;
    std::vector<Mount> mounts;
  };
  struct Fetch;
  enum class Keep { shared, own, nowhere };  // where a command may keep what it fetches
  Result<void> lay_out();
  void equip(CommandRequest& request) const;
  task<Result<ToolchainOutcome>> run(Command command);
  task<Result<ToolchainOutcome>> run_kept(Command command);
  task<Result<Fetch>> plan_fetch(Workspace& workspace);
  void add_cache(const Fetch& fetch, Keep keep, std::map<std::string, std::string>& environment, std::vector<Mount>& mounts) const;
  static std::string prepare_script(const std::string& mode = {});
  [[nodiscard]] Command fetch_command(const Fetch& fetch, Keep keep) const;
  task<Result<ToolchainOutcome>> fetch(Workspace& workspace, const Fetch& fetch);
  task<Result<ToolchainOutcome>> fetch_from_accepted(Workspace& workspace, const Fetch& fetch);

  TaskContext& context_;
  evidence::Toolchain toolchain_;
  std::vector<std::string> files_;
  std::filesystem::path shims_;     // read-only to commands
  std::filesystem::path products_;  // CONDUCTORAI_BUILD
};

}  // namespace conductorai::agents
