#pragma once
// Policy: one rule, one answer with reasons. The PolicyEngine asks all that concern an action; the strictest answer wins.

#include <string>
#include <variant>
#include <vector>

#include "conductorai/definition.hpp"
#include "conductorai/models.hpp"

namespace conductorai {

enum class PolicyVerdict { allow, wait, needs_approval, deny };  // ordered, strictest last
std::string_view to_string(PolicyVerdict verdict);

struct PolicyDecision {
  PolicyVerdict verdict = PolicyVerdict::allow;
  std::vector<std::string> reasons;  // one sentence each, naming the rule's limit
  friend bool operator==(const PolicyDecision&, const PolicyDecision&) = default;
};

/// Before a task is handed to an agent.
struct StartTask {
  WorkflowId workflow;
  const TaskDefinition* task = nullptr;
  const WorkflowDefinition* definition = nullptr;
  int running_global = 0, running_workflow = 0, running_type = 0;  // attempts now; `type` counts this workflow's
  int max_global = 0;                                              // of the process; 0: none
  int agents_of_type = 0, agents_available = 0;
  bool approved = false;  // an approval for it is on record
};
/// When nothing in the phase runs or can start any more.
struct PassGate {
  WorkflowId workflow;
  Phase phase = Phase::development;
  const WorkflowDefinition* definition = nullptr;
  int passed = 0, failed = 0, without_verdict = 0;  // completed tasks by verdict
  int without_evidence = 0;                         // verdicts that cite none (I7)
  bool approved = false;
};
/// Before a command of a `command` agent or a toolchain is run.
struct RunCommand {
  const WorkflowDefinition* definition = nullptr;
  std::string command_line;
};
/// Before something is released to a target.
struct Deploy {
  const WorkflowDefinition* definition = nullptr;
  std::string driver;
};

using PolicyContext = std::variant<StartTask, PassGate, RunCommand, Deploy>;

/// Pure: depends on its context only. A rule that does not concern the context answers allow without reasons.
class Policy {
 public:
  virtual ~Policy() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual PolicyDecision check(const PolicyContext& context) const = 0;
};

}  // namespace conductorai
