#include <algorithm>
#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_lines.hpp"
#include "cli/session.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"
#include "core/json.hpp"

namespace conductorai::cli {

namespace {

struct AgentsOptions {};

std::string state_line(const AgentState& s) {
  return JsonLine()
      .text("type", "agent")
      .text("agent_id", s.id.str())
      .text("agent", s.type.str())
      .text("status", to_string(s.status))
      .number("capacity", s.capacity)
      .number("running", s.running)
      .number("succeeded", s.succeeded)
      .number("failed", s.failed)
      .text("breaker", s.breaker)
      .text("last_heartbeat", core::to_iso8601(s.last_heartbeat))
      .str();
}

void print_types(const std::vector<AgentDescription>& agents) {
  Table table({"AGENT", "PHASE", "MODEL", "CHANGES FILES", ""});
  for (const auto& a : agents)
    table.add(
        {{a.type.str()}, {std::string(to_string(a.phase))}, {a.uses_llm ? "yes" : "no"}, {a.changes_files ? "yes" : "no"}, {a.summary}});
  std::cout << table.text(terminal_columns(), use_colors());
}

void print_states(const std::vector<AgentState>& states) {
  Table table({"ID", "STATUS", "RUNNING", "SUCCEEDED", "FAILED", "BREAKER", "TASKS"});
  for (const auto& s : states) {
    std::string tasks;
    for (const auto& task : s.current_tasks) tasks += (tasks.empty() ? "" : ", ") + clean_line(task);
    table.add({{s.id.str()},
               {std::string(to_string(s.status))},
               {std::to_string(s.running) + " of " + std::to_string(s.capacity)},
               {std::to_string(s.succeeded)},
               {std::to_string(s.failed)},
               {clean_line(s.breaker)},
               {tasks}});
  }
  if (!table.empty()) std::cout << "\n" << table.text(terminal_columns(), use_colors());
}

int agents(const Globals& globals, const AgentsOptions&) {
  const auto known = ConductorAI::built_in_agents();
  std::vector<AgentState> states;
  auto session = Session::open(globals, {});
  if (session) {
    auto stored = (*session)->ai().agent_states();
    if (!stored) return report(stored.error());
    states = std::move(*stored);
  } else if (session.error().code != ErrorCode::not_found) {
    return report(session.error());
  }
  if (globals.json) {
    for (const auto& state : states) std::cout << state_line(state) << "\n";
  } else {
    print_types(known);
    print_states(states);
  }
  std::cout << std::flush;
  return kOk;
}

}  // namespace

void add_agents(CLI::App& app, CommandLine& line) {
  add_command<AgentsOptions>(
      app, line, "agents", "Show the agents of this build and how those of the project's runs do", [](CLI::App&, AgentsOptions&) {},
      agents);
}

}  // namespace conductorai::cli
