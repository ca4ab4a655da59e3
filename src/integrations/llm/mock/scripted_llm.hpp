#pragma once
// ScriptedLLM: answers from a script, without network, deterministically. One object a workflow.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conductorai/clock.hpp"
#include "conductorai/llm_provider.hpp"
#include "conductorai/state_manager.hpp"
#include "integrations/llm/mock/script.hpp"
#include "integrations/llm/step_notes.hpp"

namespace conductorai::integrations {

/// Guarantees: which rule answers is a function of the script, the request and the recorded tries; a try whose outcome was never recorded
/// (crash, cancellation) uses up no rule. Errors of chat: invalid_argument when no rule answers (names agent, task, round, call),
/// invalid_answer for tool calls to an agent that offered no tools, and what the script asks for. Cancellation: during `delay_ms`.
class ScriptedLLM final : public BaseLLMProvider, public StepNotes {
 public:
  /// `recorded`: StateManager::list_steps of the workflow; an unfinished workflow goes on in its script where it was.
  ScriptedLLM(Clock& clock, Script script, const std::vector<StepRecord>& recorded);

  [[nodiscard]] std::string_view name() const override { return "mock"; }
  task<Result<LLMResponse>> chat(LLMRequest request) override;
  std::string take_note(const StepId& step) override;
  void stand(const StepId& step, const std::vector<std::string>& notes) override;

 private:
  static constexpr int kOwnAnswer = -1;  // given without a rule
  struct Tries {
    std::vector<int> rules;      // recorded, in order
    std::optional<int> pending;  // of the try in flight
  };

  [[nodiscard]] static int rule_of(const std::string& note);
  [[nodiscard]] int uses(int rule) const;
  [[nodiscard]] int calls(const AttemptId& attempt) const;
  [[nodiscard]] Result<int> choose(const LLMRequest& request) const;
  task<Result<LLMResponse>> answer(LLMRequest request, int rule);

  Clock& clock_;
  Script script_;
  std::map<StepId, Tries> tries_;
};

}  // namespace conductorai::integrations
