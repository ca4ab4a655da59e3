#include "infrastructure/sandbox/selftest.hpp"

#include <iostream>

#include "infrastructure/sandbox/sandbox_fixture.hpp"

namespace conductorai::infrastructure {
namespace {

class SandboxSelftest : public SandboxFixture {};

void print(const ProbeResult& result) {
  std::cout << (result.denied ? "denied   " : "ESCAPED  ") << result.probe << ": " << result.detail << "\n";
}

TEST_F(SandboxSelftest, TriesAtLeastTwentyEscapesAndAllAreDenied) {
  EXPECT_GE(probe_names().size(), 20u);
  auto sandbox = make();
  auto results = runtime::run_to_end(loop_, selftest(*sandbox, options_, {}, print));
  ASSERT_TRUE(results) << to_string(results.error());
  EXPECT_EQ(results->size(), probe_names().size());
  for (const auto& result : *results) EXPECT_TRUE(result.denied) << result.probe << ": " << result.detail;
}

TEST_F(SandboxSelftest, AllAreDeniedWithoutACgroupToo) {
  options_.cgroups = false;
  auto sandbox = make();
  auto results =
      runtime::run_to_end(loop_, selftest(*sandbox, options_, {"fork-bomb", "memory-bomb", "fill-workspace", "fill-tmp", "daemon"}, print));
  ASSERT_TRUE(results) << to_string(results.error());
  for (const auto& result : *results) EXPECT_TRUE(result.denied) << result.probe << ": " << result.detail;
}

/// The probes must be able to succeed, or their silence proves nothing. Only those that do no harm without a sandbox.
TEST_F(SandboxSelftest, SeesTheEscapesThatWorkWithoutASandbox) {
  const std::vector<std::string> harmless{"read-secret", "git-folder",       "links",         "other-processes", "signal-outside",
                                          "loopback",    "unix-sockets",     "trace-outside", "memory-outside",  "become-root",
                                          "namespaces",  "uncounted-memory", "kernel-doors",  "terminal",        "system-settings"};
  auto sandbox = make_no_sandbox(loop_, options_);
  auto results = runtime::run_to_end(loop_, selftest(*sandbox, options_, harmless, print));
  ASSERT_TRUE(results) << to_string(results.error());
  for (const auto& result : *results) EXPECT_FALSE(result.denied) << result.probe << ": " << result.detail;
}

TEST_F(SandboxSelftest, LimitsHoldWithoutASandbox) {
  auto sandbox = make_no_sandbox(loop_, options_);
  auto results = runtime::run_to_end(
      loop_, selftest(*sandbox, options_, {"memory-bomb", "fill-workspace", "flood-output", "ignore-signals", "daemon"}));
  ASSERT_TRUE(results) << to_string(results.error());
  for (const auto& result : *results) EXPECT_TRUE(result.denied) << result.probe << ": " << result.detail;
}

TEST_F(SandboxSelftest, WhatCouldNotBeTriedIsNotDenied) {
  auto sandbox = make();
  options_.helper = "/bin/false";
  auto results = runtime::run_to_end(loop_, selftest(*sandbox, options_, {"devices"}));
  ASSERT_TRUE(results) << to_string(results.error());
  ASSERT_EQ(results->size(), 1u);
  EXPECT_FALSE(results->front().denied);
  EXPECT_THAT(results->front().detail, ::testing::HasSubstr("could not be tried"));
}

}  // namespace
}  // namespace conductorai::infrastructure
