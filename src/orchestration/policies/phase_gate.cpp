#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <string>

#include "orchestration/policies/rules.hpp"

namespace conductorai::orchestration {

namespace {

const GateDefinition& gate_of(const PassGate& gate) {
  static const GateDefinition standard;
  if (gate.definition == nullptr) return standard;
  std::string name(to_string(gate.phase));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  auto found = gate.definition->gates.find(name);
  return found == gate.definition->gates.end() ? standard : found->second;
}

/// "66.7 %", "100 %"
std::string percent(double rate) {
  const std::int64_t tenths = std::llround(1000 * rate);
  std::string text = std::to_string(tenths / 10);
  if (tenths % 10 != 0) (text += '.') += std::to_string(tenths % 10);
  return text + " %";
}

/// Passed verdicts against gates.<phase>.min-success-rate, each with evidence (I7); then gates.<phase>.approval.
class PhaseGate final : public Policy {
 public:
  [[nodiscard]] std::string_view name() const override { return "phase-gate"; }
  [[nodiscard]] PolicyDecision check(const PolicyContext& context) const override {
    const auto* gate = std::get_if<PassGate>(&context);
    if (gate == nullptr) return {};
    const GateDefinition& asked = gate_of(*gate);
    const auto phase = to_string(gate->phase);
    PolicyDecision denied{.verdict = PolicyVerdict::deny, .reasons = {}};
    if (gate->without_evidence > 0)
      denied.reasons.push_back(fmt::format("phase-gate: {} of {} verdicts in {} cite no evidence, and none may be without",
                                           gate->without_evidence, gate->passed + gate->failed, phase));
    const int verdicts = gate->passed + gate->failed;
    const double rate = verdicts == 0 ? 1.0 : static_cast<double>(gate->passed) / verdicts;
    // The rate of a file such as 0.7 has no exact double; a gate must not fail on the last bit.
    const bool enough = rate + 1e-9 >= asked.min_success_rate;
    const auto measured = verdicts == 0 ? fmt::format("no task of {} gives a verdict", phase)
                                        : fmt::format("{} of {} verdicts in {} passed ({})", gate->passed, verdicts, phase, percent(rate));
    const auto sentence = fmt::format("phase-gate: {}, min-success-rate is {}", measured, percent(asked.min_success_rate));
    if (!enough) denied.reasons.push_back(sentence);
    if (!denied.reasons.empty()) return denied;
    if (asked.approval && !gate->approved)
      return {.verdict = PolicyVerdict::needs_approval,
              .reasons = {fmt::format("phase-gate: the gate of {} asks for an approval (approval: true) and has none", phase)}};
    return {.verdict = PolicyVerdict::allow, .reasons = {sentence}};
  }
};

}  // namespace

std::unique_ptr<Policy> make_phase_gate() {
  return std::make_unique<PhaseGate>();
}

}  // namespace conductorai::orchestration
