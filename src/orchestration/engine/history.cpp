#include "orchestration/engine/history.hpp"

#include "core/decide.hpp"

namespace conductorai::orchestration {

namespace {

task<Result<core::WorkflowState>> initial(ArtifactStore& artifacts, WorkflowId workflow, Event first) {
  const auto* started = std::get_if<WorkflowStarted>(&first);
  if (started == nullptr) co_return fail(ErrorCode::data_corrupted, "the journal does not begin with workflow.started", workflow.value);
  auto bytes = co_await artifacts.get(started->definition);
  if (!bytes) co_return fail(bytes.error());
  auto definition = core::decode_definition(*bytes);
  if (!definition) co_return fail(definition.error());
  co_return core::initial_state(workflow, std::make_shared<const WorkflowDefinition>(std::move(*definition)));
}

}  // namespace

task<Result<HistoryPtr>> load_history(StateManager& states, ArtifactStore& artifacts, WorkflowId workflow) {
  auto rows = co_await states.load(workflow, 1, 0);
  if (!rows) co_return fail(rows.error());
  if (rows->empty()) co_return fail(ErrorCode::not_found, "no such workflow", workflow.value, "conductorai list shows the known ones");
  auto history = std::make_unique<History>();
  std::uint64_t next = 1;
  for (const JournalRow& stored : *rows) {
    auto row = core::decode_row(stored.body);
    if (!row) co_return fail(row.error());
    const std::string where = workflow.value + " seq " + std::to_string(stored.first_seq);
    if (stored.first_seq != next || row->header.first_seq != next)
      co_return fail(ErrorCode::data_corrupted, "the journal has a gap", where);
    if (row->header.prev_sha256 != history->last_sha256)
      co_return fail(ErrorCode::data_corrupted, "the journal's hash chain is broken", where);
    if (next == 1) {
      auto fresh = co_await initial(artifacts, workflow, row->events.front());
      if (!fresh) co_return fail(fresh.error());
      history->state = std::move(*fresh);
    }
    for (const Event& event : row->events) core::evolve(history->state, event, row->header.at);
    next += row->events.size();
    history->last_sha256 = core::sha256_hex(stored.body);
  }
  co_return history;
}

std::vector<EventRecord> event_records(const core::Row& row) {
  std::vector<EventRecord> records;
  std::uint64_t seq = row.header.first_seq;
  for (const Event& event : row.events) {
    records.push_back({.workflow = row.header.workflow,
                       .seq = seq++,
                       .at = row.header.at,
                       .event = std::string(core::event_tag(event)),
                       .version = core::event_version(event),
                       .payload = core::encode_payload(event)});
  }
  return records;
}

}  // namespace conductorai::orchestration
