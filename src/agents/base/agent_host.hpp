#pragma once
// AgentHost: one agent on the bus. Takes assignments, runs up to `capacity` attempts at once, answers with results.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "conductorai/answer_piece.hpp"
#include "conductorai/artifact_store.hpp"
#include "conductorai/base_agent.hpp"
#include "conductorai/clock.hpp"
#include "conductorai/llm_provider.hpp"
#include "conductorai/message_bus.hpp"
#include "conductorai/sandbox.hpp"
#include "conductorai/state_manager.hpp"
#include "conductorai/workspace.hpp"
#include "runtime/budget_turns.hpp"

namespace conductorai::agents {

class SecretBook;

/// What an attempt is wired to. Everything outlives the hosts.
struct HostServices {
  Executor& executor;
  Clock& clock;
  Entropy& entropy;
  MessageBus& bus;
  StateManager& states;
  runtime::BudgetTurns& turns;  // of `states`
  ArtifactStore& artifacts;
  WorkspaceManager& workspaces;
  /// The sandbox a workflow asks for. Errors: unavailable (fail-closed).
  std::function<Result<std::shared_ptr<Sandbox>>(const SandboxDefinition&)> sandbox;
  /// One attempt's way to its model: ledger, retries and schemas are inside. Errors: unavailable (none configured).
  std::function<task<Result<std::unique_ptr<BaseLLMProvider>>>(std::shared_ptr<const TaskAssignment>)> llm;
  /// The repository that holds the workflow's branch (Branch::repo).
  std::function<task<Result<std::filesystem::path>>(std::shared_ptr<const TaskAssignment>)> repository;
  std::filesystem::path scratch_root;                                                   // attempts get folders below it
  std::function<Result<std::filesystem::path>(const std::string& key)> cache_folder{};  // kept for later attempts; may be empty
  std::function<void(const std::filesystem::path&)> hand_over;  // lets the sandbox's user write into a scratch folder; may be empty
  std::map<std::string, std::string> host_environment;          // only names a definition lists are handed on
  std::function<void(AnswerPiece)> on_text{};                   // of models' answers as they come; may be empty
  std::shared_ptr<const SecretBook> secrets{};                  // masked in whatever an attempt keeps or shows; may be null
  Milliseconds heartbeat_interval{5'000};
};

/// Listens on "conductor:agent:<id>"; results go to "conductor:results" (must_deliver), heartbeats to "conductor:heartbeat", progress to
/// "conductor:workflow:<id>". An assignment of an attempt that runs already is dropped, one that just ended with the same epoch is
/// answered again. Thread: the loop's.
class AgentHost {
 public:
  AgentHost(HostServices services, std::unique_ptr<BaseAgent> agent);
  ~AgentHost();
  AgentHost(const AgentHost&) = delete;
  AgentHost& operator=(const AgentHost&) = delete;

  [[nodiscard]] const BaseAgent& agent() const;
  [[nodiscard]] int running() const;
  /// Takes nothing new, cancels what runs, publishes the cancelled results, waits until all is gone. Idempotent.
  task<void> close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace conductorai::agents
