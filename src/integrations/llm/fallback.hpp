#pragma once
// FallbackProvider: a chain of models, asked in turn when the one before cannot answer.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/llm_provider.hpp"
#include "conductorai/state_manager.hpp"

namespace conductorai::integrations {

/// Which steps of an attempt have an answer already. The ledger is read once, before the attempt's first call.
class AnswersOnRecord {
 public:
  explicit AnswersOnRecord(StateManager& states) : states_(states) {}
  [[nodiscard]] bool is_read() const { return digests_.has_value(); }
  /// Errors: those of StateManager.
  task<Result<void>> read(AttemptId attempt);
  /// REQUIRES: read.
  [[nodiscard]] bool is_empty() const { return digests_->empty(); }
  [[nodiscard]] bool hold(const LLMRequest& request) const;

 private:
  StateManager& states_;
  std::optional<std::map<std::string, std::string>> digests_;  // of the requests, by ordinal
};

/// Whether another model may do what this error says one cannot: it is away, overloaded, cut off or does not take our key. What is wrong
/// with the request is wrong everywhere, and a budget is used up for all of them.
[[nodiscard]] bool falls_back(const Error& error);

/// "3" of the first model, "3f1" of the second: each is a step of its own, so an answer of any of them is never bought again.
[[nodiscard]] std::string fallback_ordinal(const std::string& ordinal, std::size_t model);

/// Guarantees: an answer on record is given before any model is asked, whichever of them gave it.
/// Errors: that of the only model; of several, one error that names each model's.
class FallbackProvider final : public BaseLLMProvider {
 public:
  struct Link {
    std::string name;            // "openai gpt-4.1"
    BaseLLMProvider& way;        // all decorators of this model
    BaseLLMProvider& on_record;  // its ledger alone
    std::string model{};         // asked for in place of the one that the request names, which is the first link's
  };
  using Notice = std::function<void(const LLMCaller&, std::string)>;

  /// `notice` hears when a model is passed over; may be empty.
  FallbackProvider(std::vector<Link> chain, AnswersOnRecord& record, Notice notice)
      : chain_(std::move(chain)), record_(record), notice_(std::move(notice)) {}
  [[nodiscard]] std::string_view name() const override { return chain_.front().way.name(); }
  task<Result<LLMResponse>> chat(LLMRequest request) override;

 private:
  task<Result<LLMResponse>> after_reading(std::unique_ptr<LLMRequest> request);
  [[nodiscard]] std::optional<std::size_t> link_on_record(const LLMRequest& request) const;
  task<Result<LLMResponse>> way_to_answer(std::unique_ptr<LLMRequest> request);
  task<Result<LLMResponse>> in_turn(std::unique_ptr<LLMRequest> request);
  [[nodiscard]] LLMRequest to_link(LLMRequest request, const std::string& ordinal, std::size_t link) const;

  std::vector<Link> chain_;
  AnswersOnRecord& record_;
  Notice notice_;
};

}  // namespace conductorai::integrations
