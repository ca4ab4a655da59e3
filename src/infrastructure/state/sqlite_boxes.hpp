#pragma once
// The small tables: command inbox, dead letters, agent states. All throw SqliteFailure.

#include "conductorai/state_manager.hpp"
#include "infrastructure/state/sqlite_connection.hpp"

namespace conductorai::infrastructure {

Result<std::int64_t> put_command(Connection& db, const WorkflowId& workflow, const std::string& body);
std::vector<InboxCommand> commands_of(Connection& db, const WorkflowId& workflow);
void remove_commands(Connection& db, const std::vector<std::int64_t>& ids);

std::int64_t insert_dead_letter(Connection& db, const DeadLetter& letter);
std::vector<DeadLetter> all_dead_letters(Connection& db);
Result<DeadLetter> remove_dead_letter(Connection& db, std::int64_t id);

void upsert_agents(Connection& db, const std::vector<AgentState>& states);
Result<std::vector<AgentState>> all_agents(Connection& db);
void remove_agent(Connection& db, const AgentId& agent);

}  // namespace conductorai::infrastructure
