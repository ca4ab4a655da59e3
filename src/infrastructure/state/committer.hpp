#pragma once
// Committer: the one thread that writes. All requests that wait are done in one transaction (group commit by queue swap), and all their
// coroutines are resumed by one post.

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <thread>

#include "conductorai/task.hpp"
#include "infrastructure/state/sqlite_connection.hpp"
#include "runtime/hand_over.hpp"

namespace conductorai::infrastructure {

/// What a request does, for crash points and notices.
enum WriteMark : unsigned {
  mark_none = 0,
  mark_journal = 1,
  mark_begin = 2,
  mark_finish = 4,
  mark_inbox = 8,
  mark_changed = 16,
  mark_removal = 32,
  mark_lazy = 64  // may be lost with the power, as long as it survives the process: no flush where a batch holds nothing else
};

/// One write. Lives in the frame of the coroutine that awaits it; not cancellable, it ends in bounded time.
class WriteRequest {
 public:
  WriteRequest() = default;
  WriteRequest(const WriteRequest&) = delete;
  WriteRequest& operator=(const WriteRequest&) = delete;
  virtual ~WriteRequest() = default;
  /// On the committer's thread, inside a transaction. Checks before it writes: a refusal writes nothing, so it spoils no other request.
  /// Throws SqliteFailure. May be called again after a rollback.
  virtual void apply(Connection& db) = 0;
  virtual void refuse(const Error& error) = 0;
  unsigned marks = mark_none;

 private:
  friend class Committer;
  std::coroutine_handle<> waiting_;
};

class Committer {
 public:
  /// What is called is called on the committer's thread.
  struct Options {
    std::int64_t checkpoint_pages = 1'024;
    std::function<void(Connection&)> before_commit;  // the last to write in a transaction; may throw SqliteFailure
    std::function<void()> on_rollback;               // nothing of the transaction happened
    std::function<void()> on_changed;                // after a commit that had mark_changed
  };
  Committer(Executor& executor, std::unique_ptr<Connection> connection, Options options);
  /// Does what is queued, then joins. On the loop's thread.
  ~Committer();

  /// `co_await committer.commit(request);`
  auto commit(WriteRequest& request) {
    struct Awaiter {
      Committer& committer;
      WriteRequest& request;
      [[nodiscard]] bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> handle) {
        request.waiting_ = handle;
        committer.requests_.give(committer.executor_, request);
      }
      void await_resume() const noexcept {}
    };
    return Awaiter{*this, request};
  }

 private:
  using Batch = runtime::HandOver<WriteRequest>::Batch;
  void loop();
  void process(const Batch& batch);
  std::optional<Error> transact(std::span<WriteRequest* const> requests);
  void flush_commits(bool flush);
  void complete(Batch batch);
  [[nodiscard]] std::optional<std::chrono::milliseconds> patience() const;
  void checkpoint_if_due();
  void checkpoint();

  Executor& executor_;
  std::unique_ptr<Connection> connection_;
  Options options_;
  bool flushing_ = true;     // what open_state sets
  std::int64_t copied_ = 0;  // frames of the WAL that a checkpoint has seen
  runtime::HandOver<WriteRequest> requests_;
  std::thread thread_;
};

}  // namespace conductorai::infrastructure
