// The Deploying agent against a ReleaseManager that a test lets live or fail.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "agents/devops/tar.hpp"
#include "agents/releases/deploying_agent.hpp"
#include "tests/support/fake_release_manager.hpp"
#include "tests/support/fake_task_context.hpp"

namespace conductorai {
namespace {

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class DeployingAgent : public ::testing::Test {
 protected:
  DeployingAgent() : context(loop, "deploy", "deploying", {{"serve.py", "print(1)\n"}}) {
    context.definition.name = "shop";
    context.definition.toolchain.run = "python3 serve.py";
  }

  TaskResult run() {
    auto agent = agents::make_deploying_agent(AgentId("deploying-01"), 1, releases, enforce);
    return runtime::run_to_end(loop, agent->execute_task(context));
  }

  Digest bundle_of(const std::string& tar) {
    auto saved = runtime::run_to_end(loop, context.save_artifact("shop.tar", "bundle", tar));
    EXPECT_TRUE(saved);
    return saved ? saved->digest : Digest();
  }

  runtime::Loop loop;
  testing::FakeTaskContext context;
  testing::FakeReleaseManager releases;
  std::function<Result<void>(const PolicyContext&)> enforce;
};

TEST_F(DeployingAgent, PassesWhenTheReleaseServesAndSaysWhere) {
  context.set_with({{"health", "/healthz"}, {"start-timeout", "5s"}, {"environment", "staging"}});
  const TaskResult result = run();
  EXPECT_EQ(result.status, ResultStatus::completed);
  EXPECT_EQ(result.verdict, Verdict::passed);
  EXPECT_EQ(result.outputs->at("url"), Value("http://127.0.0.1:4711"));
  ASSERT_EQ(result.evidence.size(), 1U);
  EXPECT_EQ(result.evidence[0].kind, "health");
  EXPECT_FALSE(result.evidence[0].artifact.empty());
  ASSERT_EQ(releases.deployed.size(), 1U);
  const ReleaseRequest& request = releases.deployed[0];
  EXPECT_EQ(request.app, "shop");
  EXPECT_EQ(request.environment, "staging");
  EXPECT_EQ(request.run, "python3 serve.py");
  EXPECT_EQ(request.health.path, "/healthz");
  EXPECT_EQ(request.health.start_timeout, Milliseconds(5'000));
  EXPECT_EQ(result.outputs->at("release"), Value(request.id));
}

TEST_F(DeployingAgent, TellsWhatAReleasePrintedThatNeverGotHealthy) {
  releases.becomes = ReleaseState::failed;
  releases.reason = "no healthy answer within 30 s";
  releases.printed = "ImportError: no module named flask";
  const TaskResult result = run();
  EXPECT_EQ(result.verdict, Verdict::failed);
  ASSERT_TRUE(result.feedback);
  ASSERT_EQ(result.feedback->findings.size(), 1U);
  EXPECT_NE(result.feedback->findings[0].message.find("no healthy answer"), std::string::npos);
  EXPECT_NE(result.feedback->findings[0].message.find("no module named flask"), std::string::npos);
}

TEST_F(DeployingAgent, IsSkippedWhereNothingSaysHowTheServiceIsStarted) {
  context.definition.toolchain.run.clear();
  const TaskResult result = run();
  EXPECT_EQ(result.status, ResultStatus::completed);
  EXPECT_TRUE(result.skipped);
  EXPECT_NE(result.summary.find("toolchain.run"), std::string::npos);
  EXPECT_TRUE(releases.deployed.empty());
}

TEST_F(DeployingAgent, ReleasesTheBundleThatThePackageTaskMadeAndNotWhatLiesInTheWorkspace) {
  agents::TarWriter tar;
  tar.add({.path = "app/" + std::string(120, 'n') + ".py", .executable = false, .link_target = {}}, "long name");
  tar.add({.path = "app/start.sh", .executable = true, .link_target = {}}, "#!/bin/sh\n");
  tar.add({.path = "start", .executable = false, .link_target = "app/start.sh"}, "");
  context.given.upstream[TaskId("package")] = Object{{"bundle", bundle_of(tar.finish()).str()}, {"version", "1.2"}, {"run", "./start"}};
  context.definition.toolchain.run.clear();
  releases.on_deploy = [](const ReleaseRequest& request) {
    EXPECT_EQ(content_of(request.files / "app" / (std::string(120, 'n') + ".py")), "long name");
    EXPECT_EQ(content_of(request.files / "start"), "#!/bin/sh\n");
    const auto mode = std::filesystem::status(request.files / "app/start.sh").permissions();
    EXPECT_NE(mode & std::filesystem::perms::owner_exec, std::filesystem::perms::none);
    EXPECT_FALSE(std::filesystem::exists(request.files / "serve.py"));
  };
  EXPECT_EQ(run().verdict, Verdict::passed);
  ASSERT_EQ(releases.deployed.size(), 1U);
  EXPECT_EQ(releases.deployed[0].version, "1.2");
  EXPECT_EQ(releases.deployed[0].run, "./start");
}

TEST_F(DeployingAgent, RefusesABundleThatIsDamagedOrLeavesItsFolder) {
  agents::TarWriter good;
  good.add({.path = "a", .executable = false, .link_target = {}}, std::string(2'000, 'x'));
  const std::string whole = good.finish();
  agents::TarWriter escape;
  escape.add({.path = "../outside", .executable = false, .link_target = {}}, "x");
  for (const std::string& tar :
       {whole.substr(0, 900), std::string("no archive"), std::string(1, 'x') + whole, std::string(), escape.finish()}) {
    context.given.upstream[TaskId("package")] = Object{{"bundle", bundle_of(tar).str()}};
    const TaskResult result = run();
    EXPECT_EQ(result.status, ResultStatus::failed);
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, ErrorCode::data_corrupted);
  }
  EXPECT_TRUE(releases.deployed.empty());
}

TEST_F(DeployingAgent, AsksThePolicyForTheDriverAndTheUsersCommandsBeforeAnythingIsDone) {
  std::vector<std::string> asked;
  enforce = [&asked](const PolicyContext& about) -> Result<void> {
    if (const auto* deploy = std::get_if<Deploy>(&about)) asked.push_back("driver " + deploy->driver);
    const auto* command = std::get_if<RunCommand>(&about);
    if (command == nullptr) return {};
    asked.push_back(command->command_line);
    return fail(ErrorCode::permission_denied, "not allowed");
  };
  context.set_with({{"driver", "command"}, {"deploy", "make install"}});
  const TaskResult result = run();
  EXPECT_EQ(result.status, ResultStatus::failed);
  EXPECT_EQ(asked, (std::vector<std::string>{"driver command", "make install"}));
  EXPECT_TRUE(releases.deployed.empty());
}

TEST_F(DeployingAgent, NamesTheKeyThatCannotBeUsed) {
  const std::vector<std::pair<Object, std::string>> cases{{{{"health", "healthz"}}, "with.health"},
                                                          {{{"port", 70'000}}, "with.port"},
                                                          {{{"start-timeout", "soon"}}, "with.start-timeout"},
                                                          {{{"driver", "ftp"}}, "with.driver"}};
  for (const auto& [with, where] : cases) {
    context.set_with(with);
    const TaskResult result = run();
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, ErrorCode::invalid_argument);
    EXPECT_EQ(result.error->where, where);
  }
}

}  // namespace
}  // namespace conductorai
