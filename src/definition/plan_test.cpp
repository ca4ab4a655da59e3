#include "definition/plan.hpp"

#include <unistd.h>

#include <fstream>
#include <limits>

#include "core/json.hpp"
#include "definition/plan_graph.hpp"
#include "definition/template.hpp"
#include "definition/test_support.hpp"

namespace conductorai::definition {
namespace {

Plan plan_of(const std::string& text) {
  const auto loaded = load_text(text);
  EXPECT_TRUE(loaded) << problems_of(loaded);
  return loaded ? make_plan(loaded->definition, all_agents()) : Plan{};
}

std::vector<std::string> ids(const std::vector<PlannedTask>& level) {
  std::vector<std::string> names;
  for (const PlannedTask& task : level) names.push_back(task.id.value);
  return names;
}

TEST(Plan, OrdersTasksByPhaseAndNeeds) {
  const Plan plan = plan_of("name: a\nrequirement: b\nbudget: { calls: 1000 }\n");
  ASSERT_EQ(plan.phases.size(), 3u);
  ASSERT_EQ(plan.phases[0].levels.size(), 3u);
  EXPECT_EQ(ids(plan.phases[0].levels[0]), std::vector<std::string>{"code"});
  EXPECT_EQ(ids(plan.phases[0].levels[1]), (std::vector<std::string>{"review", "test-data"}));
  EXPECT_EQ(ids(plan.phases[0].levels[2]), std::vector<std::string>{"test"});
  EXPECT_EQ(ids(plan.phases[1].levels[0]), std::vector<std::string>{"package"});
  EXPECT_EQ(ids(plan.phases[1].levels[1]), std::vector<std::string>{"deploy"});
  EXPECT_EQ(plan.phases[2].phase, Phase::monitoring);
  EXPECT_EQ(plan.calls, 5);                                           // a healthy monitor and a deployment ask nobody
  EXPECT_EQ(plan.phases[0].levels[0][0].calls_worst, 3 * 4 * 3 * 3);  // rounds, entries, attempts, tries inside a call
  EXPECT_EQ(plan.calls_worst, 6 * 108);
}

TEST(Plan, TellsTheWorstCaseWhateverTheBudgetAndSurvivesLargeNumbers) {
  EXPECT_EQ(plan_of("name: a\nrequirement: b\nbudget: { calls: 10 }\n").calls_worst, 648);
  const Plan plan = plan_of(
      "name: a\nrequirement: b\nrework: { max-rounds: 1000 }\nfeedback: { max-loops: 1000 }\ntasks:\n  x: { agent: coding, foreach: [1, 2, "
      "3], retry: { max-attempts: 100 } }\n");
  EXPECT_EQ(plan.calls, 3);
  EXPECT_EQ(plan.calls_worst, 1000 * 100 * 3 * 3);  // no later phase, no loops
  EXPECT_FALSE(plan.open_ended);
}

TEST(Plan, CountsFollowUpsOfAgentsThatAskBySchema) {
  AgentDescription review = agent("review", true, Phase::development, {{"tools", WithKey::Type::boolean}});
  review.answer_schema = "{}";
  const auto loaded = load_text(
      "name: a\nrequirement: b\nrework: { max-rounds: 1 }\nllm: { provider: anthropic, retries: 0, tool-turns: 9, follow-ups: 4 }\n"
      "tasks:\n  x: { agent: review, retry: { max-attempts: 1 } }\n",
      {review});
  ASSERT_TRUE(loaded) << problems_of(loaded);
  EXPECT_EQ(make_plan(loaded->definition, {review}).calls_worst, 10 * 5);
}

TEST(Plan, CountsEveryTurnOfAgentsThatWorkByTools) {
  const std::vector<AgentDescription> agents{agent("coding", true, Phase::development, {{"tools", WithKey::Type::boolean}})};
  const auto worst = [&](const std::string& llm, const std::string& with) {
    const auto loaded = load_text("name: a\nrequirement: b\nrework: { max-rounds: 1 }\nllm: { retries: 0, tool-turns: 9, " + llm +
                                      " }\ntasks:\n  x: { agent: coding, retry: { max-attempts: 1 }, with: { " + with + " } }\n",
                                  agents);
    EXPECT_TRUE(loaded) << problems_of(loaded);
    return loaded ? make_plan(loaded->definition, agents).calls_worst : 0;
  };
  EXPECT_EQ(worst("provider: anthropic", ""), 10);
  EXPECT_EQ(worst("provider: anthropic, tools: off", ""), 1);
  EXPECT_EQ(worst("provider: anthropic", "tools: false"), 1);
  EXPECT_EQ(worst("provider: mock", ""), 1);
  EXPECT_EQ(worst("provider: mock, tools: on", ""), 10);
}

TEST(Plan, IsPrintedForPeople) {
  const std::string text =
      to_text(plan_of("name: demo\nrequirement: b\npolicies: { approvals: [test] }\ntasks:\n  code: { agent: coding }\n  test: { agent: "
                      "test, needs: [code], if: always() }\n"));
  EXPECT_EQ(text,
            "demo\n"
            "\n"
            "DEVELOPMENT\n"
            "  ●  code  coding  1 call, at worst 27\n"
            "  ●  test  test    1 call, at worst 27, needs code, if always(), after approval\n"
            "  ◆  gate: 100% of verdicts passed\n"
            "\n"
            "model calls  2 on the normal path, at worst 54\n"
            "rounds       at most 3 a phase, feedback loops at most 3\n");
}

TEST(PlanForecast, PrintsCostsBesideTheBudgetAndEachPolicy) {
  Forecast forecast;
  forecast.cost = {.normal = {.calls = 1, .tokens = 20, .usd_micros = 1'500'000},
                   .worst = {.calls = 9, .tokens = std::numeric_limits<std::int64_t>::max(), .usd_micros = std::nullopt}};
  forecast.tasks = {{.id = TaskId("code"), .cost = forecast.cost, .models = {}}};
  forecast.models = {{.provider = "openai", .model = "gpt-4.1", .cost = forecast.cost}};
  forecast.policies = {{.policy = "approvals", .verdict = PolicyVerdict::needs_approval, .reasons = {"approvals: of deploy"}},
                       {.policy = "budget", .reasons = {}}};
  EXPECT_EQ(to_text(forecast, {.calls = 5}),
            "\n"
            "                     normal path, at least                               at worst\n"
            "cost             calls    tokens       usd      calls         tokens          usd\n"
            "code                 1        20      1.50          9         no end            ?\n"
            "all tasks            1        20      1.50          9         no end            ?\n"
            "openai:gpt-4.1       1        20      1.50          9         no end            ?\n"
            "budget                                              5              -            -\n"
            "\n"
            "policies\n"
            "  approvals  needs_approval\n"
            "    approvals: of deploy\n"
            "  budget     allow\n");
}

/// The lanes of the only phase, a line each.
std::vector<std::string> lanes_of(const std::string& tasks) {
  std::vector<std::string> out;
  const Plan plan = plan_of("name: a\ntasks:\n" + tasks);
  for (const GraphRow& row : draw(plan.phases.at(0))) out.push_back(row.lanes + (row.task != nullptr ? " " + row.task->id.value : ""));
  return out;
}

std::string command(const std::string& id, const std::string& needs) {
  return "  " + id + ": { agent: command, with: { run: x }, needs: [" + needs + "] }\n";
}

TEST(PlanGraph, ForksAndJoins) {
  EXPECT_EQ(lanes_of(command("a", "") + command("b", "a") + command("c", "a") + command("d", "b, c")),
            (std::vector<std::string>{"● a", "├─╮", "● │ b", "│ ● c", "├─╯", "● d", "◆"}));
}

TEST(PlanGraph, LeavesOutNeedsThatFollowFromOthers) {
  EXPECT_EQ(lanes_of(command("a", "") + command("b", "a") + command("c", "a, b")), (std::vector<std::string>{"● a", "● b", "● c", "◆"}));
}

TEST(PlanGraph, JoinsWhatStandsAloneAtTheGate) {
  EXPECT_EQ(lanes_of(command("a", "") + command("b", "") + command("c", "")),
            (std::vector<std::string>{"● a", "│ ● b", "│ │ ● c", "├─┴─╯", "◆"}));
}

TEST(PlanGraph, GivesWayToAListWhereLanesDoNotFit) {
  std::string tasks;
  for (int i = 0; i < 40; ++i) tasks += command("t" + std::to_string(i), "");
  EXPECT_TRUE(lanes_of(tasks).empty());
  EXPECT_NE(to_text(plan_of("name: a\ntasks:\n" + tasks)).find("level 1\n    t0 "), std::string::npos);
}

TEST(Plan, IsAnObjectForPrograms) {
  const auto json = core::parse_json(to_json(plan_of("name: a\nrequirement: b\nbudget: { calls: 10 }\n"), {}));
  ASSERT_TRUE(json);
  EXPECT_EQ(json->find("phases")->as_array()->size(), 3U);
  EXPECT_EQ(*json->find("calls_worst")->as_int(), 648);
  EXPECT_TRUE(json->find("over")->is_null());
  EXPECT_EQ(*json->find("budget")->find("calls")->as_int(), 10);
  EXPECT_TRUE(json->find("budget")->find("tokens")->is_null());
}

TEST(DetectLanguage, LooksAtTheFiles) {
  const auto folder = std::filesystem::temp_directory_path() / ("language-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  EXPECT_EQ(detect_language(folder), "");
  std::ofstream(folder / "a.py") << "x";
  EXPECT_EQ(detect_language(folder), "python");
  std::ofstream(folder / "go.mod") << "x";
  EXPECT_EQ(detect_language(folder), "go");
  std::filesystem::remove_all(folder);
  EXPECT_EQ(detect_language(folder), "");
}

}  // namespace
}  // namespace conductorai::definition
