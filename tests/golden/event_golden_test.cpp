// One stored row for each event version, and one file for each command. Where a file is missing the test fails and prints what belongs in
// it.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "core/codec.hpp"

namespace conductorai::core {
namespace {

const std::filesystem::path kGolden = CONDUCTORAI_GOLDEN;

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

/// The stored bytes; on request a missing file is made from `now`.
std::string stored(const std::filesystem::path& path, const std::string& now) {
  if (!std::filesystem::exists(path) && std::getenv("CONDUCTORAI_WRITE_GOLDEN") != nullptr)
    std::ofstream(path, std::ios::binary) << now << '\n';
  return read(path);
}

AttemptId attempt() {
  return {WorkflowId("wf-01"), TaskId("test"), 2, 3};
}
Timestamp at() {
  return Timestamp(Milliseconds(1'767'225'600'123));
}
Digest digest() {
  return Digest("sha256:ab");
}
Usage usage() {
  return {.calls = 1, .input_tokens = 2, .output_tokens = 3, .cached_calls = 4, .unknown_calls = 5, .usd_micros = 6, .wall_ms = 7};
}
Evidence evidence() {
  return {.kind = "test_report", .summary = "6 of 7", .value = 1, .passed = 6, .failed = 1, .skipped = 0, .artifact = digest()};
}
Finding finding() {
  return {.severity = Severity::critical, .file = "a.py", .line = 3, .message = "wrong \"quote\"\n", .source = "test"};
}
FeedbackPayload feedback() {
  return {.from = TaskId("test"),
          .target = TaskId("code"),
          .severity = Severity::warning,
          .summary = "s",
          .findings = {finding()},
          .recommendations = {"r"},
          .affected_tasks = {TaskId("docs")},
          .evidence = {digest()}};
}
Error error() {
  return {.code = ErrorCode::rate_limited,
          .message = "slow down",
          .where = "here",
          .hint = "wait",
          .retry = Retry::after,
          .retry_after = Milliseconds(1500),
          .cause = std::make_shared<const Error>(Error{.code = ErrorCode::timeout, .message = "cause"})};
}
RunOverrides overrides() {
  RunOverrides made;
  made.llm = LlmDefinition{
      .provider = "openai", .model = "m", .retries = 1, .fallback = {{.provider = "anthropic", .model = "n"}}, .script = digest()};
  made.sandbox_enabled = false;
  made.add_budget = {.usd_micros = 1, .tokens = 2, .calls = 3, .wall_ms = 4};
  return made;
}
ArtifactRef artifact() {
  return {.name = "report.xml", .type = "report", .digest = digest(), .size = 12};
}

/// Every field set, so that a renamed one shows.
std::vector<Event> samples() {
  return {
      WorkflowStarted{
          .name = "n", .definition = digest(), .branch = "conductorai/wf-01", .base_commit = "c0", .owner = "1@h", .version = "0.1.0"},
      WorkflowClaimed{.owner = "2@h", .in_flight = {TaskId("test")}},
      WorkflowPaused{.kind = PauseKind::budget, .reason = "why"},
      WorkflowResumed{.by = "ann", .overrides = overrides()},
      WorkflowCancelRequested{.by = "ann", .reason = "why", .deadline = true},
      WorkflowCancelled{.reason = "why"},
      WorkflowCompleted{.warnings = {"w"}},
      WorkflowFailed{.reason = "why", .error = error()},
      TaskCompleted{.id = attempt(),
                    .agent = AgentId("test-01"),
                    .verdict = Verdict::failed,
                    .summary = "s",
                    .outputs = Object{{"n", 1}, {"list", Array{"a", 1.5, nullptr, true}}},
                    .evidence = {evidence()},
                    .artifacts = {artifact()},
                    .commit = "c1",
                    .head = "h1",
                    .usage = usage(),
                    .duration_ms = 99,
                    .feedback = feedback()},
      TaskFailed{.id = attempt(),
                 .agent = AgentId("test-01"),
                 .error = error(),
                 .action = ErrorAction::retry,
                 .retry_at = at(),
                 .artifacts = {artifact()},
                 .evidence = {evidence()},
                 .usage = usage(),
                 .duration_ms = 99,
                 .findings = {finding()}},
      TaskSkipped{.task = TaskId("test"), .round = 2, .reason = "why"},
      TaskExpanded{.task = TaskId("test"), .round = 2, .items = {Value("a"), Value(1), Value(Object{{"k", "v"}})}},
      GateDecided{
          .phase = Phase::devops, .round = 2, .passed = true, .reasons = {"r"}, .evidence = {digest()}, .next_phase = Phase::monitoring},
      RoundOpened{.round = 3,
                  .kind = RoundKind::feedback,
                  .target = TaskId("code"),
                  .reset = {TaskId("code"), TaskId("test")},
                  .feedback = feedback()},
      ApprovalRequested{.approval = ApprovalId("deploy@1"),
                        .task = TaskId("deploy"),
                        .phase = Phase::devops,
                        .round = 1,
                        .reason = "why",
                        .expires_at = at()},
      ApprovalResolved{.approval = ApprovalId("deploy@1"), .outcome = ApprovalOutcome::expired, .by = "ann", .comment = "c"},
      WorkflowCleanupStarted{.tasks = {TaskId("teardown")}, .until = at()},
      WorkflowForked{.workflow = WorkflowId("wf-00"), .seq = 7, .tasks = {TaskId("code"), TaskId("review")}, .by = "ann@host"},
  };
}

RowHeader header() {
  return {.workflow = WorkflowId("wf-01"), .first_seq = 7, .at = at(), .epoch = 2, .prev_sha256 = "cd"};
}

TEST(Golden, EveryEventVersionKeepsItsBytes) {
  std::set<std::size_t> seen;
  for (const Event& event : samples()) {
    seen.insert(event.index());
    const std::string name = std::string(event_tag(event)) + ".v" + std::to_string(event_version(event)) + ".json";
    const std::string row = encode_row(header(), {event});
    EXPECT_EQ(row, stored(kGolden / "events" / name, row)) << name;
  }
  EXPECT_EQ(seen.size(), std::variant_size_v<Event>) << "an event has no sample";
}

TEST(Golden, EveryStoredEventIsStillRead) {
  const auto newest = samples();
  for (const auto& entry : std::filesystem::directory_iterator(kGolden / "events")) {
    auto row = decode_row(read(entry.path()));
    ASSERT_TRUE(row) << entry.path() << to_string(row.error());
    EXPECT_EQ(row->header.first_seq, 7U);
    EXPECT_EQ(row->header.at, at());
    EXPECT_EQ(row->events.at(0), newest.at(row->events.at(0).index())) << entry.path();
  }
}

TEST(Golden, CommandsOfTheInboxKeepTheirBytes) {
  const std::vector<Command> commands{Pause{.kind = PauseKind::user, .reason = "why"}, Resume{.by = "ann", .overrides = overrides()},
                                      Cancel{.by = "ann", .reason = "why"},
                                      Resolve{.approval = ApprovalId("deploy@1"), .approve = false, .by = "ann", .comment = "c"},
                                      RetryFailed{.by = "ann", .task = TaskId("test")}};
  std::string all;
  for (const Command& command : commands) {
    const std::string body = encode_command(command);
    auto back = decode_command(body);
    ASSERT_TRUE(back) << to_string(back.error());
    EXPECT_EQ(encode_command(*back), body);
    all += (all.empty() ? "" : "\n") + body;
  }
  EXPECT_EQ(all, stored(kGolden / "commands.v1.jsonl", all));
}

}  // namespace
}  // namespace conductorai::core
