#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "orchestration/policies/policy_engine.hpp"

namespace conductorai::orchestration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Policies : testing::Test {
  PolicyEngine engine{standard_policies()};
  WorkflowDefinition definition;
  TaskDefinition task{.id = TaskId("deploy[1]"), .agent = AgentType("deploying")};

  StartTask start() const { return {.task = &task, .definition = &definition}; }
  PassGate gate(int passed, int failed) const { return {.definition = &definition, .passed = passed, .failed = failed}; }
  PolicyVerdict run(const std::string& command) const { return engine.check(RunCommand{&definition, command}).verdict; }
};

class Fixed final : public Policy {
 public:
  explicit Fixed(PolicyDecision decision) : decision_(std::move(decision)) {}
  [[nodiscard]] std::string_view name() const override { return "fixed"; }
  [[nodiscard]] PolicyDecision check(const PolicyContext&) const override { return decision_; }

 private:
  PolicyDecision decision_;
};

PolicyEngine fixed(std::vector<PolicyDecision> decisions) {
  std::vector<std::unique_ptr<Policy>> rules;
  for (auto& decision : decisions) rules.push_back(std::make_unique<Fixed>(std::move(decision)));
  return PolicyEngine(std::move(rules));
}

TEST(PolicyEngine, LetsTheStrictestAnswerWinWithTheReasonsOfAllAsStrict) {
  using enum PolicyVerdict;
  auto engine = fixed({{wait, {"w"}}, {deny, {"d1"}}, {needs_approval, {"a"}}, {deny, {"d2"}}, {allow, {}}});
  EXPECT_EQ(engine.check(StartTask{}), (PolicyDecision{deny, {"d1", "d2"}}));
  EXPECT_EQ(fixed({{wait, {"w"}}, {needs_approval, {"a"}}}).check(StartTask{}).verdict, needs_approval);
  EXPECT_EQ(fixed({}).check(StartTask{}), PolicyDecision{});
}

TEST_F(Policies, TellEachRulesOwnAnswer) {
  definition.policies.approvals = {"deploy"};
  std::map<std::string_view, PolicyVerdict> verdicts;
  for (const auto& [rule, decision] : engine.check_each(start())) verdicts[rule] = decision.verdict;
  EXPECT_EQ(verdicts.size(), 6U);
  EXPECT_EQ(verdicts.at("approvals"), PolicyVerdict::needs_approval);
  EXPECT_EQ(verdicts.at("allowed-commands"), PolicyVerdict::allow);
}

TEST(PolicyEngine, EnforcesWithTheReasonsAsMessage) {
  using enum PolicyVerdict;
  EXPECT_TRUE(fixed({{allow, {"fine"}}}).enforce(StartTask{}));
  auto denied = fixed({{deny, {"one"}}, {deny, {"two"}}}).enforce(StartTask{});
  EXPECT_EQ(denied.error().code, ErrorCode::permission_denied);
  EXPECT_EQ(denied.error().message, "one; two");
  EXPECT_EQ(fixed({{needs_approval, {"one"}}}).enforce(StartTask{}).error().code, ErrorCode::permission_denied);
  auto later = fixed({{wait, {"one"}}}).enforce(StartTask{});
  EXPECT_EQ(later.error().code, ErrorCode::unavailable);
  EXPECT_EQ(later.error().retry, Retry::backoff);
}

TEST_F(Policies, PassAGateAtItsSuccessRate) {
  EXPECT_EQ(engine.check(gate(2, 0)).verdict, PolicyVerdict::allow);
  auto denied = engine.check(gate(2, 1));
  EXPECT_EQ(denied.verdict, PolicyVerdict::deny);
  EXPECT_THAT(denied.reasons, ElementsAre("phase-gate: 2 of 3 verdicts in DEVELOPMENT passed (66.7 %), min-success-rate is 100 %"));
  definition.gates["development"].min_success_rate = 0.7;
  EXPECT_EQ(engine.check(gate(7, 3)).verdict, PolicyVerdict::allow);
  EXPECT_EQ(engine.check(gate(69, 31)).verdict, PolicyVerdict::deny);
  definition.gates["development"].min_success_rate = 0;
  EXPECT_EQ(engine.check(gate(0, 3)).verdict, PolicyVerdict::allow);
}

TEST_F(Policies, AskEachPhaseItsOwnRate) {
  definition.gates["monitoring"].min_success_rate = 0.5;
  auto monitoring = gate(1, 1);
  monitoring.phase = Phase::monitoring;
  EXPECT_EQ(engine.check(monitoring).verdict, PolicyVerdict::allow);
  EXPECT_EQ(engine.check(gate(1, 1)).verdict, PolicyVerdict::deny);
}

TEST_F(Policies, CountOnlyTasksThatGaveAVerdict) {
  auto none = gate(0, 0);
  none.without_verdict = 3;
  EXPECT_EQ(engine.check(none).verdict, PolicyVerdict::allow);
}

TEST_F(Policies, NeverPassAGateWithoutEvidence) {
  auto claimed = gate(2, 0);
  claimed.without_evidence = 1;
  claimed.approved = true;
  definition.gates["development"] = {.min_success_rate = 0, .approval = true};
  auto denied = engine.check(claimed);
  EXPECT_EQ(denied.verdict, PolicyVerdict::deny);
  EXPECT_THAT(denied.reasons, ElementsAre(HasSubstr("1 of 2 verdicts in DEVELOPMENT cite no evidence")));
}

TEST_F(Policies, AskForTheApprovalOfAGateOnlyOnceItCouldPass) {
  definition.gates["development"].approval = true;
  EXPECT_EQ(engine.check(gate(1, 0)).verdict, PolicyVerdict::needs_approval);
  EXPECT_EQ(engine.check(gate(0, 1)).verdict, PolicyVerdict::deny);
  auto approved = gate(1, 0);
  approved.approved = true;
  EXPECT_EQ(engine.check(approved).verdict, PolicyVerdict::allow);
}

TEST_F(Policies, HoldATaskBackAtEachOfThreeLimits) {
  definition.policies = {.max_concurrent_tasks = 4, .max_concurrent_per_agent = 2};
  auto context = start();
  context.max_global = 8;
  context.running_global = 7, context.running_workflow = 3, context.running_type = 1;
  EXPECT_EQ(engine.check(context).verdict, PolicyVerdict::allow);
  context.running_global = 8, context.running_workflow = 4, context.running_type = 2;
  auto held = engine.check(context);
  EXPECT_EQ(held.verdict, PolicyVerdict::wait);
  EXPECT_THAT(held.reasons, ElementsAre("max-concurrent-tasks: 8 of 8 attempts are running in this process",
                                        "max-concurrent-tasks: 4 of 4 attempts are running in this workflow",
                                        "max-concurrent-per-agent: 2 of 2 'deploying' attempts are running in this workflow"));
}

TEST_F(Policies, WaitForAFreeAgent) {
  auto context = start();
  EXPECT_EQ(engine.check(context), PolicyDecision{});
  context.agents_of_type = 2;
  EXPECT_THAT(engine.check(context).reasons, ElementsAre("agent-availability: none of the 2 agents of type 'deploying' is free"));
  context.agents_available = 1;
  EXPECT_EQ(engine.check(context).verdict, PolicyVerdict::allow);
}

TEST_F(Policies, AskForApprovalByTaskByParentByTypeAndByTheTaskItself) {
  for (const char* listed : {"deploy[1]", "deploy", "deploying"}) {
    definition.policies.approvals = {"other", listed};
    auto context = start();
    EXPECT_EQ(engine.check(context).verdict, PolicyVerdict::needs_approval) << listed;
    context.approved = true;
    EXPECT_EQ(engine.check(context).verdict, PolicyVerdict::allow) << listed;
  }
  definition.policies.approvals = {"deploy[2]", "dep"};
  EXPECT_EQ(engine.check(start()).verdict, PolicyVerdict::allow);
  task.approval = true;
  EXPECT_EQ(engine.check(start()).verdict, PolicyVerdict::needs_approval);
}

TEST_F(Policies, ReleaseOnlyToListedTargets) {
  EXPECT_EQ(engine.check(Deploy{&definition, "kubernetes"}).verdict, PolicyVerdict::allow);
  definition.policies.deploy_targets = {"process", "container"};
  EXPECT_EQ(engine.check(Deploy{&definition, "process"}).verdict, PolicyVerdict::allow);
  auto denied = engine.check(Deploy{&definition, "kubernetes"});
  EXPECT_EQ(denied.verdict, PolicyVerdict::deny);
  EXPECT_THAT(denied.reasons, ElementsAre("deploy-targets: 'kubernetes' is not among the allowed targets: process, container"));
}

TEST_F(Policies, RunOnlyCommandsThatAGlobMatchesWhole) {
  EXPECT_EQ(run("rm -rf /"), PolicyVerdict::allow);
  definition.policies.allowed_commands = {"make *", "npm test", "*lint*", ""};
  for (const char* fine : {"make ", "make -k all", "npm test", "lint", "run lint now", ""})
    EXPECT_EQ(run(fine), PolicyVerdict::allow) << fine;
  for (const char* bad : {"make", "npm test now", "cmake all", "Make all", " make all"}) EXPECT_EQ(run(bad), PolicyVerdict::deny) << bad;
}

TEST_F(Policies, LetNoSecondCommandRideAlong) {
  definition.policies.allowed_commands = {"make *"};
  for (const char* bad :
       {"make all; curl evil", "make all && sh", "make `id`", "make $(id)", "make all\nid", "make all | sh", "make > /etc/x"})
    EXPECT_EQ(run(bad), PolicyVerdict::deny) << bad;
  definition.policies.allowed_commands = {"make * && make test"};
  EXPECT_EQ(run("make all && make test"), PolicyVerdict::allow);
  EXPECT_EQ(run("make all && sh && make test"), PolicyVerdict::deny);
  definition.policies.allowed_commands = {"*"};
  EXPECT_EQ(run("make all; curl evil"), PolicyVerdict::allow);
}

TEST_F(Policies, SayNothingAboutWhatDoesNotConcernThem) {
  EXPECT_EQ(engine.check(StartTask{}), PolicyDecision{});
  EXPECT_EQ(engine.check(RunCommand{}), PolicyDecision{});
  EXPECT_EQ(engine.check(Deploy{}), PolicyDecision{});
}

}  // namespace
}  // namespace conductorai::orchestration
