#pragma once
// ReleaseManager: deployed versions of an app. What serves is owned by the app's supervisor (or the platform behind a driver), not by us:
// it goes on when this process ends.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conductorai/definition.hpp"
#include "conductorai/ids.hpp"
#include "conductorai/models.hpp"
#include "conductorai/result.hpp"
#include "conductorai/task.hpp"
#include "conductorai/time.hpp"

namespace conductorai {

/// `candidate`: being started, gets no traffic. `serving`: has it. `degraded`: has it although the monitor rejected it, for want of a
/// better one. `previous`: gave it up to its successor, kept for a rollback. `stopped`: by a person or a driver's end. `failed`: never
/// got healthy, was rejected, or died past its restarts.
enum class ReleaseState { candidate, serving, degraded, previous, stopped, failed };
std::string_view to_string(ReleaseState state);

/// When a candidate counts as healthy: `successes` good answers in a row before `start_timeout` is over.
struct HealthCheck {
  std::string path;                    // of an HTTP GET, "/healthz"; empty: a TCP connection that the service itself accepts
  int status = 200;                    // the answer it must give
  int successes = 2;                   //
  Milliseconds start_timeout{30'000};  // from start to healthy
  Milliseconds interval{200};          // between two tries
  Milliseconds request_timeout{2'000};
  friend bool operator==(const HealthCheck&, const HealthCheck&) = default;
};

struct ReleaseRequest {
  std::string id;                                // the name of the step that makes it: a second deploy of the same id adopts the first
  std::string app;                               // the workflow's name
  std::string environment = "default";           // an app has one serving release in each
  std::string driver = "process";                // process, container, command, kubernetes
  WorkflowId workflow;                           //
  std::string version;                           // for people: the bundle's version or the commit
  std::filesystem::path files;                   // folder with the release's files; copied before `deploy` answers
  std::string run;                               // shell command of the service; finds its port in $PORT
  int port = 0;                                  // public, on loopback; 0: the one the app has, chosen at its first release
  HealthCheck health;                            //
  SandboxDefinition limits;                      // of the service; `wall` does not apply
  std::map<std::string, std::string> variables;  // environment variables of the service
  Object with;                                   // the deploying task's own keys, for the driver
};

struct ReleaseInfo {
  std::string id;
  std::string app, environment, driver, version;
  WorkflowId workflow;
  ReleaseState state = ReleaseState::candidate;
  std::string reason;  // why it is in this state, one sentence
  std::string url;     // "http://127.0.0.1:41873"; empty where the driver knows none
  Timestamp created_at{}, changed_at{};
  int restarts = 0;            // since it was started last; -1 unknown
  bool alive = false;          // its process is there now, or its platform says that it runs
  bool alive_known = true;     // false: nobody could tell, and `alive` is false
  std::int64_t pid = 0;        // of its first process on this machine; 0: none
  std::int64_t rss_bytes = 0;  // of all its processes; 0 unknown
  std::int64_t cpu_ms = 0;     // used since it was started; 0 unknown
  std::int64_t log_bytes = 0;  // printed since it was started
  friend bool operator==(const ReleaseInfo&, const ReleaseInfo&) = default;
};

/// Every call may be repeated. Errors of every call: unavailable (supervisor or platform cannot be reached), resource_exhausted, cancelled;
/// of those that name a release: not_found.
class ReleaseManager {
 public:
  virtual ~ReleaseManager() = default;
  /// Starts the candidate beside what serves, waits for its health, switches. Answers with the release: `serving`, or `failed` with the
  /// reason while the old one serves on. Errors: invalid_argument (driver, port, no run command), unavailable (port in use).
  virtual task<Result<ReleaseInfo>> deploy(ReleaseRequest request) = 0;
  /// The monitor's word: gives way to the previous healthy release and is `failed`; without one it becomes `degraded`.
  virtual task<Result<ReleaseInfo>> reject(std::string id, std::string reason) = 0;
  /// A person's word: back to the release before `id`. Errors: conflict (there is none, or it is not healthy).
  virtual task<Result<ReleaseInfo>> rollback(std::string id) = 0;
  virtual task<Result<ReleaseInfo>> stop(std::string id, std::string reason) = 0;
  virtual task<Result<ReleaseInfo>> get(std::string id) = 0;
  /// Newest first.
  virtual task<Result<std::vector<ReleaseInfo>>> list() = 0;
  /// The newest bytes of what the service printed, at most `bytes_max`; made printable.
  virtual task<Result<std::string>> logs(std::string id, std::int64_t bytes_max) = 0;
  /// What a workflow that ended leaves: its candidates are stopped; its degraded release too unless it completed.
  virtual task<Result<void>> workflow_ended(WorkflowId workflow, WorkflowStatus status) = 0;
};

}  // namespace conductorai
