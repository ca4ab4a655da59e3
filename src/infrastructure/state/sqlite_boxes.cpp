#include "infrastructure/state/sqlite_boxes.hpp"

#include "core/json_codec.hpp"

namespace conductorai::infrastructure {

namespace {

DeadLetter read_letter(const Query& row) {
  return {row.integer(0), row.text(1), row.text(2), row.text(3), WorkflowId(row.text(4)), Timestamp(Milliseconds(row.integer(5)))};
}

}  // namespace

Result<std::int64_t> put_command(Connection& db, const WorkflowId& workflow, const std::string& body) {
  {
    Query known = db.query("SELECT 1 FROM workflows WHERE id = ?1 AND last_seq > 0", workflow);
    if (!known.next()) return fail(ErrorCode::not_found, "no such workflow", workflow.value);
  }
  db.run("INSERT INTO commands (workflow, body) VALUES (?1, ?2)", workflow, body);
  return db.last_insert_id();
}

std::vector<InboxCommand> commands_of(Connection& db, const WorkflowId& workflow) {
  Query query = workflow.empty() ? db.query("SELECT id, workflow, body FROM commands ORDER BY id")
                                 : db.query("SELECT id, workflow, body FROM commands WHERE workflow = ?1 ORDER BY id", workflow);
  std::vector<InboxCommand> commands;
  while (query.next()) commands.push_back({query.integer(0), WorkflowId(query.text(1)), query.text(2)});
  return commands;
}

void remove_commands(Connection& db, const std::vector<std::int64_t>& ids) {
  for (std::int64_t id : ids) db.run("DELETE FROM commands WHERE id = ?1", id);
}

std::int64_t insert_dead_letter(Connection& db, const DeadLetter& letter) {
  db.run("INSERT INTO dead_letters (channel, reason, message, workflow, at) VALUES (?1, ?2, ?3, ?4, ?5)", letter.channel, letter.reason,
         letter.message, letter.workflow, letter.at.time_since_epoch().count());
  return db.last_insert_id();
}

std::vector<DeadLetter> all_dead_letters(Connection& db) {
  Query query = db.query("SELECT id, channel, reason, message, workflow, at FROM dead_letters ORDER BY id");
  std::vector<DeadLetter> letters;
  while (query.next()) letters.push_back(read_letter(query));
  return letters;
}

Result<DeadLetter> remove_dead_letter(Connection& db, std::int64_t id) {
  DeadLetter letter;
  {
    Query query = db.query("SELECT id, channel, reason, message, workflow, at FROM dead_letters WHERE id = ?1", id);
    if (!query.next()) return fail(ErrorCode::not_found, "no such dead letter", std::to_string(id));
    letter = read_letter(query);
  }
  db.run("DELETE FROM dead_letters WHERE id = ?1", id);
  return letter;
}

void upsert_agents(Connection& db, const std::vector<AgentState>& states) {
  for (const AgentState& state : states)
    db.run("INSERT INTO agents (id, state) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET state = ?2", state.id, core::write_json(state));
}

Result<std::vector<AgentState>> all_agents(Connection& db) {
  Query query = db.query("SELECT id, state FROM agents ORDER BY id");
  std::vector<AgentState> states;
  while (query.next()) {
    auto state = core::read_json<AgentState>(query.text(1));
    if (!state) return fail(ErrorCode::data_corrupted, "the state of an agent cannot be read: " + to_string(state.error()), query.text(0));
    states.push_back(std::move(*state));
  }
  return states;
}

void remove_agent(Connection& db, const AgentId& agent) {
  db.run("DELETE FROM agents WHERE id = ?1", agent);
}

}  // namespace conductorai::infrastructure
