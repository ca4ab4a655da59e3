#include "orchestration/engine/history.hpp"

#include <algorithm>

#include "core/decide.hpp"

namespace conductorai::orchestration {

namespace {

task<Result<core::WorkflowState>> initial(PinnedDefinitions& definitions, WorkflowId workflow, Event first) {
  const auto* started = std::get_if<WorkflowStarted>(&first);
  if (started == nullptr) co_return fail(ErrorCode::data_corrupted, "the journal does not begin with workflow.started", workflow.value);
  auto definition = co_await definitions.load(started->definition);
  if (!definition) co_return fail(definition.error());
  co_return core::initial_state(workflow, std::move(*definition));
}

task<Result<std::vector<JournalRow>>> rows_of(StateManager& states, WorkflowId workflow) {
  auto rows = co_await states.load(workflow, 1, 0);
  if (rows && rows->empty())
    co_return fail(ErrorCode::not_found, "no such workflow", workflow.value, "conductorai list shows the known ones");
  co_return rows;
}

/// Decodes rows one after the other; each must follow the one before.
class RowChain {
 public:
  Result<core::Row> next(const JournalRow& stored) {
    auto row = core::decode_row(stored.body);
    if (!row) return row;
    const std::string where = stored.workflow.value + " seq " + std::to_string(stored.first_seq);
    if (stored.first_seq != next_ || row->header.first_seq != next_) return fail(ErrorCode::data_corrupted, "the journal has a gap", where);
    if (row->header.prev_sha256 != last_sha256_) return fail(ErrorCode::data_corrupted, "the journal's hash chain is broken", where);
    next_ += row->events.size();
    last_sha256_ = core::sha256_hex(stored.body);
    return row;
  }
  [[nodiscard]] const std::string& last_sha256() const { return last_sha256_; }

 private:
  std::uint64_t next_ = 1;
  std::string last_sha256_;
};

}  // namespace

task<Result<HistoryPtr>> load_history(StateManager& states, PinnedDefinitions& definitions, WorkflowId workflow) {
  auto rows = co_await rows_of(states, workflow);
  if (!rows) co_return fail(rows.error());
  auto history = std::make_unique<History>();
  RowChain chain;
  for (const JournalRow& stored : *rows) {
    auto row = chain.next(stored);
    if (!row) co_return fail(row.error());
    if (row->header.first_seq == 1) {
      auto fresh = co_await initial(definitions, workflow, row->events.front());
      if (!fresh) co_return fail(fresh.error());
      history->state = std::move(*fresh);
    }
    for (const Event& event : row->events) core::evolve(history->state, event, row->header.at);
  }
  history->last_sha256 = chain.last_sha256();
  co_return history;
}

task<Result<std::vector<Event>>> load_events(StateManager& states, WorkflowId workflow) {
  auto rows = co_await rows_of(states, std::move(workflow));
  if (!rows) co_return fail(rows.error());
  std::vector<Event> events;
  RowChain chain;
  for (const JournalRow& stored : *rows) {
    auto row = chain.next(stored);
    if (!row) co_return fail(row.error());
    std::ranges::move(row->events, std::back_inserter(events));
  }
  co_return events;
}

std::vector<EventRecord> event_records(const core::Row& row) {
  std::vector<EventRecord> records;
  records.reserve(row.events.size());
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
