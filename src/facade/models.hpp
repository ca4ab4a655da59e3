#pragma once
// Models: which model a workflow talks to. One provider object a workflow, one call stack an attempt.

#include <filesystem>
#include <map>
#include <memory>

#include "agents/base/secret_mask.hpp"
#include "conductorai/artifact_store.hpp"
#include "conductorai/clock.hpp"
#include "conductorai/llm_provider.hpp"
#include "conductorai/message_bus.hpp"
#include "conductorai/state_manager.hpp"
#include "facade/llm_services.hpp"
#include "integrations/llm/call_stack.hpp"

namespace conductorai::facade {

/// The text of the file that "mock:FILE" or "replay:FILE" names, checked; `llm.tools`, where it is open, is settled by what is in it.
/// Errors: not_found and invalid_argument (the file, its text), unsupported (another provider).
Result<std::string> read_answers(LlmDefinition& llm, const std::filesystem::path& file);

class Models {
 public:
  struct Ports {
    StateManager& states;
    runtime::BudgetTurns& turns;
    ArtifactStore& artifacts;
    Clock& clock;
    Entropy& entropy;
    LlmServices& services;
    std::shared_ptr<const agents::SecretBook> secrets;            // taken out of answers
    std::filesystem::path state_dir;                              // for the cache of answers
    std::filesystem::path project_root;                           // what relative names of files refer to
    std::function<void(const LLMCaller&, std::string)> notice{};  // what watchers may want to hear
  };
  explicit Models(Ports ports);

  /// Keeps the script of "mock:FILE" and the cassette of "replay:FILE" as an artifact, so that the workflow no longer depends on the file;
  /// begins the cassette of "record:PROVIDER:FILE". Other providers pass unchanged.
  /// Errors: not_found and invalid_argument (the file, its text), unsupported (a provider this build does not have).
  task<Result<LlmDefinition>> pin(WorkflowId workflow, LlmDefinition llm, std::filesystem::path project_root);

  /// An attempt's way to its model. Errors: unavailable (none configured), those of reading the script.
  task<Result<std::unique_ptr<BaseLLMProvider>>> open(std::shared_ptr<const TaskAssignment> assignment);

  /// Forgets a workflow that has ended or paused: taken up again, its script goes on by the ledger.
  void forget(const WorkflowId& workflow) { models_.erase(workflow); }

 private:
  /// The chain of a workflow, the first of it asked first.
  struct Model {
    struct Link {
      LlmTarget target;
      std::shared_ptr<BaseLLMProvider> provider;
      integrations::StepNotes* notes = nullptr;
      std::optional<integrations::Price> price;
      bool batched = false;
    };
    std::vector<Link> chain;
  };
  task<Result<std::shared_ptr<Model>>> model_of(std::shared_ptr<const TaskAssignment> assignment);
  task<Result<Model::Link>> first_of(WorkflowId workflow, LlmDefinition llm);
  /// Every model of the chain answers from the one cassette.
  task<Result<std::vector<Model::Link>>> replayed(LlmDefinition llm);
  Result<Model::Link> opened(const LlmTarget& target, bool batched);
  Result<void> record(Model& model, const std::filesystem::path& file) const;
  [[nodiscard]] std::vector<integrations::CallTarget> targets_of(const Model& model);

  Ports ports_;
  std::unique_ptr<integrations::AnswerCache> cache_;  // null: none is wanted
  std::map<WorkflowId, std::shared_ptr<Model>> models_;
};

}  // namespace conductorai::facade
