#include "infrastructure/state/committer.hpp"

#include <algorithm>

#include "base/crash_point.hpp"

namespace conductorai::infrastructure {

namespace {

constexpr std::int64_t kIdlePages = 64;
constexpr std::chrono::milliseconds kIdle{100};  // of the disk, not of anything a simulation could know

/// The store itself is in trouble: every request of the batch meets the same.
bool of_the_store(const Error& error) {
  return error.code != ErrorCode::invalid_argument && error.code != ErrorCode::internal;
}

void crash_before_commit(unsigned marks) {
  if ((marks & mark_journal) != 0) crash_point("journal.before_commit");
  if ((marks & mark_begin) != 0) crash_point("step.begin.before_commit");
  if ((marks & mark_finish) != 0) crash_point("step.finish.before_commit");
  if ((marks & mark_inbox) != 0) crash_point("inbox.before_commit");
  if ((marks & mark_removal) != 0) crash_point("removal.before_commit");
}

void crash_after_commit(unsigned marks) {
  if ((marks & mark_journal) != 0) crash_point("journal.after_commit");
  if ((marks & mark_begin) != 0) crash_point("step.begin.after_commit");
  if ((marks & mark_finish) != 0) crash_point("step.finish.after_commit");
  if ((marks & mark_inbox) != 0) crash_point("inbox.after_commit");
  if ((marks & mark_removal) != 0) crash_point("removal.after_commit");
}

}  // namespace

Committer::Committer(Executor& executor, std::unique_ptr<Connection> connection, Options options)
    : executor_(executor), connection_(std::move(connection)), options_(std::move(options)), thread_([this] { loop(); }) {}

Committer::~Committer() {
  requests_.close();
  thread_.join();
}

void Committer::loop() {
  Batch batch;
  while (requests_.take(batch, patience())) {
    if (batch.empty()) {
      checkpoint();
      continue;
    }
    process(batch);
    complete(std::exchange(batch, {}));
    checkpoint_if_due();
  }
}

/// Where there is something to copy, a time without requests is used for it.
std::optional<std::chrono::milliseconds> Committer::patience() const {
  return connection_->wal_frames() - copied_ >= kIdlePages ? std::optional(kIdle) : std::nullopt;
}

void Committer::process(const Batch& batch) {
  auto failure = transact(batch);
  if (!failure) return;
  if (batch.size() == 1 || of_the_store(*failure)) {
    for (WriteRequest* request : batch) request->refuse(*failure);
    return;
  }
  // One of them is at fault: each alone shows which.
  for (WriteRequest* request : batch)
    if (auto alone = transact(std::span(&request, 1))) request->refuse(*alone);
}

std::optional<Error> Committer::transact(std::span<WriteRequest* const> requests) {
  unsigned marks = mark_none;
  try {
    flush_commits(!std::ranges::all_of(requests, [](const WriteRequest* request) { return (request->marks & mark_lazy) != 0; }));
    connection_->run("BEGIN IMMEDIATE");
    for (WriteRequest* request : requests) {
      request->apply(*connection_);
      marks |= request->marks;
    }
    if (options_.before_commit) options_.before_commit(*connection_);
    crash_before_commit(marks);
    connection_->run("COMMIT");
  } catch (const SqliteFailure& failure) {
    connection_->rollback();
    if (options_.on_rollback) options_.on_rollback();
    return failure.error;
  }
  crash_after_commit(marks);
  if ((marks & mark_changed) != 0 && options_.on_changed) options_.on_changed();
  return std::nullopt;
}

void Committer::flush_commits(bool flush) {
  if (flush == flushing_) return;
  connection_->script(flush ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  flushing_ = flush;
}

void Committer::complete(Batch batch) {
  executor_.post_external([&executor = executor_, done = std::move(batch)] {
    for (WriteRequest* request : done) executor.post(request->waiting_);
  });
}

/// Otherwise the log of a store that is never idle would grow without end.
void Committer::checkpoint_if_due() {
  if (connection_->wal_frames() < copied_) copied_ = 0;  // it has started over
  if (connection_->wal_frames() - copied_ >= options_.checkpoint_pages) checkpoint();
}

void Committer::checkpoint() {
  connection_->checkpoint();
  copied_ = connection_->wal_frames();
}

}  // namespace conductorai::infrastructure
