#pragma once
// StepNotes: what a provider wants kept with each try in the steps ledger, so that it can go on after a crash where it was.

#include <string>

#include "conductorai/ids.hpp"
#include "conductorai/llm_provider.hpp"

namespace conductorai::integrations {

class StepNotes {
 public:
  virtual ~StepNotes() = default;
  /// Of the caller's last try, whatever its outcome; empty when nothing is to be kept. Asked once, when the try is recorded.
  virtual std::string take_note(const LLMCaller& caller) = 0;
  /// A divergence: this ordinal and all after it in the attempt no longer count.
  virtual void set_aside(const StepId& step) = 0;
};

}  // namespace conductorai::integrations
