#pragma once
// LedgerProvider: each call is a step of the ledger. Reserve, send, settle; an answer on record is given again without sending.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conductorai/artifact_store.hpp"
#include "conductorai/clock.hpp"
#include "conductorai/definition.hpp"
#include "conductorai/llm_provider.hpp"
#include "conductorai/shared.hpp"
#include "conductorai/state_manager.hpp"
#include "integrations/llm/reservation.hpp"
#include "integrations/llm/step_notes.hpp"
#include "runtime/budget_turns.hpp"

namespace conductorai::integrations {

/// What an attempt's calls are recorded and charged under.
struct CallAccount {
  std::uint64_t epoch = 0;
  BudgetLimits limits;
  AgentId agent;                  // of the artifacts that hold large answers
  Milliseconds timeout{120'000};  // of one call: what it reserves of the wall budget, or all that is left of that
  std::optional<Price> price{};   // of the model; without one nothing is charged in money, and no scope may limit it
  bool frames = false;            // the provider counts tokens of its own around messages and tools
  int follow_ups = 2;             // to an answer that does not follow its schema
  bool waits = false;             // calls are answered hours later: no time of the wall budget, and taken up by their tickets after a crash
};

/// How a failed try is settled (DESIGN §9): a definite refusal costs nothing, an unknown outcome is charged at its worst case.
/// A provider reports a connection lost after sending as `timeout` or as `invalid_answer` (cut stream); `unavailable` is a refusal.
[[nodiscard]] StepStatus settled_status(const Error& error);

/// Digest of what is sent; who asks is not part of it, so an attempt taken up again asks the same.
[[nodiscard]] std::string request_digest(const LLMRequest& request);

/// `inner` and the ports outlive it. Guarantees: a try is reserved durably before it is sent and settled before its answer is seen.
/// A call that its budgets hold once others have settled waits for them.
/// Errors: those of `inner`; budget_exhausted with the refusal; those of StateManager and ArtifactStore (an answer that cannot be
/// recorded is held while the write is retried, and given up only then). Cancellation: settles the try as unknown, shielded; one whose
/// provider says kLeftWaiting stays as it is.
class LedgerProvider final : public BaseLLMProvider {
 public:
  struct Ports {
    BaseLLMProvider& inner;
    StateManager& states;
    runtime::BudgetTurns& turns;  // of `states`
    ArtifactStore& artifacts;
    Clock& clock;
    StepNotes* notes = nullptr;  // of `inner`, where it keeps any
  };
  LedgerProvider(Ports ports, CallAccount account) : ports_(ports), account_(std::move(account)) {}
  [[nodiscard]] std::string_view name() const override { return ports_.inner.name(); }
  task<Result<LLMResponse>> chat(LLMRequest request) override;

 private:
  using Answer = std::unique_ptr<Result<LLMResponse>>;
  /// A try that is out, and what of it is needed when its answer comes.
  struct Sent {
    StepId id;
    int try_number = 1;
    Milliseconds reserved{};  // of the wall budget
    Instant at;
    std::vector<std::string> notes;
  };

  task<Result<LLMResponse>> step(std::unique_ptr<LLMRequest> request);
  task<Result<StepBegun>> begin(const LLMRequest& request, runtime::BudgetTurns::UnderWay& under_way);
  task<Result<StepBegun>> begin_or_take_up(std::unique_ptr<StepBegin> step);
  task<Result<bool>> holds_ticket(const StepBegin& step);
  task<Result<LLMResponse>> follow(std::unique_ptr<LLMRequest> request, std::unique_ptr<Result<StepBegun>> begun);
  task<Result<LLMResponse>> perform(std::unique_ptr<LLMRequest> request, const StepRecord& record);
  [[nodiscard]] StepFinish finish_of(const StepId& id, int try_number, StepStatus status) const;
  [[nodiscard]] std::function<task<Result<void>>(std::string)> ticket_keeper(const StepRecord& record,
                                                                             std::vector<std::string> notes) const;
  [[nodiscard]] task<Result<LLMResponse>> bounded(task<Result<LLMResponse>> call, Milliseconds reserved) const;
  task<Result<LLMResponse>> settled(std::unique_ptr<Sent> sent, task<Result<LLMResponse>> call);
  task<Result<LLMResponse>> recorded(std::unique_ptr<Sent> sent, Answer answer);
  [[nodiscard]] std::unique_ptr<StepFinish> ending(Sent& sent, Result<LLMResponse>& answer) const;
  [[nodiscard]] std::unique_ptr<StepFinish> unknown(const Sent& sent) const;
  task<Result<void>> store_apart(const Sent& sent, const LLMResponse& answer, StepFinish& finish);
  task<Result<void>> settle(std::unique_ptr<StepFinish> finish);
  task<Result<LLMResponse>> replay(StepRecord record);

  Ports ports_;
  CallAccount account_;
};

}  // namespace conductorai::integrations
