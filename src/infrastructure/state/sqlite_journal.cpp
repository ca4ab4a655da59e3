#include "infrastructure/state/sqlite_journal.hpp"

#include <array>
#include <unordered_map>

#include "core/codec.hpp"
#include "infrastructure/state/ownership.hpp"

namespace conductorai::infrastructure {

namespace {

constexpr std::array kStatuses{WorkflowStatus::pending,   WorkflowStatus::in_progress, WorkflowStatus::paused,
                               WorkflowStatus::completed, WorkflowStatus::failed,      WorkflowStatus::cancelled};
constexpr std::array kPhases{Phase::development, Phase::devops, Phase::monitoring};

template <class E, std::size_t N>
Result<E> named(const std::array<E, N>& all, const std::string& name, const std::string& workflow) {
  for (E value : all)
    if (to_string(value) == name) return value;
  return fail(ErrorCode::data_corrupted, "the state database holds the unknown word '" + name + "'", workflow);
}

std::int64_t millis(Timestamp at) {
  return at.time_since_epoch().count();
}
Timestamp timestamp(std::int64_t millis) {
  return Timestamp(Milliseconds(millis));
}

// A row's text begins with what its columns say: that is left out, and what is stored begins with the next key.
constexpr std::string_view kShortened = R"("prev_sha256":)";

std::string_view stored_body(const JournalRow& row) {
  const std::string beginning = core::row_beginning(row.workflow, row.first_seq, row.at, row.epoch);
  const std::string_view body = row.body;
  return body.starts_with(beginning) && body.substr(beginning.size()).starts_with(kShortened) ? body.substr(beginning.size()) : body;
}

void restore_body(JournalRow& row) {
  if (row.body.starts_with(kShortened)) row.body.insert(0, core::row_beginning(row.workflow, row.first_seq, row.at, row.epoch));
}

void insert_row(Connection& db, std::int64_t workflow, const JournalRow& row) {
  db.run("INSERT INTO journal (workflow, first_seq, count, at, epoch, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", workflow, row.first_seq,
         row.count, millis(row.at), row.epoch, stored_body(row));
}

void insert_workflow(Connection& db, const WorkflowId& id, std::int64_t created_at, const std::string& owner,
                     const std::string& owner_lock) {
  db.run(
      "INSERT INTO workflows (id, name, status, phase, round, reason, created_at, updated_at, owner, owner_lock, epoch, last_seq) "
      "VALUES (?1, '', 'PENDING', 'DEVELOPMENT', 1, '', ?2, 0, ?3, ?4, 1, 0)",
      id, created_at, owner, owner_lock);
}

struct Found {
  std::int64_t no = 0;
  Position at;
};

std::optional<Found> find_workflow(Connection& db, const WorkflowId& workflow) {
  Query query = db.query("SELECT no, epoch, last_seq FROM workflows WHERE id = ?1", workflow);
  if (!query.next()) return std::nullopt;
  return Found{query.integer(0), {static_cast<std::uint64_t>(query.integer(1)), static_cast<std::uint64_t>(query.integer(2))}};
}

/// Moves the workflow on, where it has that number and stands where the row begins. Not with RETURNING, which took as long as all the rest
/// of a transaction.
bool advance(Connection& db, std::int64_t workflow, const AppendRequest& request) {
  const JournalRow& row = request.row;
  const WorkflowSummary& summary = request.summary;
  db.run(
      "UPDATE workflows SET name = ?1, status = ?2, phase = ?3, round = ?4, reason = ?5, updated_at = ?6, last_seq = ?7 "
      "WHERE no = ?8 AND id = ?9 AND epoch = ?10 AND last_seq = ?11",
      summary.name, to_string(summary.status), to_string(summary.phase), summary.round, summary.reason, millis(summary.updated_at),
      row.first_seq + row.count - 1, workflow, row.workflow, row.epoch, row.first_seq - 1);
  return db.changes() == 1;
}

/// A workflow's first row: it is known from then on, unless it was claimed before.
Result<void> begin_workflow(Connection& db, OwnerLock& lock, const AppendRequest& request, bool known) {
  const std::int64_t created_at = millis(request.summary.created_at);
  if (known) {
    db.run("UPDATE workflows SET created_at = ?1 WHERE id = ?2", created_at, request.row.workflow);
    return {};
  }
  if (auto held = lock.hold(); !held) return held;
  insert_workflow(db, request.row.workflow, created_at, request.summary.owner.empty() ? this_process() : request.summary.owner,
                  lock.name());
  return {};
}

std::string comma_list(const std::vector<WorkflowStatus>& statuses) {
  std::string list;
  for (WorkflowStatus status : statuses) (list += ',') += to_string(status);
  return list.empty() ? list : list + ',';
}

/// Each lock is looked at once a listing.
class Lives {
 public:
  explicit Lives(const std::filesystem::path& owners) : owners_(owners) {}
  bool alive(const std::string& lock) {
    if (lock.empty()) return false;
    auto [entry, fresh] = known_.try_emplace(lock, false);
    if (fresh) entry->second = OwnerLock::alive(owners_, lock);
    return entry->second;
  }

 private:
  const std::filesystem::path& owners_;
  std::unordered_map<std::string, bool> known_;
};

#define CONDUCTORAI_SUMMARY "id, name, status, phase, round, reason, created_at, updated_at, owner, owner_lock, last_seq"

Result<WorkflowSummary> summary_of(const Query& row, Lives& lives) {
  WorkflowSummary summary;
  summary.id = WorkflowId(row.text(0));
  summary.name = row.text(1);
  auto status = named(kStatuses, row.text(2), summary.id.value);
  if (!status) return fail(status.error());
  summary.status = *status;
  auto phase = named(kPhases, row.text(3), summary.id.value);
  if (!phase) return fail(phase.error());
  summary.phase = *phase;
  summary.round = static_cast<int>(row.integer(4));
  summary.reason = row.text(5);
  summary.created_at = timestamp(row.integer(6));
  summary.updated_at = timestamp(row.integer(7));
  summary.owner = row.text(8);
  summary.owner_alive = lives.alive(row.text(9));
  summary.last_seq = static_cast<std::uint64_t>(row.integer(10));
  return summary;
}

}  // namespace

Result<void> append_row(Connection& db, OwnerLock& lock, WorkflowNumbers& numbers, const AppendRequest& request) {
  const JournalRow& row = request.row;
  std::int64_t& workflow = numbers[row.workflow];
  const bool usual = workflow != 0 && row.first_seq > 1 && row.count > 0 && advance(db, workflow, request);
  if (!usual) {
    const auto found = find_workflow(db, row.workflow);
    if (auto checked = check_append(row, found ? std::optional(found->at) : std::nullopt); !checked) return checked;
    if (row.first_seq == 1)
      if (auto begun = begin_workflow(db, lock, request, found.has_value()); !begun) return begun;
    workflow = found ? found->no : db.last_insert_id();
    advance(db, workflow, request);
  }
  insert_row(db, workflow, row);
  for (std::int64_t id : request.consumed_commands) db.run("DELETE FROM commands WHERE id = ?1", id);
  return {};
}

Result<Ownership> claim_workflow(Connection& db, OwnerLock& lock, const std::filesystem::path& owners, const WorkflowId& workflow,
                                 const std::string& owner) {
  if (auto held = lock.hold(); !held) return fail(held.error());
  std::int64_t epoch = 0;
  {
    Query query = db.query("SELECT owner, owner_lock, epoch FROM workflows WHERE id = ?1", workflow);
    if (query.next()) {
      const std::string holder = query.text(1);
      if (OwnerLock::alive(owners, holder))
        return fail(ErrorCode::conflict, "this workflow is owned by a living process", query.text(0),
                    "stop that process, or send it the command");
      OwnerLock::remove(owners, holder);
      epoch = query.integer(2);
    }
  }
  if (epoch == 0)
    insert_workflow(db, workflow, 0, owner, lock.name());
  else
    db.run("UPDATE workflows SET owner = ?1, owner_lock = ?2, epoch = ?3 WHERE id = ?4", owner, lock.name(), epoch + 1, workflow);
  return Ownership{workflow, static_cast<std::uint64_t>(epoch + 1)};
}

bool release_workflow(Connection& db, const OwnerLock& lock, WorkflowNumbers& numbers, const WorkflowId& workflow) {
  numbers.erase(workflow);
  db.run("UPDATE workflows SET owner = '', owner_lock = '' WHERE id = ?1 AND owner_lock = ?2", workflow, lock.name());
  if (db.changes() == 0) return false;
  Query waiting = db.query("SELECT 1 FROM commands WHERE workflow = ?1", workflow);
  return waiting.next();
}

std::vector<JournalRow> load_rows(Connection& db, const WorkflowId& workflow, std::uint64_t from_seq, int limit) {
  std::vector<JournalRow> rows;
  Query query = db.query(
      "SELECT first_seq, count, at, epoch, body FROM journal WHERE workflow = (SELECT no FROM workflows WHERE id = ?1) AND first_seq >= "
      "coalesce((SELECT max(first_seq) FROM journal WHERE workflow = (SELECT no FROM workflows WHERE id = ?1) AND first_seq <= ?2), 0) "
      "AND first_seq + count > ?2 ORDER BY first_seq LIMIT ?3",
      workflow, from_seq, limit <= 0 ? -1 : limit);
  while (query.next()) {
    rows.push_back({workflow, static_cast<std::uint64_t>(query.integer(0)), static_cast<std::uint32_t>(query.integer(1)),
                    timestamp(query.integer(2)), static_cast<std::uint64_t>(query.integer(3)), query.text(4)});
    restore_body(rows.back());
  }
  return rows;
}

Result<std::vector<WorkflowSummary>> list_workflows(Connection& db, const std::filesystem::path& owners, const WorkflowFilter& filter) {
  std::vector<WorkflowSummary> summaries;
  Lives lives(owners);
  const std::string statuses = comma_list(filter.statuses);
  Query query = db.query(
      "SELECT " CONDUCTORAI_SUMMARY
      " FROM workflows WHERE last_seq > 0 AND (?1 = '' OR name = ?1) AND (?2 = '' OR instr(?2, ',' || status || ',') > 0) "
      "AND (?3 = '' OR (created_at, id) < (SELECT created_at, id FROM workflows WHERE id = ?3)) ORDER BY created_at DESC, id DESC LIMIT ?4",
      filter.name, statuses, filter.after, filter.limit <= 0 ? -1 : filter.limit);
  while (query.next()) {
    auto summary = summary_of(query, lives);
    if (!summary) return fail(summary.error());
    summaries.push_back(std::move(*summary));
  }
  return summaries;
}

Result<WorkflowSummary> get_workflow(Connection& db, const std::filesystem::path& owners, const WorkflowId& workflow) {
  Query query = db.query("SELECT " CONDUCTORAI_SUMMARY " FROM workflows WHERE id = ?1 AND last_seq > 0", workflow);
  if (!query.next()) return fail(ErrorCode::not_found, "no such workflow", workflow.value);
  Lives lives(owners);
  return summary_of(query, lives);
}

#undef CONDUCTORAI_SUMMARY

}  // namespace conductorai::infrastructure
