#pragma once
// StepNotes: what a provider wants kept with each try in the steps ledger, so that it can go on after a crash where it was.

#include <string>
#include <vector>

#include "conductorai/ids.hpp"
#include "conductorai/llm_provider.hpp"
#include "conductorai/state_manager.hpp"

namespace conductorai::integrations {

class StepNotes {
 public:
  virtual ~StepNotes() = default;
  /// Of the step's last try, whatever its outcome; empty when nothing is to be kept. Asked once, when the try is recorded.
  virtual std::string take_note(const StepId& step) = 0;
  /// The notes on record of a step that is about to be sent. Where the provider remembers others, the step diverged: this ordinal and all
  /// after it in the attempt were set aside and no longer count.
  virtual void stand(const StepId& step, const std::vector<std::string>& notes) = 0;
};

/// Notes of all recorded tries of a step, in order.
std::vector<std::string> notes_of(const StepRecord& record);

}  // namespace conductorai::integrations
