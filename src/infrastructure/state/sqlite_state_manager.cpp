#include "infrastructure/state/sqlite_state_manager.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "infrastructure/state/change_board.hpp"
#include "infrastructure/state/committer.hpp"
#include "infrastructure/state/directory_watch.hpp"
#include "infrastructure/state/sqlite_boxes.hpp"
#include "infrastructure/state/sqlite_journal.hpp"
#include "infrastructure/state/sqlite_retention.hpp"
#include "infrastructure/state/sqlite_schema.hpp"
#include "infrastructure/state/sqlite_steps.hpp"
#include "runtime/offload.hpp"

namespace conductorai::infrastructure {

namespace {

/// `<state_dir>/wake/inbox`, open for writing from before a command's commit until after it. Closing it wakes the owner, and so does the
/// death of a process between the two.
class InboxBell {
 public:
  explicit InboxBell(const std::filesystem::path& wake) : fd_(::open((wake / "inbox").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)) {}
  InboxBell(const InboxBell&) = delete;
  InboxBell& operator=(const InboxBell&) = delete;
  ~InboxBell() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] bool ready() const { return fd_ >= 0; }

 private:
  int fd_;
};

template <class R, class F>
class Write final : public WriteRequest {
 public:
  Write(unsigned what, F work) : work_(std::move(work)) { marks = what; }
  void apply(Connection& db) override { result = work_(db); }
  void refuse(const Error& error) override { result = fail(error); }
  Result<R> result = fail(ErrorCode::internal, "the write was never done");

 private:
  F work_;
};

}  // namespace

struct SqliteStateManager::Impl {
  Impl(runtime::Loop& on, std::filesystem::path dir, std::unique_ptr<Connection> reading, std::unique_ptr<Connection> writing,
       std::int64_t checkpoint_pages)
      : loop(on),
        file(dir / "state.db"),
        owners(dir / "owners"),
        wake(dir / "wake"),
        lock(owners),
        watch(on),
        reading(std::move(reading)),
        committer(on, std::move(writing),
                  {.checkpoint_pages = checkpoint_pages,
                   .before_commit = [this](Connection& db) { sums.write(db); },
                   .on_rollback = [this] { sums.forget(); },
                   .on_changed = [this] { lock.touch(); }}) {}

  runtime::Loop& loop;
  std::filesystem::path file, owners, wake;
  // The committer's thread's alone:
  OwnerLock lock;
  BudgetSums sums;
  WorkflowNumbers numbers;

  ChangeBoard board;
  std::function<void()> listener;
  DirectoryWatch watch;
  bool watching_owners = false;
  bool watching_inbox = false;
  std::unique_ptr<Connection> reading;
  runtime::Worker reader;
  Committer committer;

  template <class R, class F>
  task<Result<R>> write(unsigned marks, F work) {
    Write<R, F> request(marks, std::move(work));
    co_await committer.commit(request);
    co_return std::move(request.result);
  }

  template <class R, class F>
  task<Result<R>> read(F work) {
    co_return co_await reader.run([this, &work]() -> Result<R> {
      try {
        return work(*reading);
      } catch (const SqliteFailure& failure) {
        return fail(failure.error);
      }
    });
  }

  void watch_owners() {
    if (std::exchange(watching_owners, true)) return;
    watch.watch(owners, [this](const std::string& name) {
      if (name != lock.name()) board.all_changed();  // ours were told directly
    });
  }
};

Result<std::unique_ptr<SqliteStateManager>> SqliteStateManager::open(runtime::Loop& loop, std::filesystem::path state_dir,
                                                                     SqliteOptions options) {
  try {
    auto writing = open_state(state_dir, options.busy_timeout.count(), options.create);
    if (options.pages_max > 0) writing->script(("PRAGMA max_page_count = " + std::to_string(options.pages_max)).c_str());
    auto reading = std::make_unique<Connection>(state_dir / "state.db");
    reading->script(("PRAGMA query_only = ON; PRAGMA busy_timeout = " + std::to_string(options.busy_timeout.count())).c_str());
    return std::unique_ptr<SqliteStateManager>(new SqliteStateManager(
        std::make_unique<Impl>(loop, std::move(state_dir), std::move(reading), std::move(writing), options.checkpoint_pages)));
  } catch (const SqliteFailure& failure) {
    return fail(failure.error);
  }
}

SqliteStateManager::SqliteStateManager(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteStateManager::~SqliteStateManager() = default;

task<void> SqliteStateManager::close() {
  impl_->board.close();
  co_await impl_->watch.close();
}

task<Result<Ownership>> SqliteStateManager::claim(WorkflowId workflow, std::string owner) {
  auto claimed = co_await impl_->write<Ownership>(
      mark_changed, [&, impl = impl_.get()](Connection& db) { return claim_workflow(db, impl->lock, impl->owners, workflow, owner); });
  if (claimed) impl_->board.changed(workflow);
  co_return claimed;
}

// Where the power takes it back, the owner is as dead as one that was killed before it.
task<Result<bool>> SqliteStateManager::release(WorkflowId workflow) {
  auto released = co_await impl_->write<bool>(mark_changed | mark_lazy, [&, impl = impl_.get()](Connection& db) {
    return release_workflow(db, impl->lock, impl->numbers, workflow);
  });
  if (released) impl_->board.changed(workflow);
  co_return released;
}

task<Result<void>> SqliteStateManager::append(AppendRequest request) {
  auto appended = co_await impl_->write<void>(
      mark_journal | mark_changed, [&, impl = impl_.get()](Connection& db) { return append_row(db, impl->lock, impl->numbers, request); });
  if (appended) impl_->board.changed(request.row.workflow);
  co_return appended;
}

task<Result<std::vector<JournalRow>>> SqliteStateManager::load(WorkflowId workflow, std::uint64_t from_seq, int limit) {
  return impl_->read<std::vector<JournalRow>>(
      [workflow = std::move(workflow), from_seq, limit](Connection& db) { return load_rows(db, workflow, from_seq, limit); });
}

task<Result<std::vector<WorkflowSummary>>> SqliteStateManager::list(WorkflowFilter filter) {
  return impl_->read<std::vector<WorkflowSummary>>(
      [filter = std::move(filter), impl = impl_.get()](Connection& db) { return list_workflows(db, impl->owners, filter); });
}

task<Result<WorkflowSummary>> SqliteStateManager::get(WorkflowId workflow) {
  return impl_->read<WorkflowSummary>(
      [workflow = std::move(workflow), impl = impl_.get()](Connection& db) { return get_workflow(db, impl->owners, workflow); });
}

task<Result<void>> SqliteStateManager::wait_for_change(WorkflowId workflow) {
  impl_->watch_owners();
  return impl_->board.wait(std::move(workflow));
}

task<Result<StepBegun>> SqliteStateManager::begin_step(StepBegin step) {
  co_return co_await impl_->write<StepBegun>(mark_begin, [&, impl = impl_.get()](Connection& db) {
    SqliteSteps table(db, impl->sums);
    return infrastructure::begin_step(table, step);
  });
}

task<Result<void>> SqliteStateManager::finish_step(StepFinish step) {
  co_return co_await impl_->write<void>(mark_finish, [&, impl = impl_.get()](Connection& db) {
    SqliteSteps table(db, impl->sums);
    return infrastructure::finish_step(table, step);
  });
}

task<Result<std::vector<StepRecord>>> SqliteStateManager::load_steps(AttemptId attempt) {
  return impl_->read<std::vector<StepRecord>>([attempt = std::move(attempt)](Connection& db) { return step_records(db, attempt); });
}

task<Result<std::vector<StepRecord>>> SqliteStateManager::list_steps(WorkflowId workflow) {
  return impl_->read<std::vector<StepRecord>>([workflow = std::move(workflow)](Connection& db) { return step_records(db, workflow); });
}

task<Result<BudgetUse>> SqliteStateManager::budget_use(std::string scope) {
  return impl_->read<BudgetUse>([scope = std::move(scope)](Connection& db) { return stored_use(db, scope); });
}

task<Result<std::int64_t>> SqliteStateManager::post_command(WorkflowId workflow, std::string body) {
  Result<std::int64_t> posted = 0;
  {
    const InboxBell bell(impl_->wake);
    if (!bell.ready())
      co_return fail(ErrorCode::unavailable, std::string("the owner cannot be woken: ") + std::strerror(errno), impl_->wake / "inbox");
    posted = co_await impl_->write<std::int64_t>(mark_inbox, [&](Connection& db) { return put_command(db, workflow, body); });
  }
  if (posted && impl_->listener) impl_->listener();
  co_return posted;
}

task<Result<std::vector<InboxCommand>>> SqliteStateManager::commands(WorkflowId workflow) {
  return impl_->read<std::vector<InboxCommand>>([workflow = std::move(workflow)](Connection& db) { return commands_of(db, workflow); });
}

task<Result<void>> SqliteStateManager::discard_commands(std::vector<std::int64_t> ids) {
  co_return co_await impl_->write<void>(mark_none, [&](Connection& db) {
    remove_commands(db, ids);
    return Result<void>{};
  });
}

void SqliteStateManager::on_command(std::function<void()> listener) {
  impl_->listener = std::move(listener);
  if (std::exchange(impl_->watching_inbox, true)) return;
  Impl* impl = impl_.get();
  impl->watch.watch(impl->wake, [impl](const std::string&) {
    if (impl->listener) impl->listener();
  });
}

task<Result<std::int64_t>> SqliteStateManager::put_dead_letter(DeadLetter letter) {
  co_return co_await impl_->write<std::int64_t>(mark_none, [&](Connection& db) { return insert_dead_letter(db, letter); });
}

task<Result<std::vector<DeadLetter>>> SqliteStateManager::dead_letters() {
  return impl_->read<std::vector<DeadLetter>>([](Connection& db) { return all_dead_letters(db); });
}

task<Result<DeadLetter>> SqliteStateManager::take_dead_letter(std::int64_t id) {
  co_return co_await impl_->write<DeadLetter>(mark_none, [id](Connection& db) { return remove_dead_letter(db, id); });
}

task<Result<void>> SqliteStateManager::save_agent_states(std::vector<AgentState> states) {
  co_return co_await impl_->write<void>(mark_none, [&](Connection& db) {
    upsert_agents(db, states);
    return Result<void>{};
  });
}

task<Result<std::vector<AgentState>>> SqliteStateManager::agent_states() {
  return impl_->read<std::vector<AgentState>>([](Connection& db) { return all_agents(db); });
}

task<Result<void>> SqliteStateManager::remove_agent_state(AgentId agent) {
  co_return co_await impl_->write<void>(mark_none, [&](Connection& db) {
    remove_agent(db, agent);
    return Result<void>{};
  });
}

task<Result<void>> SqliteStateManager::remove_workflow(WorkflowId workflow) {
  auto removed = co_await impl_->write<void>(mark_removal | mark_changed, [&, impl = impl_.get()](Connection& db) {
    return infrastructure::remove_workflow(db, impl->sums, impl->owners, workflow);
  });
  if (removed) impl_->board.changed(workflow);
  co_return removed;
}

task<Result<std::vector<WorkflowId>>> SqliteStateManager::removals() {
  return impl_->read<std::vector<WorkflowId>>([](Connection& db) { return all_removals(db); });
}

task<Result<void>> SqliteStateManager::finish_removal(WorkflowId workflow) {
  co_return co_await impl_->write<void>(mark_none, [&](Connection& db) {
    forget_removal(db, workflow);
    return Result<void>{};
  });
}

task<Result<std::int64_t>> SqliteStateManager::compact() {
  Impl* impl = impl_.get();
  const std::int64_t before = bytes_of_state(impl->file);
  auto ready = co_await impl->read<void>([impl](Connection& db) {
    if (!gives_back_pages(db)) make_it_give_back_pages(impl->file, impl->owners, impl->lock.name());
    return Result<void>{};
  });
  if (!ready) co_return fail(ready.error());
  for (std::int64_t given = 1; given > 0;) {
    auto pages = co_await impl->write<std::int64_t>(mark_none, [](Connection& db) { return give_back_some_pages(db); });
    if (!pages) co_return pages;
    given = *pages;
  }
  auto cut = co_await impl->read<void>([](Connection& db) {
    db.truncate_log();
    return Result<void>{};
  });
  if (!cut) co_return fail(cut.error());
  co_return std::max<std::int64_t>(0, before - bytes_of_state(impl->file));
}

}  // namespace conductorai::infrastructure
