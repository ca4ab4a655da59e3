// What is wrong with a workflow file, word for word.

#include <cstdlib>
#include <fstream>

#include "core/json.hpp"
#include "definition/test_support.hpp"

namespace conductorai::definition {
namespace {

using testing::HasSubstr;

const std::string kHead = "name: a\nrequirement: b\n";  // problems begin on line 3

TEST(WorkflowErrors, AnEmptyFileSaysWhatBelongsThere) {
  const std::string expected =
      "the workflow is empty (w.yaml:1:1) | give it a 'name' and a 'requirement'; `conductorai init` writes a file to start from\n";
  EXPECT_EQ(problems_of(""), expected);
  EXPECT_EQ(problems_of("{}"), expected);
  EXPECT_EQ(problems_of("---\n"), problems_of("---\n"));
  EXPECT_THAT(problems_of("# nothing\n"), HasSubstr("the workflow is empty"));
  EXPECT_THAT(problems_of("- a\n"), HasSubstr("expected a mapping, found a list (w.yaml:1:1)"));
  EXPECT_THAT(problems_of("just words"), HasSubstr("expected a mapping, found the text 'just words'"));
}

TEST(WorkflowErrors, UnknownKeysGetASuggestion) {
  EXPECT_EQ(problems_of(kHead + "buget: { usd: 5 }\n"), "unknown key 'buget' (w.yaml:3:1) | did you mean 'budget'?\n");
  EXPECT_EQ(problems_of(kHead + "budget: { dollars: 5 }\n"),
            "budget: unknown key 'dollars' (w.yaml:3:11) | known: usd, tokens, calls, wall-minutes\n");
  EXPECT_EQ(problems_of(kHead + "tasks:\n  x: { agent: coding, timeout_minutes: 3 }\n"),
            "tasks.x: unknown key 'timeout_minutes' (w.yaml:4:23) | did you mean 'timeout-minutes'?\n");
  EXPECT_EQ(problems_of(kHead + "gates: { develpment: {} }\n"),
            "gates: unknown key 'develpment' (w.yaml:3:10) | did you mean 'development'?\n");
}

TEST(WorkflowErrors, AllProblemsOfAFileAreToldInItsOrder) {
  EXPECT_EQ(problems_of("nam: a\nrequirement: [b]\ntimeout: 5\nrework: { max-rounds: 0 }\n"),
            "unknown key 'nam' (w.yaml:1:1) | did you mean 'name'?\n"
            "the key 'name' is missing (w.yaml:1:1)\n"
            "requirement: expected the requirement as a text, found a list (w.yaml:2:14)\n"
            "timeout: expected a duration like 250ms, 10s, 5m or 2h, found the number 5 (w.yaml:3:10) | give the unit: 5s\n"
            "rework.max-rounds: expected a whole number from 1 to 1000, found the number 0 (w.yaml:4:23)\n");
}

TEST(WorkflowErrors, ALongListIsCut) {
  std::string text = kHead + "tasks:\n";
  for (int i = 0; i < 50; ++i) text += "  t" + std::to_string(i) + ": { agent: coding, oops: 1 }\n";
  const auto loaded = load_text(text);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().size(), 20u);
  EXPECT_THAT(loaded.error().back().hint, HasSubstr("and 30 more problems"));
}

TEST(WorkflowErrors, TextsWantQuotesWhereYamlSeesSomethingElse) {
  EXPECT_EQ(problems_of("name: 1.0\nrequirement: b\n"),
            "name: expected a text on one line, found the number 1.0 (w.yaml:1:7) | put it in quotes: \"1.0\"\n");
  EXPECT_EQ(problems_of(kHead + "tasks:\n  x: { agent: coding, approval: yes }\n"),
            "tasks.x.approval: expected true or false, found the text 'yes' (w.yaml:4:33) | write true\n");
}

TEST(WorkflowErrors, NumbersHaveRanges) {
  const auto one = [](const std::string& line) { return problems_of(kHead + line); };
  EXPECT_THAT(one("budget: { usd: -1 }\n"),
              HasSubstr("budget.usd: expected a number greater than 0, at most 1000000, found the number -1 (w.yaml:3:16)"));
  EXPECT_THAT(one("budget: { usd: 1e999 }\n"), HasSubstr("expected a number greater than 0"));
  EXPECT_THAT(one("budget: { calls: 0 }\n"), HasSubstr("expected a whole number from 1 to 1000000, found the number 0"));
  EXPECT_THAT(one("budget: { calls: 1.5 }\n"), HasSubstr("expected a whole number"));
  EXPECT_THAT(one("budget: { tokens: 99999999999999999999 }\n"), HasSubstr("expected a whole number"));
  EXPECT_THAT(one("budget: { wall-minutes: 0 }\n"), HasSubstr("greater than 0"));
  EXPECT_THAT(one("gates: { development: { min-success-rate: 1.5 } }\n"),
              HasSubstr("expected a number from 0 to 1, found the number 1.5 (w.yaml:3:43)"));
  EXPECT_THAT(one("sandbox: { memory: 1KiB }\n"), HasSubstr("expected a size from 16MiB to 1024TiB, found the text '1KiB'"));
  EXPECT_THAT(one("sandbox: { memory: 1GB }\n"), HasSubstr("expected a size like 64KiB, 512MiB or 1GiB"));
  EXPECT_THAT(one("sandbox: { wall: 0s }\n"), HasSubstr("expected a duration from 1ms to"));
  EXPECT_THAT(one("sandbox: { wall: 99999999h }\n"), HasSubstr("expected a duration"));
  EXPECT_THAT(one("sandbox: { processes: 2147483648 }\n"), HasSubstr("expected a whole number from 1 to 32768"));
  EXPECT_THAT(one("feedback: { max-loops: -1 }\n"), HasSubstr("expected a whole number from 0 to 1000"));
  EXPECT_THAT(one("tasks: { x: { agent: coding, retry: { max-attempts: 0 } } }\n"),
              HasSubstr("tasks.x.retry.max-attempts: expected a whole number from 1 to 100"));
  EXPECT_THAT(one("tasks: { x: { agent: coding, timeout-minutes: 0 } }\n"), HasSubstr("greater than 0"));
}

TEST(WorkflowErrors, WordsAreChosenFromALine) {
  EXPECT_EQ(problems_of(kHead + "feedback: { on-exhausted: complete_with_warnings }\n"),
            "feedback.on-exhausted: expected one of fail, complete-with-warnings, found the text 'complete_with_warnings' (w.yaml:3:27) | "
            "did you mean "
            "'complete-with-warnings'?\n");
  EXPECT_THAT(problems_of(kHead + "sandbox: { network: host }\n"), HasSubstr("expected one of none, prepare, full, found the text 'host'"));
  EXPECT_THAT(problems_of(kHead + "llm: { provider: opneai }\n"), HasSubstr("expected a provider: openai, anthropic"));
  EXPECT_THAT(problems_of(kHead + "policies: { deploy-targets: [proces] }\n"), HasSubstr("policies.deploy-targets[0]"));
  EXPECT_THAT(problems_of(kHead + "policies: { approvals: [deplyo] }\n"),
              HasSubstr("'deplyo' is neither a task nor an agent type (w.yaml:3:25) | did you mean 'deploy'?"));
  EXPECT_THAT(problems_of(kHead + "agent-budgets: { codnig: { calls: 1 } }\n"),
              HasSubstr("agent-budgets: 'codnig' is no agent type (w.yaml:3:18) | did you mean 'coding'?"));
  EXPECT_THAT(problems_of(kHead + "tasks:\n  x: { agent: coding, budget: { calls: 0 } }\n"), HasSubstr("tasks.x.budget.calls: expected"));
  EXPECT_THAT(problems_of(kHead + "env: [\"A B\"]\n"),
              HasSubstr("env[0]: expected the name of an environment variable, found the text 'A B' (w.yaml:3:7)"));
}

TEST(WorkflowErrors, AgentsAreThoseRegistered) {
  EXPECT_EQ(problems_of(kHead + "tasks:\n  x: { agent: codng }\n"),
            "tasks.x: no agent of type 'codng' is registered (w.yaml:4:15) | did you mean 'coding'? registered: coding, review, test_data, "
            "test, command, devops, "
            "deploying, monitor\n");
  EXPECT_EQ(problems_of(kHead + "tasks:\n  x: { needs: [] }\n"), "tasks.x: the key 'agent' is missing (w.yaml:4:6)\n");
}

TEST(WorkflowErrors, AgentsDeclareTheirSettings) {
  const auto with = [](const std::string& text) { return problems_of(kHead + "tasks:\n  x: " + text + "\n"); };
  EXPECT_EQ(with("{ agent: command }"), "tasks.x.with: the agent 'command' needs the key 'run' (w.yaml:4:6) | the command line\n");
  EXPECT_EQ(with("{ agent: command, with: { rnu: make } }"),
            "tasks.x.with: the agent 'command' needs the key 'run' (w.yaml:4:30) | the command line\n"
            "tasks.x.with: the agent 'command' knows no key 'rnu' (w.yaml:4:32) | did you mean 'run'?\n");
  EXPECT_EQ(with("{ agent: test, with: { write-tests: maybe } }"),
            "tasks.x.with.write-tests: expected true or false, found the text 'maybe' (w.yaml:4:42)\n");
  EXPECT_EQ(with("{ agent: test, with: { wait: 5 } }"),
            "tasks.x.with.wait: expected a duration like 250ms, 10s, 5m or 2h, found the number 5 (w.yaml:4:35)\n");
  EXPECT_EQ(with("{ agent: coding, with: { mode: tool } }"),
            "tasks.x.with.mode: expected one of tools, files, found the text 'tool' (w.yaml:4:37) | did you mean 'tools'?\n");
}

TEST(WorkflowErrors, TaskIdsAreSimple) {
  EXPECT_EQ(problems_of(kHead + "tasks:\n  'x[0]': { agent: coding }\n"),
            "tasks.x[0]: 'x[0]' is no task id: 1 to 100 letters, digits, '-' and '_' (w.yaml:4:3)\n");
  EXPECT_EQ(problems_of(kHead + "tasks:\n  x: { agent: coding }\n  x: { agent: review }\n"),
            "the key 'x' stands here a second time; the first is on line 4 (w.yaml:5:3)\n");
  EXPECT_EQ(problems_of(kHead + "tasks: {}\n"),
            "tasks: expected at least one task (w.yaml:3:8) | leave the key out for the seven standard tasks\n");
}

TEST(WorkflowErrors, NeedsExistAndMakeNoCircle) {
  EXPECT_EQ(problems_of(kHead + "tasks:\n  code: { agent: coding }\n  t: { agent: test, needs: [cdoe, code, code] }\n"),
            "tasks.t.needs: there is no task 'cdoe' (w.yaml:5:29) | did you mean 'code'?\n"
            "tasks.t.needs: the task 'code' stands here twice (w.yaml:5:41)\n");
  EXPECT_EQ(
      problems_of(kHead +
                  "tasks:\n  a: { agent: coding, needs: [c] }\n  b: { agent: coding, needs: [a] }\n  c: { agent: coding, needs: [b] }\n"),
      "tasks need each other in a cycle: a → c → b → a (w.yaml:4:30) | leave out one of these needs\n");
  EXPECT_EQ(problems_of(kHead + "tasks:\n  a: { agent: coding, needs: [a] }\n"),
            "tasks need each other in a cycle: a → a (w.yaml:4:30) | leave out one of these needs\n");
  EXPECT_THAT(problems_of(kHead + "tasks:\n  d: { agent: deploying }\n  a: { agent: coding, phase: development, needs: [d] }\n"),
              HasSubstr("the task 'a' in phase DEVELOPMENT needs 'd', which is in the later phase DEVOPS (w.yaml:5:30)"));
}

TEST(WorkflowErrors, ExpressionsReadWhatWillBeThere) {
  const std::string head =
      kHead + "inputs: { language: python }\nenv: [TZ]\ntasks:\n  a: { agent: coding }\n  b: { agent: review }\n";  // line 8 is next
  const auto one = [&](const std::string& task) {
    return problems_of(head + "  c:\n    agent: coding\n    needs: [a]\n    " + task + "\n");
  };
  EXPECT_EQ(one("if: inputs.language == 'python' && always()"), "loaded");
  EXPECT_EQ(one("if: ${{ tasks.a.outputs.x != '' }}"), "loaded");
  EXPECT_EQ(one("with: { instructions: \"${{ env.TZ }} ${{ inputs.language }}\" }"), "loaded");
  EXPECT_EQ(one("outputs: { x: \"${{ tasks.c.outputs.y }}\" }"), "loaded");
  EXPECT_EQ(one("with: { instructions: \"${{ inputs.langage }}\" }"),
            "tasks.c.with.instructions: there is no input 'langage' (w.yaml:11:27) | did you mean 'language'?\n");
  EXPECT_EQ(one("with: { instructions: \"${{ env.HOME }}\" }"),
            "tasks.c.with.instructions: the variable 'HOME' is not listed in 'env' (w.yaml:11:27) | known: TZ\n");
  EXPECT_EQ(one("if: tasks.b.outputs.x == 1"),
            "tasks.c.if: the outputs of 'b' are not known to 'c', which does not need it (w.yaml:11:9) | add it: needs: [b]\n");
  EXPECT_THAT(one("if: tasks.zz.outputs.x == 1"), HasSubstr("tasks.c.if: there is no task 'zz' (w.yaml:11:9)"));
  EXPECT_THAT(one("with: { instructions: \"${{ foreach.item }}\" }"), HasSubstr("foreach.item is known only in"));
  EXPECT_THAT(one("if: '1 == '"), HasSubstr("tasks.c.if: expression: "));
  EXPECT_THAT(one("with: { instructions: \"${{ 1 + }}\" }"), HasSubstr("tasks.c.with.instructions: expression: "));
  EXPECT_THAT(one("foreach: inputs.language"), HasSubstr("expected a list or one ${{ }} expression"));
  EXPECT_EQ(one("foreach: [1, 2]\n    with: { instructions: \"${{ foreach.item }}\" }"), "loaded");
}

TEST(WorkflowErrors, AMissingFileIsNamed) {
  EXPECT_EQ(problems_of(load_workflow({.file = "/nonexistent/w.yaml"})), "no such file (/nonexistent/w.yaml)\n");
  EXPECT_EQ(problems_of(load_workflow({.file = "/"})), "this is a folder, not a file (/)\n");
}

TEST(WorkflowErrors, EveryTortureCaseIsRefusedWithAPosition) {
  const char* fixtures = std::getenv("CONDUCTORAI_FIXTURES");
  if (fixtures == nullptr) GTEST_SKIP() << "CONDUCTORAI_FIXTURES is not set";
  int cases = 0;
  for (const std::string kind : {"yaml", "json"}) {
    std::ifstream stream(std::string(fixtures) + "/parser-torture/" + kind + ".jsonl");
    for (std::string line; std::getline(stream, line);) {
      const Value value = core::parse_json(line).value();
      std::string text;
      std::uint32_t bits = 0;
      int count = 0;
      for (const char c : value.find("b64") ? *value.find("b64")->as_string() : "") {
        const auto digit = std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/").find(c);
        if (digit == std::string_view::npos) continue;
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        text += static_cast<char>(bits >> count & 0xFF);
      }
      for (const std::string file : {"case.yaml", "case.json"}) {
        const auto loaded = load_text(text, all_agents(), file);
        ASSERT_FALSE(loaded) << line;
        for (const Error& error : loaded.error())
          EXPECT_THAT(error.where, testing::MatchesRegex("case\\.(yaml|json):[0-9]+:[0-9]+")) << line << to_string(error);
      }
      ++cases;
    }
  }
  EXPECT_EQ(cases, 120);
}

}  // namespace
}  // namespace conductorai::definition
