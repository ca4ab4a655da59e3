#pragma once
// TaskContext: everything an agent may touch during one attempt. LLM calls and commands made through it are steps: recorded, budgeted,
// and answered from the record after a crash.

#include <functional>
#include <string>
#include <vector>

#include "conductorai/artifact_store.hpp"
#include "conductorai/clock.hpp"
#include "conductorai/llm_provider.hpp"
#include "conductorai/message_bus.hpp"
#include "conductorai/sandbox.hpp"
#include "conductorai/workspace.hpp"

namespace conductorai {

/// A command as an agent asks for it; environment, limits and mounts of the workflow are added.
struct CommandRequest {
  std::vector<std::string> argv;
  std::string shell;  // instead of argv: run by /bin/sh -c
  std::string working_subdirectory;
  std::map<std::string, std::string> environment;  // added; values of ${{ }} expressions travel here, never in shell text
  std::vector<Mount> mounts;
  std::vector<std::string> collect;  // host files inside writable mounts whose content is wanted back (reports, $CONDUCTORAI_OUTPUT)
  std::int64_t collect_bytes_max = std::int64_t{16} << 20;
  std::optional<Milliseconds> timeout;  // the workflow's sandbox.wall where left out
  bool network = false;
  std::string artifact_name = "output";  // stdout and stderr are kept as "<name>.stdout" and "<name>.stderr" (type log)
  std::string label;                     // for progress: "running the tests"
};
struct CommandOutcome {
  CommandResult result;                          // `file`s are gone; their artifacts are below
  std::map<std::string, std::string> collected;  // by the names given in `collect`; missing files are absent
  std::vector<ArtifactRef> artifacts;            // stdout and stderr, where anything was printed
};

/// An outside call of an agent's own kind, as a step: a release, a window of probes.
struct RecordRequest {
  std::string kind;            // "release", "probe"
  std::string request;         // names what is asked; the same after a crash
  std::string label;           // for progress
  bool changes_files = false;  // of the workspace: the tree it leaves is recorded too, and the files are set to it when it is answered
};
/// Performs it; `StepId` names it for good, so that the other side can recognise a repetition. Its answer is what is recorded.
using PerformStep = std::function<task<Result<Value>>(StepId)>;

class TaskContext {
 public:
  virtual ~TaskContext() = default;
  [[nodiscard]] virtual const TaskAssignment& assignment() const = 0;
  [[nodiscard]] virtual const AgentId& agent() const = 0;
  /// The next step in program order; `request.caller` is filled in. Errors as BaseLLMProvider; budget_exhausted suspends the attempt.
  virtual task<Result<LLMResponse>> ask(LLMRequest request) = 0;
  /// The next step; performed in the sandbox on this attempt's workspace. Errors as Sandbox; budget_exhausted (wall).
  virtual task<Result<CommandOutcome>> run(CommandRequest request) = 0;
  /// The next step; `perform` runs unless its answer is on record. After a crash in between it runs again, so it must know its own
  /// repetition by the step's name, or do no harm. Errors: those of `perform`, budget_exhausted.
  virtual task<Result<Value>> record(RecordRequest request, PerformStep perform) = 0;
  /// Opened at first use. Errors as WorkspaceManager::open.
  virtual task<Result<Workspace*>> workspace() = 0;
  /// Saved under this attempt and added to its result.
  virtual task<Result<ArtifactRef>> save_artifact(std::string name, std::string type, std::string bytes) = 0;
  /// What was saved so far, in order; it goes into the attempt's result.
  [[nodiscard]] virtual std::vector<ArtifactRef> saved_artifacts() const { return {}; }
  /// Settled usage of this attempt's steps, those before a crash included. Errors: those of StateManager.
  virtual task<Result<Usage>> usage() { co_return Usage{}; }
  [[nodiscard]] virtual ArtifactStore& artifacts() = 0;
  [[nodiscard]] virtual Clock& clock() = 0;
  /// One line for whoever watches; not recorded.
  virtual void progress(std::string text) = 0;
  /// A fresh, empty host folder of this attempt outside the workspace, removed with it.
  virtual Result<std::filesystem::path> scratch_folder(std::string purpose) = 0;
  /// A host folder for what can be brought again, the same one for the same `key`, project and environment of commands: `shared` by all
  /// attempts on this machine, else this attempt's alone. It may vanish between two commands. Errors: unsupported (none are kept),
  /// permission_denied, resource_exhausted.
  virtual Result<std::filesystem::path> cache_folder(std::string key, bool shared) {
    (void)shared;
    return fail(ErrorCode::unsupported, "no folders are kept", std::move(key));
  }
};

}  // namespace conductorai
