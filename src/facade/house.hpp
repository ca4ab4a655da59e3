#pragma once
// House: every component of a process, in the order they depend on each other. Made by assemble.cpp, the only file that names adapters.

#include <memory>
#include <vector>

#include "agents/base/agent_host.hpp"
#include "agents/base/secret_mask.hpp"
#include "conductorai/conductorai.hpp"
#include "conductorai/prober.hpp"
#include "conductorai/release_manager.hpp"
#include "facade/models.hpp"
#include "orchestration/engine/workflow_engine.hpp"
#include "runtime/loop.hpp"

namespace conductorai::facade {

struct House {
  Options options;
  std::string owner;  // "pid@host"
  std::unique_ptr<Entropy> entropy;
  std::unique_ptr<StateManager> states;
  std::unique_ptr<runtime::BudgetTurns> turns;
  std::function<task<void>()> close_states;
  std::unique_ptr<ArtifactStore> artifacts;
  std::unique_ptr<WorkspaceManager> workspaces;
  std::unique_ptr<ReleaseManager> releases;
  std::unique_ptr<Prober> prober;
  std::unique_ptr<MessageBus> bus;
  std::function<task<void>()> close_bus;
  std::function<task<Result<void>>(std::int64_t)> requeue;
  std::unique_ptr<orchestration::PolicyEngine> policies;
  std::unique_ptr<orchestration::ErrorHandler> errors;
  std::unique_ptr<orchestration::AgentCoordinator> coordinator;
  std::shared_ptr<agents::SecretBook> secrets;
  std::unique_ptr<LlmServices> llm_services;
  std::unique_ptr<Models> models;
  std::unique_ptr<orchestration::WorkflowEngine> engine;
  std::unique_ptr<Subscription> progress;
  std::function<void(AnswerPiece)> on_text;            // of answers as they come; empty: nobody could watch
  std::function<void(const WorkflowId&)> forget_text;  // of a workflow that runs here no longer
  std::function<void(const WorkflowId&)> remove_text;  // of one that was removed
  std::shared_ptr<Sandbox> walls;                      // made when the first attempt asks for it, as it starts a process
  std::shared_ptr<Sandbox> no_walls;                   // `--sandbox=none`
  std::function<agents::HostServices()> host_services;
  std::vector<std::unique_ptr<agents::AgentHost>> hosts;
  std::vector<AgentDescription> descriptions;  // a type once

  /// Errors: already_exists.
  Result<void> add_agent(std::unique_ptr<BaseAgent> agent);
  /// Everything that runs is left as a crash would leave it, for `resume`.
  void interrupt();
  /// Ends everything in the reverse order.
  task<void> close();
};

/// Tells what models answer in the process that runs the workflow, until what it returns is called and awaited.
std::function<task<void>()> follow_text(runtime::Loop& loop, const Options& options, WorkflowId workflow,
                                        std::function<void(const AnswerPiece&)> told);

/// Of the built-in agents, without opening anything.
std::vector<AgentDescription> built_in_agents();

/// Opens the stores and wires all components; registers the built-in agents.
/// Errors: those of opening the stores and the work area.
Result<std::unique_ptr<House>> assemble(runtime::Loop& loop, Options options);

}  // namespace conductorai::facade
