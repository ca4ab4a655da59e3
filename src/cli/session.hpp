#pragma once
// Session: the library opened for one command, with signals and ids as users write them.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "cli/command.hpp"
#include "cli/project.hpp"
#include "conductorai/conductorai.hpp"
#include "definition/config.hpp"

namespace conductorai::cli {

struct SessionRequest {
  bool create = false;                       // the state directory may be made
  std::map<std::string, std::string> flags;  // by configuration key
  std::function<void(const std::string&)> on_progress;
  std::function<void(const AnswerPiece&)> on_text{};
};

class Session {
 public:
  /// Errors: of the configuration, of opening the stores; not_found where there is no state and `create` is false.
  static Result<std::unique_ptr<Session>> open(const Globals& globals, SessionRequest request);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] ConductorAI& ai() { return *ai_; }
  [[nodiscard]] const Project& project() const { return project_; }
  [[nodiscard]] const definition::Config& config() const { return config_; }

  /// A whole id, or a prefix that only one has (with or without "wf-"). Empty: the newest workflow.
  /// Errors: not_found, invalid_argument (several, listed in `where`).
  Result<WorkflowId> find(const std::string& text);
  /// The only workflow for which `fits`; `wanted` completes "there is nothing to …" and "several workflows …: name one".
  /// Errors: not_found, invalid_argument with the list in `where`.
  Result<WorkflowId> find_only(const std::function<bool(const WorkflowSummary&)>& fits, const std::string& wanted);
  /// All workflows, newest first.
  Result<std::vector<WorkflowSummary>> all(WorkflowFilter filter = {});

  /// From here on SIGINT and SIGTERM interrupt the running call; a second one ends the process at once.
  void catch_signals();
  /// The signal that came; 0: none.
  [[nodiscard]] static int signal();

 private:
  Session(Project project, definition::Config config, std::unique_ptr<ConductorAI> ai);
  Project project_;
  definition::Config config_;
  std::unique_ptr<ConductorAI> ai_;
};

/// A session, and the workflow the user names in it.
struct OpenedWorkflow {
  std::unique_ptr<Session> session;
  WorkflowId id;
};
/// Errors: of Session::open and Session::find.
Result<OpenedWorkflow> open_workflow(const Globals& globals, const std::string& id);

std::map<std::string, std::string> environment();

/// Configuration as all commands see it. Prints all but the first problem to stderr.
Result<definition::Config> load_configuration(const Globals& globals, const Project& project, std::map<std::string, std::string> flags);

/// What the configuration says of the library: its stores, agents, limits and models.
Options configured_options(const Project& project, const definition::Config& config);

/// On stderr, unless runtime.log-level leaves warnings out.
void warn(const definition::Config& config, const std::string& sentence);

/// "alice@host", for records of who did something.
std::string user_name();

}  // namespace conductorai::cli
