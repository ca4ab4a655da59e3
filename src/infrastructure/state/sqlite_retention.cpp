#include "infrastructure/state/sqlite_retention.hpp"

#include "infrastructure/state/owner_lock.hpp"
#include "infrastructure/state/ownership.hpp"
#include "infrastructure/state/sqlite_journal.hpp"
#include "infrastructure/state/sqlite_steps.hpp"

namespace conductorai::infrastructure {

namespace {

void remove_budgets(Connection& db, const WorkflowId& workflow) {
  db.run("DELETE FROM budgets WHERE scope = 'workflow/' || ?1", workflow);
  // '0' is the character after '/'
  db.run("DELETE FROM budgets WHERE scope > 'task/' || ?1 || '/' AND scope < 'task/' || ?1 || '0'", workflow);
  db.run("DELETE FROM budgets WHERE scope > 'agent/' || ?1 || '/' AND scope < 'agent/' || ?1 || '0'", workflow);
}

bool others_live(const std::filesystem::path& owners, const std::string& own_lock) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(owners, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name != own_lock && OwnerLock::alive(owners, name)) return true;
  }
  return static_cast<bool>(error);
}

}  // namespace

Result<void> remove_workflow(Connection& db, BudgetSums& sums, const std::filesystem::path& owners, const WorkflowId& workflow) {
  auto stored = get_workflow(db, owners, workflow);
  if (!stored) return fail(stored.error());
  if (auto may = check_removal(*stored); !may) return may;
  SqliteSteps steps(db, sums);
  charge_hidden(steps, workflow);
  sums.write(db);  // before its own budgets go
  db.run("DELETE FROM earlier_tries WHERE step IN (SELECT no FROM steps WHERE workflow = ?1)", workflow);
  db.run("DELETE FROM steps WHERE workflow = ?1", workflow);
  remove_budgets(db, workflow);
  db.run("DELETE FROM commands WHERE workflow = ?1", workflow);
  db.run("DELETE FROM dead_letters WHERE workflow = ?1", workflow);
  db.run("DELETE FROM journal WHERE workflow = (SELECT no FROM workflows WHERE id = ?1)", workflow);
  db.run("DELETE FROM workflows WHERE id = ?1", workflow);
  db.run("INSERT OR IGNORE INTO removals (workflow) VALUES (?1)", workflow);
  return {};
}

std::vector<WorkflowId> all_removals(Connection& db) {
  Query query = db.query("SELECT workflow FROM removals ORDER BY workflow");
  std::vector<WorkflowId> workflows;
  while (query.next()) workflows.emplace_back(query.text(0));
  return workflows;
}

void forget_removal(Connection& db, const WorkflowId& workflow) {
  db.run("DELETE FROM removals WHERE workflow = ?1", workflow);
}

bool gives_back_pages(Connection& db) {
  return db.number("PRAGMA auto_vacuum") != 0;
}

bool make_it_give_back_pages(const std::filesystem::path& file, const std::filesystem::path& owners, const std::string& own_lock) noexcept {
  try {
    if (others_live(owners, own_lock)) return false;
    Connection(file).script("PRAGMA auto_vacuum = INCREMENTAL; VACUUM");
    return true;
  } catch (const std::exception&) {
    return false;  // no room for a second copy, or somebody writes: its pages are used again all the same
  }
}

std::int64_t give_back_some_pages(Connection& db) {
  if (!gives_back_pages(db)) return 0;
  const std::int64_t before = db.number("PRAGMA freelist_count");
  if (before == 0) return 0;
  db.script("PRAGMA incremental_vacuum(256)");
  return before - db.number("PRAGMA freelist_count");
}

std::int64_t bytes_of_state(const std::filesystem::path& file) {
  std::filesystem::path log = file;
  log += "-wal";
  std::int64_t bytes = 0;
  std::error_code missing;
  for (const auto& part : {file, log})
    if (const auto size = std::filesystem::file_size(part, missing); !missing) bytes += static_cast<std::int64_t>(size);
  return bytes;
}

}  // namespace conductorai::infrastructure
