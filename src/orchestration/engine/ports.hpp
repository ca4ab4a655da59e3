#pragma once
// What the engine works with; all of it outlives the engine.

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "conductorai/artifact_store.hpp"
#include "conductorai/clock.hpp"
#include "conductorai/conductorai.hpp"
#include "conductorai/message_bus.hpp"
#include "conductorai/state_manager.hpp"
#include "conductorai/workspace.hpp"
#include "orchestration/coordinator/agent_coordinator.hpp"
#include "orchestration/errors/error_handler.hpp"
#include "orchestration/policies/policy_engine.hpp"

namespace conductorai::orchestration {

struct EnginePorts {
  Executor& executor;
  Clock& clock;
  Entropy& entropy;
  StateManager& states;
  ArtifactStore& artifacts;
  WorkspaceManager& workspaces;
  MessageBus& bus;
  AgentCoordinator& coordinator;
  PolicyEngine& policies;
  ErrorHandler& errors;
};

struct EngineOptions {
  std::string owner = "0@localhost";               // "pid@host"
  std::map<std::string, std::string> environment;  // of the host; only names a definition lists are read
  /// Makes a new workflow's model independent of files outside the stores; may be empty. Its errors refuse the workflow.
  std::function<task<Result<LlmDefinition>>(WorkflowId, LlmDefinition)> pin_llm;
  /// What an ended workflow leaves outside is put in order, before its owner lets go; may run again after a crash. May be empty.
  std::function<task<Result<void>>(WorkflowId, WorkflowStatus)> on_close;
  Milliseconds cleanup_timeout{300'000};  // of what runs after a cancel
  BudgetDefinition day_budget;            // of all workflows of the project together, a day (UTC)
  Milliseconds append_retry{200};         // first pause before a failed append is tried again, doubling
  int append_tries = 6;                   // then the run stops; the journal stays as it was
};

using Watcher = std::function<void(const EventRecord&)>;

}  // namespace conductorai::orchestration
