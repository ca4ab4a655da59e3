#pragma once
// BatchDesk: gathers the calls of a process to one model into batches, waits for their ends, and hands the lines out.
//   gather (window, size) → keep each call's ticket → submit → keep the batch's id → look until it has ended → hand out
// A call that comes with a ticket joins the batch that is named there instead.

#include <functional>
#include <memory>
#include <set>

#include "conductorai/clock.hpp"
#include "conductorai/conductorai.hpp"
#include "integrations/llm/batch/batch_service.hpp"
#include "integrations/llm/batch/ticket.hpp"
#include "runtime/scope.hpp"

namespace conductorai::integrations {

struct BatchAsk {
  BatchEntry entry;
  std::string ticket;                                     // of an earlier life; empty: a new call
  std::function<task<Result<void>>(std::string)> keep{};  // makes a ticket durable; without one the call is not sent
};

class BatchDesk {
 public:
  struct Ports {
    Executor& executor;
    Clock& clock;
    Entropy& entropy;
  };
  BatchDesk(Ports ports, std::unique_ptr<BatchService> service, BatchOptions options)
      : ports_(ports), service_(std::move(service)), options_(options), scope_(ports.executor) {}
  /// REQUIRES: closed.
  ~BatchDesk() = default;
  BatchDesk(const BatchDesk&) = delete;
  BatchDesk& operator=(const BatchDesk&) = delete;

  [[nodiscard]] const BatchService& service() const { return *service_; }
  /// Errors: what was refused costs nothing; invalid_answer and timeout where it may have cost; `where` kLeftWaiting: it goes on and its
  /// ticket is kept. Cancellation: the call is given up, and with the last of its calls the batch is cancelled at the provider.
  task<Result<BatchLine>> ask(BatchAsk call);
  /// The process ends: from now on a cancelled call is left waiting, and its batch goes on.
  void leave() { leaving_ = true; }
  /// No call waits here any more. What is being submitted is submitted to its end.
  task<void> close();

 private:
  struct Call;
  struct Batch;
  using SharedCall = std::shared_ptr<Call>;
  using SharedBatch = std::shared_ptr<Batch>;

  SharedBatch gather(SharedCall call);
  void send_off();
  Result<SharedBatch> rejoin(SharedCall call, const std::string& ticket);
  Error give_up(Batch& batch, const Call& call);
  void start(const SharedBatch& batch);
  task<void> run(SharedBatch batch);
  task<Result<void>> submit(SharedBatch batch);
  task<void> keep_tickets(SharedBatch batch);
  task<void> keep_ticket(SharedCall call, std::string ticket);
  task<Result<BatchLines>> await_lines(SharedBatch batch);
  /// Nothing: not yet.
  task<std::optional<Result<BatchLines>>> look(SharedBatch batch);
  [[nodiscard]] Milliseconds time_left(const Batch& batch) const;
  static std::optional<Result<BatchLines>> judged(const Batch& batch, const Error& error);
  task<Result<void>> identify(SharedBatch batch);
  task<bool> past_deadline(SharedBatch batch);
  task<void> call_off(SharedBatch batch);
  static void hand_out(Batch& batch, BatchLines lines);
  static void fail_all(Batch& batch, const Error& error);

  Ports ports_;
  std::unique_ptr<BatchService> service_;
  BatchOptions options_;
  SharedBatch gathering_;
  std::unique_ptr<Timer> window_;
  std::map<std::string, SharedBatch> under_way_;  // by name
  bool leaving_ = false;
  runtime::TaskScope scope_;
};

}  // namespace conductorai::integrations
