#pragma once
// WorkflowRun: one owned workflow. A mailbox, one turn at a time: decide all that waits, append one row, then act.

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/decide.hpp"
#include "orchestration/engine/history.hpp"
#include "orchestration/engine/ports.hpp"
#include "runtime/event.hpp"
#include "runtime/scope.hpp"

namespace conductorai::orchestration {

/// A command on its way in; `inbox_id` where it came through the StateManager's inbox.
struct Inbound {
  core::Command command;
  std::optional<std::int64_t> inbox_id;
};

class WorkflowRun {
 public:
  enum class Mode {
    work,        // start everything owed
    apply_only,  // decide commands and record them, start no task: for one who passes by with a command
  };

  WorkflowRun(EnginePorts ports, const EngineOptions& options, History history, std::uint64_t epoch, Watcher watcher, Mode mode);

  /// Decides `first` and goes on until the workflow is terminal, paused, waits for people only, or is interrupted; then nothing of it runs
  /// any more. Errors: fenced and conflict (another owner), resource_exhausted and unavailable (the journal could not be written), or what
  /// the first of `first` was rejected with.
  task<Result<void>> run(std::vector<Inbound> first);

  /// A command that came through the inbox before is dropped.
  void post(Inbound inbound);
  /// Cancels what runs without recording it: on resume it is taken up again.
  void interrupt();

  [[nodiscard]] const core::WorkflowState& state() const { return state_; }
  /// Once `run` has returned.
  [[nodiscard]] Shared<core::WorkflowState> take_state() { return std::move(state_); }

 private:
  task<Result<void>> turn(std::vector<Inbound> inbound);
  task<Result<void>> append(const std::vector<Event>& events, std::vector<std::int64_t> consumed);
  [[nodiscard]] AppendRequest append_request(const std::vector<Event>& events, std::vector<std::int64_t> consumed, Timestamp at) const;
  /// REQUIRES: its result has a commit.
  task<void> merge(core::RecordResult& record);
  task<Result<void>> act(std::vector<core::Effect> effects);
  void announce(std::vector<Event> events);
  void classify(core::RecordResult& record);
  void call_back_waiting();
  struct Running;
  using Attempts = std::unordered_map<AttemptId, Running>;
  task<void> attempt(Attempts::value_type& live);
  task<Shared<TaskResult>> hand_over(Attempts::value_type& live);
  task<Shared<TaskResult>> hand_over_later(Attempts::value_type& live);
  void record(Shared<TaskResult> result);
  task<void> close_workflow();
  void start(const core::DispatchTask& dispatch);
  void start(const core::StartTimer& timer);
  void stop_attempts();
  [[nodiscard]] bool idle() const;
  [[nodiscard]] bool attempt_is_live(const AttemptId& id) const;
  Result<Shared<TaskAssignment>> assignment(const AttemptId& id) const;
  [[nodiscard]] core::Context context() const;
  [[nodiscard]] WorkflowSummary summary(Timestamp at) const;

  EnginePorts ports_;
  const EngineOptions& options_;
  core::WorkflowState state_;
  std::string last_sha256_;
  std::uint64_t epoch_;
  std::filesystem::path repo_;
  Watcher watcher_;
  Mode mode_;
  std::map<std::string, std::string> environment_;
  runtime::Mailbox<Inbound> mailbox_;
  std::int64_t last_inbox_id_ = 0;
  bool interrupted_ = false;
  std::vector<core::Effect> owed_;  // by the last turn, not yet started
  bool stopping_ = false;           // a cancel is on its way to the attempts
  std::vector<std::unique_ptr<Timer>> timers_;
  struct Running {
    CancelSource cancel;
    std::optional<Timestamp> not_before;
    bool handed_over = false;  // to the coordinator
  };
  Attempts attempts_;
  CancelSource stop_;
  runtime::TaskScope scope_;
};

}  // namespace conductorai::orchestration
