#include "definition/workflow_loader.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <random>

#include "definition/plan.hpp"
#include "definition/test_support.hpp"

namespace conductorai::definition {
namespace {

using testing::HasSubstr;

TEST(LoadWorkflow, ReadsTheWholeExample) {
  const auto loaded = load_text(kExample);
  ASSERT_TRUE(loaded) << problems_of(loaded);
  const WorkflowDefinition& w = loaded->definition;
  EXPECT_EQ(w.name, "url-shortener");
  EXPECT_EQ(w.requirement, "...what the user wants...\n");
  EXPECT_EQ(w.inputs, (Object{{"language", "python"}}));
  EXPECT_EQ(w.timeout, std::chrono::hours(2));
  EXPECT_EQ(w.workspace.protected_paths, std::vector<std::string>{"tests/acceptance/**"});
  EXPECT_EQ(w.toolchain.report->path, "report.xml");
  EXPECT_EQ(w.sandbox, SandboxDefinition{});
  ASSERT_EQ(w.tasks.size(), 7u);
  EXPECT_EQ(w.tasks[3].id.value, "test");
  EXPECT_EQ(w.tasks[3].needs, (std::vector<TaskId>{TaskId("code"), TaskId("test-data")}));
  EXPECT_EQ(w.tasks[6].with.at("slo"), Value(Object{{"availability", 0.99}, {"p95-ms", 100}}));
  EXPECT_EQ(w.budget.usd_micros, 5'000'000);
  EXPECT_EQ(w.budget.wall_ms, 3'600'000);
  EXPECT_EQ(w.policies.approvals, std::vector<std::string>{"deploy"});
  EXPECT_EQ(w.llm.fallback.at(0).provider, "openai");
  EXPECT_TRUE(loaded->warnings.empty());
}

TEST(LoadWorkflow, ReadsJsonAsItReadsYaml) {
  const auto json = load_text(R"({"name": "a", "tasks": {"x": {"agent": "command", "with": {"run": "true"}, "timeout-minutes": 0.5}}})",
                              all_agents(), "w.json");
  ASSERT_TRUE(json) << problems_of(json);
  EXPECT_EQ(json->definition.tasks[0].timeout, std::chrono::seconds(30));
  EXPECT_FALSE(load_text("{name: a, requirement: b}", all_agents(), "w.json"));
}

TEST(LoadWorkflow, ReadsHowAgentsWorkWithTheirModel) {
  const auto loaded =
      load_text("name: a\nrequirement: b\nllm: { tools: on, tool-turns: 7, tool-repeats: 4, follow-ups: 0, context-tokens: 8192 }\n");
  ASSERT_TRUE(loaded) << problems_of(loaded);
  const LlmDefinition& llm = loaded->definition.llm;
  EXPECT_EQ(llm.tools, ToolUse::on);
  EXPECT_EQ(llm.tool_turns, 7);
  EXPECT_EQ(llm.tool_repeats, 4);
  EXPECT_EQ(llm.follow_ups, 0);
  EXPECT_EQ(llm.context_tokens, 8'192);
  EXPECT_NE(problems_of("name: a\nrequirement: b\nllm: { tools: maybe }\n"), "loaded");
}

TEST(LoadWorkflow, ReadsBudgetsOfTasksAndAgents) {
  const auto loaded = load_text(
      "name: a\nrequirement: b\nagent-budgets: { coding: { usd: 1, calls: 7 } }\n"
      "tasks: { x: { agent: coding, budget: { tokens: 500 } } }\n");
  ASSERT_TRUE(loaded) << problems_of(loaded);
  EXPECT_EQ(loaded->definition.tasks.at(0).budget, (BudgetDefinition{.tokens = 500}));
  EXPECT_EQ(loaded->definition.agent_budgets.at(AgentType("coding")), (BudgetDefinition{.usd_micros = 1'000'000, .calls = 7}));
}

TEST(LoadWorkflow, GivesTheSevenStandardTasksWhereNoneAreNamed) {
  const auto loaded = load_text("name: a\nrequirement: b\n");
  ASSERT_TRUE(loaded) << problems_of(loaded);
  EXPECT_EQ(loaded->definition.tasks.size(), 7u);
}

TEST(LoadWorkflow, LeavesOutStandardTasksWithoutAgentsAndSaysSo) {
  const auto loaded = load_text("name: a\nrequirement: b\n", development_agents());
  ASSERT_TRUE(loaded) << problems_of(loaded);
  ASSERT_EQ(loaded->definition.tasks.size(), 4u);
  EXPECT_EQ(loaded->warnings,
            std::vector<std::string>{
                "the standard tasks package, deploy, monitor left out: no agent of type devops, deploying, monitor is registered"});
  const auto named = load_text("name: a\nrequirement: b\ntasks:\n  deploy: { agent: deploying }\n", development_agents());
  EXPECT_EQ(
      problems_of(named),
      "tasks.deploy: no agent of type 'deploying' is registered (w.yaml:4:20) | registered: coding, review, test_data, test, command\n");
}

TEST(LoadWorkflow, NeedsNoRequirementWhereNoTaskAsksAModel) {
  EXPECT_TRUE(load_text(
      "name: a\ntasks:\n  lint: { agent: command, with: { run: make lint } }\n  test: { agent: test, with: { write-tests: false } }\n"));
  EXPECT_EQ(problems_of("name: a\ntasks:\n  test: { agent: test }\n"),
            "a requirement is missing: the task 'test' asks a model (w.yaml:1:1) | write 'requirement' or 'requirement-file', or give "
            "--requirement FILE\n");
}

TEST(LoadWorkflow, MakesAWorkflowOfARequirementAlone) {
  const auto loaded =
      load_workflow({.requirement = "Some words.\n\n## Rational numbers ##\nmore", .inputs = {"n=8"}, .agents = all_agents()});
  ASSERT_TRUE(loaded) << problems_of(loaded);
  EXPECT_EQ(loaded->definition.name, "Rational numbers");
  EXPECT_EQ(loaded->definition.requirement, "Some words.\n\n## Rational numbers ##\nmore");
  EXPECT_EQ(loaded->definition.inputs.at("n"), Value(8));
  EXPECT_EQ(load_workflow({.requirement = "x", .agents = all_agents()})->definition.name, "requirement");
  EXPECT_EQ(load_workflow({.requirement = "# ======\n# Payment webhooks\n# ======\n", .agents = all_agents()})->definition.name,
            "Payment webhooks");
  EXPECT_EQ(problems_of(load_workflow({.requirement = " \n", .agents = all_agents()})), "the requirement is empty (--requirement)\n");
  EXPECT_THAT(problems_of(load_workflow({.agents = all_agents()})), HasSubstr("a requirement is missing"));
}

TEST(LoadWorkflow, LetsTheCommandLineOverrideInputs) {
  const std::string text = "name: a\nrequirement: b\ninputs: { language: python, count: 3 }\n";
  const auto loaded = load_workflow({.file = "w.yaml", .text = text, .inputs = {"language=node", "count=5"}, .agents = all_agents()});
  ASSERT_TRUE(loaded) << problems_of(loaded);
  EXPECT_EQ(loaded->definition.inputs, (Object{{"language", "node"}, {"count", 5}}));
  EXPECT_EQ(problems_of(load_workflow({.file = "w.yaml", .text = text, .inputs = {"langage=node", "count"}, .agents = all_agents()})),
            "the workflow has no input 'langage' (--input 'langage=node') | did you mean 'language'?\n"
            "an input is given as NAME=VALUE (--input 'count')\n");
}

class RequirementFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("definition-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_ / "docs");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name, std::ios::binary) << text; }
  [[nodiscard]] std::expected<LoadedWorkflow, Problems> load(const std::string& text) const {
    return load_workflow({.file = "w.yaml", .text = text, .project_root = folder_, .agents = all_agents()});
  }
  std::filesystem::path folder_;
};

TEST_F(RequirementFiles, AreReadWholeFromTheProjectsRoot) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "- ünïcode line: { with }\t\x01 \"anything\"\r\n";
  write("docs/r.md", text);
  const auto loaded = load("name: a\nrequirement-file: docs/r.md\n");
  ASSERT_TRUE(loaded) << problems_of(loaded);
  EXPECT_EQ(loaded->definition.requirement, text);
}

TEST_F(RequirementFiles, AreNeverCut) {
  write("docs/r.md", std::string((1 << 20) + 1, 'x'));
  EXPECT_THAT(problems_of(load("name: a\nrequirement-file: docs/r.md\n")), HasSubstr("larger than 1MiB"));
  write("docs/r.md", "a\xFFz");
  EXPECT_THAT(problems_of(load("name: a\nrequirement-file: docs/r.md\n")), HasSubstr("not valid UTF-8 at byte 1"));
  EXPECT_THAT(problems_of(load("name: a\nrequirement-file: docs/none.md\n")), HasSubstr("no such file"));
  EXPECT_THAT(problems_of(load("name: a\nrequirement-file: docs/none.md\n")), HasSubstr("(w.yaml:2:19)"));
  EXPECT_THAT(problems_of(load("name: a\nrequirement-file: docs\n")), HasSubstr("a folder"));
  EXPECT_THAT(problems_of(load("name: a\nrequirement: b\nrequirement-file: docs/r.md\n")), HasSubstr("side by side"));
}

TEST_F(RequirementFiles, AndRepositoriesMustBeThere) {
  EXPECT_THAT(problems_of(load("name: a\nrequirement: b\nworkspace: { repo: gone }\n")), HasSubstr("workspace.repo: there is no folder"));
  EXPECT_TRUE(load("name: a\nrequirement: b\nworkspace: { repo: docs }\n"));
}

TEST(LoadWorkflow, TakesPhasesFromAgentsRegisteredLater) {
  auto agents = all_agents();
  agents.push_back(agent("auditor", false, Phase::monitoring));
  agents.push_back(agent("shipper", false, Phase::devops));
  const auto loaded = load_text(
      "name: a\ntasks:\n  x: { agent: auditor }\n  y: { agent: command, needs: [x], with: { run: ls } }\n"
      "  z: { agent: shipper, needs: [y] }\n",
      agents);
  ASSERT_TRUE(loaded) << problems_of(loaded);
  EXPECT_EQ(loaded->definition.tasks[0].phase, Phase::monitoring);
  EXPECT_EQ(loaded->definition.tasks[1].phase, std::nullopt) << "follows from its needs";
  EXPECT_EQ(loaded->definition.tasks[2].phase, Phase::monitoring) << "no earlier than what it needs";
}

TEST(LoadWorkflow, ChecksThousandsOfTasksInARow) {
  std::string text = "name: a\ntasks:\n";
  for (int i = 4'999; i > 0; --i)
    text += fmt::format("  t{}: {{ agent: command, needs: [t{}], with: {{ run: \"{}\" }} }}\n", i, i - 1,
                        i % 50 == 0 ? "${{ tasks.t0.outputs.x }}" : "ls");
  text += "  t0: { agent: command, with: { run: ls } }\n";
  const auto loaded = load_text(text);
  ASSERT_TRUE(loaded) << problems_of(loaded);
  EXPECT_EQ(make_plan(loaded->definition, all_agents()).phases[0].levels.size(), 5'000u);
  EXPECT_THAT(problems_of(text + "  t5000: { agent: command, with: { run: ls } }\n"), HasSubstr("more than 5000 tasks"));
}

TEST(LoadWorkflow, SurvivesRandomChangesOfAValidFile) {
  const char* words[] = {": ", "\n", "  ", "[", "]",  "{",   "}",  "- ",   "&a ",  "*a", "!!str ", "|",
                         ">",  "'",  "\"", "#", "\t", "${{", "}}", "\xF0", "null", "-1", "1e999",  "<<: "};
  const auto agents = all_agents();
  for (unsigned seed = 1; seed <= 1'500; ++seed) {
    std::mt19937 random(seed);
    std::string text = kExample;
    for (unsigned changes = 1 + random() % 4; changes > 0; --changes) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0: text.erase(at, 1 + random() % 20); break;
        case 1: text.insert(at, words[random() % std::size(words)]); break;
        case 2: text[at] = static_cast<char>(random() % 256); break;
        default: text.insert(at, text.substr(random() % text.size(), random() % 40)); break;
      }
    }
    const auto loaded = load_text(text, agents);
    if (loaded) continue;
    ASSERT_FALSE(loaded.error().empty()) << seed;
    ASSERT_LE(loaded.error().size(), 25u) << seed;
    for (const Error& error : loaded.error()) ASSERT_THAT(error.where, HasSubstr("w.yaml")) << seed << " " << to_string(error);
  }
}

}  // namespace
}  // namespace conductorai::definition
