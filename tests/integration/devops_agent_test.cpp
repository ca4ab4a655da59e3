// The devops agent against answers that are empty, wrong, greedy or lying, and what it makes of good ones.

#include <gmock/gmock.h>

#include "agents/devops/agents.hpp"
#include "core/json.hpp"
#include "tests/support/fake_task_context.hpp"

namespace conductorai {
namespace {

using conductorai::testing::FakeTaskContext;
using conductorai::testing::FileMap;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Files = std::map<std::string, std::optional<std::string>>;

const FileMap kProject{{"app.py", "def one():\n    return 1\n"},
                       {"tests/test_app.py", "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_one(self):\n        pass\n"},
                       {"protected.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"}};
const std::string kDockerfile = "FROM python:3.12\nCOPY . .\nCMD [\"python3\", \"app.py\"]\n";

TaskResult run(FakeTaskContext& context, runtime::Loop& loop) {
  auto agent = agents::make_devops_agent(AgentId("devops-01"), 1);
  return runtime::run_to_end(loop, agent->execute_task(context));
}

std::vector<std::string> kinds(const TaskResult& result) {
  std::vector<std::string> out;
  for (const Evidence& evidence : result.evidence) out.push_back(evidence.kind);
  return out;
}

std::string findings(const TaskResult& result) {
  std::string out;
  if (result.feedback)
    for (const Finding& finding : result.feedback->findings)
      out += finding.file + ":" + std::to_string(finding.line) + ": " + finding.message + "\n";
  return out;
}

// --- hostile answers ----------------------------------------------------------------------------------------------------------------

struct Hostile {
  std::string name;
  LLMResponse answer;
  std::string evidence;  // kind that the failed verdict cites; empty: the attempt fails with invalid_answer
  std::string finding;
  bool applied = false;  // the files stay for the next round to mend
};
void PrintTo(const Hostile& one, std::ostream* out) {
  *out << one.name;
}

LLMResponse files(Files files) {
  return conductorai::testing::answer_files(std::move(files));
}
LLMResponse ended(FinishReason reason) {
  LLMResponse answer = conductorai::testing::answer_text("…");
  answer.finish = reason;
  return answer;
}
std::string lines(int count, std::string_view line) {
  std::string text;
  for (int i = 0; i < count; ++i) text += line;
  return text;
}
std::string yaml_bomb() {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int k = 1; k < 10; ++k) text += ", " + last;
    text += "]\n";
  }
  return text;
}

class DevopsAgainst : public ::testing::TestWithParam<Hostile> {};

TEST_P(DevopsAgainst, EndsInATypedOutcomeWithoutABundle) {
  runtime::Loop loop;
  FakeTaskContext context(loop, "package", "devops", kProject);
  context.files.protected_paths = {"protected.yaml"};
  context.answers.emplace_back(GetParam().answer);
  const TaskResult result = run(context, loop);
  for (const ArtifactRef& artifact : result.artifacts) EXPECT_NE(artifact.type, "bundle");
  if (!GetParam().applied) {
    EXPECT_EQ(context.files.present(), kProject);
    EXPECT_TRUE(result.commit.empty());
  }
  if (GetParam().evidence.empty()) {
    ASSERT_TRUE(result.error.has_value());
    EXPECT_EQ(result.error->code, ErrorCode::invalid_answer);
    return;
  }
  ASSERT_EQ(result.status, ResultStatus::completed) << (result.error ? to_string(*result.error) : "");
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_THAT(kinds(result), Contains(GetParam().evidence));
  EXPECT_THAT(findings(result), HasSubstr(GetParam().finding));
  EXPECT_EQ(result.feedback->target, TaskId("package"));
}

INSTANTIATE_TEST_SUITE_P(
    All, DevopsAgainst,
    ::testing::Values(
        Hostile{"no files", files({}), "integrity", "holds no files"},
        Hostile{"a claim", conductorai::testing::answer_text("All done, verdict: passed"), "integrity", "holds no files"},
        Hostile{"a path that escapes", files({{"../Dockerfile", kDockerfile}}), "integrity", "../Dockerfile"},
        Hostile{"an absolute path", files({{"/etc/Dockerfile", kDockerfile}}), "integrity", "/etc/Dockerfile"},
        Hostile{"git's own folder", files({{".git/Dockerfile", kDockerfile}}), "integrity", ".git"},
        Hostile{"a protected file", files({{"Dockerfile", kDockerfile}, {"protected.yaml", "apiVersion: v1\nkind: Pod\n"}}), "integrity",
                "protected.yaml"},
        Hostile{"deleted tests", files({{"Dockerfile", kDockerfile}, {"tests/test_app.py", std::nullopt}}), "integrity",
                "tests/test_app.py"},
        Hostile{"changed code", files({{"Dockerfile", kDockerfile}, {"app.py", "import os\n"}}), "integrity", "delivery files only"},
        Hostile{"tests in the clothes of delivery", files({{"k8s/tests/test_x.py", "x"}}), "integrity", "delivery files only"},
        Hostile{"ten megabytes", files({{"Dockerfile", std::string(std::size_t{10} << 20, 'x')}}), "integrity", "4 MiB"},
        Hostile{"a refusal", ended(FinishReason::refusal), "", ""}, Hostile{"cut off", ended(FinishReason::length), "", ""},
        Hostile{"an empty Dockerfile", files({{"Dockerfile", ""}}), "validation", "Dockerfile:1: there is no FROM", true},
        Hostile{"a Dockerfile that is none", files({{"Dockerfile", "FROM a\nCPOY . .\n"}}), "validation",
                "Dockerfile:2: unknown instruction", true},
        Hostile{"a hundred thousand lines", files({{"Dockerfile", "FROM a\n" + lines(100'000, "RUN x\n")}}), "validation",
                "Dockerfile:129: the stage has more", true},
        Hostile{"a YAML bomb", files({{"compose.yaml", yaml_bomb()}}), "validation", "compose.yaml:", true},
        Hostile{"duplicate keys", files({{".github/workflows/ci.yml", "on: push\non: push\n"}}), "validation", "ci.yml:2:", true},
        Hostile{"no YAML", files({{"k8s/app.yaml", "a: [\n"}}), "validation", "k8s/app.yaml:", true},
        Hostile{"bytes", files({{"compose.yaml", std::string("\xff\x00\x01", 3)}}), "validation", "compose.yaml:", true},
        Hostile{"JSON instead", files({{"compose.yaml", "{\"services\": []}"}}), "validation", "compose.yaml:1: services", true}));

// --- what it makes --------------------------------------------------------------------------------------------------------------------

TEST(Devops, BundlesWhatPassed) {
  runtime::Loop loop;
  FakeTaskContext context(loop, "package", "devops", kProject);
  context.answers.emplace_back(files({{"Dockerfile", kDockerfile}}));
  const TaskResult result = run(context, loop);
  ASSERT_EQ(result.verdict, Verdict::passed) << result.summary << (result.error ? to_string(*result.error) : "");
  EXPECT_THAT(kinds(result), ::testing::ElementsAre("validation", "exit_code", "bundle"));
  EXPECT_THAT(result.evidence[0].summary, HasSubstr("checked for syntax only: no container engine used"));
  EXPECT_EQ(*result.outputs->at("bundle").as_string(), result.evidence[2].artifact.str());
  EXPECT_EQ(result.outputs->count("run"), 0U);  // app.py takes no port: it is no service
  EXPECT_THAT(context.artifact("SHA256SUMS"), HasSubstr("  tests/test_app.py\n"));
}

TEST(Devops, LeavesNothingOfTheBuildInTheBundle) {
  runtime::Loop loop;
  FakeTaskContext context(loop, "package", "devops", kProject);
  context.definition.toolchain.build = "echo made > left-behind.txt";
  context.answers.emplace_back(files({{"Dockerfile", kDockerfile}}));
  const TaskResult result = run(context, loop);
  ASSERT_EQ(result.verdict, Verdict::passed);
  EXPECT_THAT(context.artifact("SHA256SUMS"), ::testing::Not(HasSubstr("left-behind")));
}

TEST(Devops, AFailedBuildGoesToCoding) {
  runtime::Loop loop;
  FakeTaskContext context(loop, "package", "devops", kProject);
  context.definition.toolchain.build = "echo 'app.py:2: error: wrong' >&2; exit 3";
  context.answers.emplace_back(files({{"Dockerfile", "FROM a\nBOGUS\n"}}));
  const TaskResult result = run(context, loop);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_THAT(kinds(result), ::testing::ElementsAre("validation", "exit_code"));
  EXPECT_EQ(result.evidence[1].value, 3);
  EXPECT_TRUE(result.feedback->target.empty());
  EXPECT_THAT(findings(result), HasSubstr("Dockerfile:2:"));
  EXPECT_THAT(findings(result), HasSubstr("app.py:2:"));
}

TEST(Devops, WhatItMayNotWriteGoesToCodingToo) {
  runtime::Loop loop;
  FileMap project = kProject;
  project["Dockerfile"] = "BOGUS\n";
  FakeTaskContext context(loop, "package", "devops", project);
  context.set_with({{"write-files", false}});
  const TaskResult result = run(context, loop);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_TRUE(context.asked.empty());
  EXPECT_TRUE(result.feedback->target.empty());
}

TEST(Devops, ALaterRoundAsksOnlyWhenAFindingNamesIt) {
  runtime::Loop loop;
  FakeTaskContext context(loop, "package", "devops", kProject);
  context.answers.emplace_back(files({{"Dockerfile", kDockerfile}}));
  ASSERT_EQ(run(context, loop).verdict, Verdict::passed);
  context.given.id.round = 2;
  ASSERT_EQ(run(context, loop).verdict, Verdict::passed);
  EXPECT_EQ(context.asked.size(), 1U);
  context.given.findings = {{.from = TaskId("package"), .target = TaskId("package"), .summary = "x", .findings = {{.message = "y"}}}};
  context.answers.emplace_back(files({{"Dockerfile", kDockerfile + "USER nobody\n"}}));
  ASSERT_EQ(run(context, loop).verdict, Verdict::passed);
  EXPECT_EQ(context.asked.size(), 2U);
}

TEST(Devops, ItsFirstRunAsksInWhateverRoundThatIs) {
  runtime::Loop loop;
  FakeTaskContext context(loop, "package", "devops", kProject);
  context.given.id.round = 3;
  context.answers.emplace_back(files({{"Dockerfile", kDockerfile}}));
  EXPECT_EQ(run(context, loop).verdict, Verdict::passed);
  EXPECT_EQ(context.asked.size(), 1U);
}

TEST(Devops, ABundlePastItsLimitIsAnError) {
  runtime::Loop loop;
  FakeTaskContext context(loop, "package", "devops", kProject);
  context.set_with({{"write-files", false}, {"bundle-max", "10"}});
  const TaskResult result = run(context, loop);
  ASSERT_TRUE(result.error.has_value());
  EXPECT_EQ(result.error->code, ErrorCode::invalid_argument);
  EXPECT_THAT(result.error->hint, HasSubstr("bundle-max"));
}

struct Engine {
  std::string name;
  bool builds = true;
  std::vector<std::string> asked;
};
task<Result<agents::ImageOutcome>> build_with(Engine& engine, agents::ImageRequest request) {
  engine.asked.push_back(request.dockerfile + " " + request.tag);
  co_return agents::ImageOutcome{.engine = engine.name, .built = engine.builds, .printed = "step 2: no such image"};
}
TaskResult run_with(FakeTaskContext& context, runtime::Loop& loop, Engine& engine) {
  auto agent = agents::make_devops_agent(AgentId("devops-01"), 1,
                                         [&engine](agents::ImageRequest request) { return build_with(engine, std::move(request)); });
  return runtime::run_to_end(loop, agent->execute_task(context));
}

TEST(Devops, BuildsImagesOnlyWhereTheUserSaysSo) {
  runtime::Loop loop;
  Engine engine{.name = "podman", .builds = true, .asked = {}};
  FakeTaskContext context(loop, "package", "devops", kProject);
  context.answers.emplace_back(files({{"Dockerfile", kDockerfile}}));
  ASSERT_EQ(run_with(context, loop, engine).verdict, Verdict::passed);
  EXPECT_THAT(engine.asked, IsEmpty());
  context.set_with({{"write-files", false}, {"container-build", true}});
  const TaskResult built = run_with(context, loop, engine);
  EXPECT_EQ(built.verdict, Verdict::passed);
  EXPECT_THAT(engine.asked, ::testing::ElementsAre(HasSubstr("Dockerfile conductorai-check:ttree")));
  EXPECT_THAT(built.evidence[0].summary, HasSubstr("Dockerfile: built by podman"));
}

TEST(Devops, AnImageThatCannotBeBuiltFailsAndAnEngineThatIsNotThereDoesNot) {
  runtime::Loop loop;
  Engine engine{.name = "docker", .builds = false, .asked = {}};
  FakeTaskContext context(loop, "package", "devops", kProject);
  context.set_with({{"container-build", true}});
  context.answers.emplace_back(files({{"Dockerfile", kDockerfile}}));
  const TaskResult refused = run_with(context, loop, engine);
  EXPECT_EQ(refused.verdict, Verdict::failed);
  EXPECT_THAT(findings(refused), HasSubstr("Dockerfile:0: docker cannot build it: step 2"));
  EXPECT_EQ(refused.feedback->target, TaskId("package"));
  engine.name.clear();
  context.answers.emplace_back(files({{"Dockerfile", kDockerfile}}));
  const TaskResult unbuilt = run_with(context, loop, engine);
  EXPECT_EQ(unbuilt.verdict, Verdict::passed);
  EXPECT_THAT(unbuilt.evidence[0].summary, HasSubstr("checked for syntax only: no container engine answers"));
}

TEST(Devops, WrongKeysAreRefusedBeforeAnythingIsAsked) {
  for (const Object& with : {Object{{"targets", Array{"helm"}}}, Object{{"targets", Array{1}}}, Object{{"bundle-max", "much"}}}) {
    runtime::Loop loop;
    FakeTaskContext context(loop, "package", "devops", kProject);
    context.set_with(with);
    const TaskResult result = run(context, loop);
    ASSERT_TRUE(result.error.has_value()) << core::to_json(with);
    EXPECT_EQ(result.error->code, ErrorCode::invalid_argument);
    EXPECT_THAT(context.asked, IsEmpty());
  }
}

}  // namespace
}  // namespace conductorai
