#include "integrations/llm/batch/batch_desk.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/json_codec.hpp"
#include "integrations/llm/ledger.hpp"
#include "integrations/llm/retries.hpp"
#include "integrations/llm/wire/answer_reader.hpp"
#include "runtime/event.hpp"

namespace conductorai::integrations {

namespace {

constexpr std::size_t kBytesMax = std::size_t{100} << 20;  // of one batch; the providers take twice that
constexpr int kLooksForName = 2;                           // a list may lag behind what was just made
constexpr Milliseconds kCancelGrace{600'000};              // in which a provider ends what it was told to cancel

Error unlearnt(const std::string& what, const Error& cause) {
  Error error{.code = ErrorCode::invalid_answer, .message = what + ": " + cause.message, .where = cause.where, .retry = Retry::backoff};
  error.hint = cause.hint;
  return error;
}

/// Nobody may look at the batch just now, and it goes on all the same: whoever mends the key finds its answers.
Error shut_out(const Error& cause) {
  return {.code = cause.code,
          .message = "a batch cannot be looked at: " + cause.message,
          .where = std::string(kLeftWaiting),
          .hint = cause.hint};
}

}  // namespace

struct BatchDesk::Call {
  BatchAsk ask;
  bool kept = false;  // its ticket is durable
  std::optional<Result<BatchLine>> outcome;
  runtime::Event done;

  void end(Result<BatchLine> with) {
    if (outcome) return;
    outcome = std::move(with);
    done.set();
  }
};

struct BatchDesk::Batch {
  explicit Batch(CancelSource& desk) : cancel(&desk) {}
  BatchTicket ticket;
  std::map<std::string, SharedCall> calls;  // by custom id; of a batch of an earlier life, those that have come back
  std::set<std::string> given_up;
  std::size_t bytes = 0;
  bool fresh = false;  // gathered in this life
  int looks_for_name = 0;
  Instant deadline{};
  bool timed_out = false;
  CancelSource cancel;

  [[nodiscard]] bool wanted() const { return given_up.size() < static_cast<std::size_t>(ticket.calls); }
};

task<Result<BatchLine>> BatchDesk::ask(BatchAsk call) {
  const auto waiting = std::make_shared<Call>();
  waiting->ask = std::move(call);
  SharedBatch batch;
  if (waiting->ask.ticket.empty()) {
    batch = gather(waiting);
  } else {
    auto joined = rejoin(waiting, waiting->ask.ticket);
    if (!joined) co_return fail(joined.error());
    batch = std::move(*joined);
  }
  auto waited = co_await waiting->done.wait();
  if (!waiting->outcome) co_return fail(give_up(*batch, *waiting));
  co_return std::move(*waiting->outcome);
}

BatchDesk::SharedBatch BatchDesk::gather(SharedCall call) {
  const std::size_t bytes = call->ask.entry.body.size();
  if (gathering_ && gathering_->bytes + bytes > kBytesMax) send_off();
  if (!gathering_) {
    gathering_ = std::make_shared<Batch>(scope_.cancel_source());
    gathering_->fresh = true;
    window_ = ports_.clock.call_after(options_.window, [this] { send_off(); });
  }
  SharedBatch batch = gathering_;
  batch->bytes += bytes;
  batch->calls.insert_or_assign(call->ask.entry.id, call);
  if (batch->calls.size() >= static_cast<std::size_t>(options_.calls_max)) send_off();
  return batch;
}

void BatchDesk::send_off() {
  window_.reset();
  SharedBatch batch = std::exchange(gathering_, nullptr);
  batch->ticket.calls = static_cast<int>(batch->calls.size());
  if (batch->calls.empty()) return;
  batch->ticket.provider = service_->provider();
  batch->ticket.name = fmt::format("conductorai-{:016x}{:016x}", ports_.entropy.next(), ports_.entropy.next());
  batch->ticket.sent_at = ports_.clock.now();
  start(batch);
}

Result<BatchDesk::SharedBatch> BatchDesk::rejoin(SharedCall call, const std::string& text) {
  auto ticket = core::read_json<BatchTicket>(text);
  if (!ticket || ticket->provider != service_->provider() || ticket->name.empty())
    return fail(not_an_answer("the call was sent in a batch that this provider does not know"));
  call->kept = true;
  const auto known = under_way_.find(ticket->name);
  SharedBatch batch = known == under_way_.end() ? std::make_shared<Batch>(scope_.cancel_source()) : known->second;
  batch->calls.insert_or_assign(call->ask.entry.id, call);
  if (known != under_way_.end()) return batch;
  batch->ticket = std::move(*ticket);
  start(batch);
  return batch;
}

Error BatchDesk::give_up(Batch& batch, const Call& call) {
  Error error{.code = ErrorCode::cancelled, .message = "cancelled"};
  if (leaving_ && call.kept) {
    error.where = kLeftWaiting;
    return error;
  }
  if (&batch == gathering_.get()) {
    batch.calls.erase(call.ask.entry.id);
    return error;
  }
  batch.given_up.insert(call.ask.entry.id);
  if (!batch.wanted()) batch.cancel.cancel();
  return error;
}

void BatchDesk::start(const SharedBatch& batch) {
  under_way_[batch->ticket.name] = batch;
  scope_.spawn(run(batch), batch->cancel);
}

task<void> BatchDesk::run(SharedBatch batch) {
  if (batch->fresh) {
    auto submitted = co_await runtime::shielded(submit(batch));
    if (!submitted) {
      fail_all(*batch, submitted.error());
      under_way_.erase(batch->ticket.name);
      co_return;
    }
  }
  auto lines = co_await await_lines(batch);
  under_way_.erase(batch->ticket.name);
  if (lines)
    hand_out(*batch, std::move(*lines));
  else if (lines.error().code != ErrorCode::cancelled)
    fail_all(*batch, lines.error());
  else if (!batch->wanted())
    co_await runtime::shielded(call_off(batch));
}

task<Result<void>> BatchDesk::submit(SharedBatch batch) {
  co_await keep_tickets(batch);
  // Only what would be found again is sent.
  std::erase_if(batch->calls, [&](const auto& entry) { return !entry.second->kept || batch->given_up.contains(entry.first); });
  batch->given_up.clear();
  batch->ticket.calls = static_cast<int>(batch->calls.size());
  if (batch->calls.empty()) co_return fail(ErrorCode::cancelled, "no call of the batch is left");
  std::vector<BatchEntry> entries;
  for (const auto& [id, call] : batch->calls) entries.push_back(call->ask.entry);
  auto made = co_await service_->submit(batch->ticket.name, std::move(entries));
  if (!made && settled_status(made.error()) == StepStatus::failed) co_return fail(made.error());
  batch->deadline = ports_.clock.steady_now() + options_.timeout;
  if (!made) co_return Result<void>{};  // nobody knows: it is looked for by its name
  batch->ticket.id = *made;
  co_await keep_tickets(batch);
  co_return Result<void>{};
}

task<void> BatchDesk::keep_tickets(SharedBatch batch) {
  const TaskEnvironment environment = co_await current_environment();
  const std::string ticket = core::write_json(batch->ticket);
  runtime::TaskScope keeping(*environment.executor);  // together, so that they share a commit
  for (const auto& [id, call] : batch->calls)
    if (!batch->given_up.contains(id)) keeping.spawn(keep_ticket(call, ticket));
  co_await keeping.join();
}

task<void> BatchDesk::keep_ticket(SharedCall call, std::string ticket) {
  if (!call->ask.keep) {
    call->end(fail(ErrorCode::internal, "nobody keeps the ticket of a call in a batch"));
    co_return;
  }
  auto kept = co_await call->ask.keep(std::move(ticket));
  if (kept) call->kept = true;
  // Of the second one nothing depends: by the first the batch is found as well, where the provider keeps names.
  if (!kept && !call->kept)
    call->end(fail(
        Error{.code = kept.error().code, .message = "a call could not be recorded: " + kept.error().message, .where = kept.error().where}));
}

task<Result<BatchLines>> BatchDesk::await_lines(SharedBatch batch) {
  if (!batch->fresh) batch->deadline = ports_.clock.steady_now() + time_left(*batch);
  Milliseconds pause = options_.poll;
  for (bool at_once = !batch->fresh;; at_once = false) {
    if (!at_once) {
      const auto left = std::chrono::ceil<Milliseconds>(batch->deadline - ports_.clock.steady_now());
      auto slept = co_await sleep_for(ports_.clock, std::clamp(left, Milliseconds(1), pause));
      if (!slept) co_return fail(slept.error());
      pause = std::min(pause * 3 / 2, std::max(options_.poll, options_.poll_max));
    }
    auto lines = co_await look(batch);
    if (lines) co_return std::move(*lines);
    auto over = co_await past_deadline(batch);
    if (over) co_return fail(ErrorCode::timeout, "the batch " + batch->ticket.id + " did not end in time", {}, "llm.batch-timeout");
  }
}

/// Of a batch of an earlier life. A clock that was set back gives it no more time than a new one has.
Milliseconds BatchDesk::time_left(const Batch& batch) const {
  const Milliseconds waited = batch.ticket.sent_at ? ports_.clock.now() - *batch.ticket.sent_at : Milliseconds(0);
  return std::clamp(options_.timeout - waited, Milliseconds(0), options_.timeout);
}

std::optional<Result<BatchLines>> BatchDesk::judged(const Batch& batch, const Error& error) {
  if (is_transient(error)) return std::nullopt;
  if (error.code == ErrorCode::cancelled) return fail(error);
  if (error.code == ErrorCode::permission_denied) return fail(shut_out(error));
  return fail(unlearnt("what came of the batch " + batch.ticket.name + " cannot be learnt", error));
}

task<std::optional<Result<BatchLines>>> BatchDesk::look(SharedBatch batch) {
  auto known = co_await identify(batch);
  if (!known) co_return judged(*batch, known.error());
  auto seen = co_await service_->look(batch->ticket.id);
  if (!seen) co_return judged(*batch, seen.error());
  if (seen->refused) co_return fail(*seen->refused);
  if (!seen->ended) co_return std::nullopt;
  auto lines = co_await service_->results(std::move(*seen));
  if (!lines) co_return judged(*batch, lines.error());
  co_return std::move(*lines);
}

task<Result<void>> BatchDesk::identify(SharedBatch batch) {
  if (!batch->ticket.id.empty()) co_return Result<void>{};
  auto found = co_await service_->find(batch->ticket.name);
  if (!found) co_return fail(found.error());
  batch->ticket.id = *found;
  if (!found->empty()) co_return Result<void>{};
  const bool again = ++batch->looks_for_name < kLooksForName;
  co_return fail(Error{
      .code = ErrorCode::unavailable, .message = "the provider has none of that name", .retry = again ? Retry::backoff : Retry::never});
}

/// At the deadline the batch is cancelled, and has the grace to end: what was answered until then is paid, and used.
task<bool> BatchDesk::past_deadline(SharedBatch batch) {
  const Instant now = ports_.clock.steady_now();
  if (now < batch->deadline) co_return false;
  if (batch->timed_out || batch->ticket.id.empty()) co_return true;
  batch->timed_out = true;
  batch->deadline = now + kCancelGrace;
  co_await call_off(batch);
  co_return false;
}

task<void> BatchDesk::call_off(SharedBatch batch) {
  // Where it cannot be cancelled it ends by itself; its calls are charged as if they had been made.
  if (!batch->ticket.id.empty()) (void)co_await service_->cancel(batch->ticket.id);
}

void BatchDesk::hand_out(Batch& batch, BatchLines lines) {
  for (const auto& [id, call] : batch.calls) {
    const auto line = lines.find(id);
    if (line == lines.end())
      call->end(fail(not_an_answer("the batch " + batch.ticket.id + " ended without a line for this call")));
    else
      call->end(std::move(line->second));
  }
}

void BatchDesk::fail_all(Batch& batch, const Error& error) {
  for (const auto& [id, call] : batch.calls) call->end(fail(error));
}

task<void> BatchDesk::close() {
  leaving_ = true;
  window_.reset();
  gathering_.reset();
  scope_.cancel();
  co_await scope_.join();
}

}  // namespace conductorai::integrations
