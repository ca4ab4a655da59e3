// What an agent itself says of its `with`, told where it stands in the file.

#include "definition/test_support.hpp"

namespace conductorai::definition {
namespace {

using testing::HasSubstr;

std::vector<AgentDescription> with_a_checking_agent(std::string where, int& asked) {
  auto agents = all_agents();
  agents.back().check = [where = std::move(where), &asked](const Object&) -> Result<void> {
    ++asked;
    return fail(ErrorCode::invalid_argument, "expected a path", where, "begin it with /");
  };
  return agents;
}

std::string told(const std::string& with, const std::string& where, int& asked) {
  const std::string text = "name: a\nrequirement: b\ntasks:\n  m:\n    agent: monitor\n    with:\n" + with;
  return problems_of(load_text(text, with_a_checking_agent(where, asked)));
}

TEST(AgentCheck, IsToldAtTheKeyItNames) {
  int asked = 0;
  EXPECT_THAT(told("      probes:\n        - { get: /a }\n        - { get: b }\n", "with.probes[1].get", asked),
              HasSubstr("expected a path (with.probes[1].get) (w.yaml:9:18) | begin it with /"));
  EXPECT_THAT(told("      probes:\n        - { get: /a }\n", "with.probes[7].get", asked), HasSubstr("(w.yaml:8:9)"));
  EXPECT_THAT(told("      probes: []\n", "elsewhere[", asked), HasSubstr("expected a path"));
  EXPECT_EQ(asked, 3);
}

TEST(AgentCheck, WaitsForTheRunWhereAnExpressionStands) {
  int asked = 0;
  EXPECT_EQ(told("      probes:\n        - { get: \"${{ inputs.path }}\" }\n", "with", asked).find("expected a path"), std::string::npos);
  EXPECT_EQ(asked, 0);
}

TEST(AgentCheck, ComesAfterTheKeysThemselves) {
  int asked = 0;
  EXPECT_THAT(told("      probe: []\n", "with", asked), HasSubstr("knows no key 'probe'"));
  EXPECT_EQ(asked, 0);
}

}  // namespace
}  // namespace conductorai::definition
