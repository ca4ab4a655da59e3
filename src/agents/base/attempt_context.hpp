#pragma once
// AttemptContext: the TaskContext of one attempt, on the ports. Numbers the steps, opens what is needed at first use, closes it all.

#include <memory>
#include <string>
#include <vector>

#include "agents/base/agent_host.hpp"
#include "agents/base/command_record.hpp"
#include "agents/base/secret_mask.hpp"
#include "conductorai/task_context.hpp"

namespace conductorai::agents {

/// An attempt taken up after a crash starts at its base and runs the agent's code again from its start: a step on record is answered
/// without being performed, and the files are set to the tree it left. So the agent sees at each step exactly what it saw before.
class AttemptContext final : public TaskContext {
 public:
  /// `services`, `agent` and `type` outlive it; `progress` is called on the loop's thread.
  AttemptContext(const HostServices& services, std::shared_ptr<const TaskAssignment> assignment, const AgentId& agent,
                 const AgentType& type, std::function<void(std::string)> progress);
  ~AttemptContext() override;

  [[nodiscard]] const TaskAssignment& assignment() const override { return *assignment_; }
  [[nodiscard]] const AgentId& agent() const override { return agent_; }
  task<Result<LLMResponse>> ask(LLMRequest request) override;
  task<Result<CommandOutcome>> run(CommandRequest request) override;
  task<Result<Value>> record(RecordRequest request, PerformStep perform) override;
  task<Result<Workspace*>> workspace() override;
  task<Result<ArtifactRef>> save_artifact(std::string name, std::string type, std::string bytes) override;
  [[nodiscard]] std::vector<ArtifactRef> saved_artifacts() const override { return saved_; }
  task<Result<Usage>> usage() override;
  [[nodiscard]] ArtifactStore& artifacts() override { return services_.artifacts; }
  [[nodiscard]] Clock& clock() override { return services_.clock; }
  void progress(std::string text) override;
  Result<std::filesystem::path> scratch_folder(std::string purpose) override;
  Result<std::filesystem::path> cache_folder(std::string key, bool shared) override;

  /// As it may be published and recorded: what a model or a program says may hold a secret it has read.
  Shared<TaskResult> without_secrets(Shared<TaskResult> result);

  /// Throws the worktree and the scratch folders away. REQUIRES: nothing of the attempt runs any more.
  task<void> close();

 private:
  struct Prepared {  // a command on its way
    CommandRequest request;
    StepId step;
    std::string tree;  // before it
    Milliseconds wall{0};
    Milliseconds reserved{0};  // of the wall budget
    bool clamped = false;      // `wall` is what the budget leaves
    int try_number = 1;
    runtime::BudgetTurns::UnderWay under_way{};  // until it is settled
  };

  task<Result<LLMResponse>> asked(std::unique_ptr<LLMRequest> request);
  task<std::unique_ptr<Error>> open_llm();  // null: it is open
  task<Result<LLMResponse>> send(std::unique_ptr<LLMRequest> request, const std::string& ordinal,
                                 const std::shared_ptr<SecretMask::Stream>& shown);
  void show(const std::string& ordinal, std::string text);
  void show_end(const std::string& ordinal, SecretMask::Stream& shown);
  Result<std::filesystem::path> folder_in_scratch(const std::string& name);
  const SecretMask& mask();
  [[nodiscard]] std::string next_ordinal() { return std::to_string(++steps_); }
  [[nodiscard]] ArtifactRecord record_of(std::string name, std::string type) const;
  /// What its steps count to, as of now.
  [[nodiscard]] std::vector<BudgetScope> budget_scopes() const;
  task<Result<Usage>> used() const;
  task<void> throw_away();
  [[nodiscard]] bool networked(const CommandRequest& request) const;
  Result<void> make_sandbox();
  [[nodiscard]] SandboxCommand sandbox_command(const Prepared& command, const std::filesystem::path& root);
  task<Result<StepBegun>> begin(Prepared& command);
  task<Result<CommandOutcome>> perform(Prepared command);
  [[nodiscard]] StepFinish finish_of(const Prepared& command, StepStatus status, std::string response) const;
  task<Result<CommandOutcome>> keep(Prepared command, CommandResult result);
  task<Result<void>> keep_files(const Prepared& command, CommandRecord& record, StepFinish& finish);
  task<Error> keep_stopped(Prepared command, CommandResult result, Error error);
  task<Result<void>> keep_output(CapturedOutput& output, std::string name, CommandOutcome& outcome);
  task<Result<void>> keep_collected(CommandRequest request, CommandRecord& record);
  task<Result<std::string>> keep_body(StepId step, std::string body);
  task<Result<void>> settle(StepFinish finish);
  task<Result<Value>> perform_recorded(StepFinish finish, PerformStep perform, bool changes_files);
  task<Result<Value>> replay_recorded(StepRecord step);
  task<Result<void>> fill_finish(StepFinish& finish, Value answer, bool changes_files);
  task<Result<std::string>> body_of(std::string stored);
  task<Result<CommandOutcome>> replay(StepRecord step, std::vector<std::string> collect);
  task<Result<CommandOutcome>> with_collected(CommandRecord record, std::vector<std::string> collect);

  const HostServices& services_;
  std::shared_ptr<const TaskAssignment> assignment_;
  const AgentId& agent_;
  const AgentType& type_;
  std::function<void(std::string)> progress_;
  SecretMask mask_;
  std::optional<std::size_t> secrets_booked_;  // when the mask was made
  int steps_ = 0;
  std::unique_ptr<BaseLLMProvider> llm_;
  std::shared_ptr<Sandbox> sandbox_;
  std::unique_ptr<Workspace> workspace_;
  std::filesystem::path repository_;
  std::filesystem::path scratch_;           // parent of the scratch folders
  std::vector<std::string> scratch_names_;  // in order of making
  std::vector<ArtifactRef> saved_;
};

}  // namespace conductorai::agents
