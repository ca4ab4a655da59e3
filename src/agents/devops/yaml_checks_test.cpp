// Workflows, compose files and manifests: what their owners would refuse is found, with the line of the file.

#include "agents/devops/yaml_checks.hpp"

#include <gmock/gmock.h>

#include <chrono>

namespace conductorai::agents {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> wrong(DeliveryKind kind, std::string_view text) {
  std::vector<std::string> out;
  for (const Finding& finding : check_yaml_file("f.yaml", kind, text).findings)
    out.push_back(std::to_string(finding.line) + ": " + finding.message);
  return out;
}
std::vector<std::string> workflow(std::string_view text) {
  return wrong(DeliveryKind::workflow, text);
}
std::vector<std::string> compose(std::string_view text) {
  return wrong(DeliveryKind::compose, text);
}
std::vector<std::string> manifest(std::string_view text) {
  return wrong(DeliveryKind::manifest, text);
}

constexpr std::string_view kWorkflow = R"(name: ci
on:
  push: { branches: [main] }
  schedule:
    - cron: "0 3 * * 1-5"
permissions: { contents: read }
env: { A: "${{ github.sha }}" }
jobs:
  test:
    runs-on: ${{ matrix.os }}
    timeout-minutes: 10
    strategy:
      matrix: { os: [ubuntu-latest] }
    steps:
      - uses: actions/checkout@v4
      - run: |
          make test
        shell: bash
  call:
    needs: [test]
    uses: org/repo/.github/workflows/x.yml@main
)";

TEST(Workflow, ASoundOneHasNoFindings) {
  EXPECT_THAT(workflow(kWorkflow), IsEmpty());
}

TEST(Workflow, MistakesAreNamedWithTheirLines) {
  EXPECT_THAT(workflow("on: push\njobs:\n  a:\n    runs-on: x\n    step: []\n"), Contains(HasSubstr("5: jobs.a: unknown key 'step'")));
  EXPECT_THAT(workflow("on: push\njobs:\n  a:\n    steps:\n      - run: x\n"), Contains(HasSubstr("3: jobs.a")));
  EXPECT_THAT(workflow("on: pushh\njobs:\n  a:\n    runs-on: x\n    steps: [{run: x}]\n"), Contains(HasSubstr("1: on")));
  EXPECT_THAT(workflow("jobs:\n  a:\n    runs-on: x\n    steps: [{run: x}]\n"), Contains(HasSubstr("on")));
  EXPECT_THAT(workflow("on: push\njobs:\n  a:\n    runs-on: x\n    needs: b\n    steps: [{run: x}]\n"),
              Contains("5: jobs.a.needs: there is no job 'b'"));
  EXPECT_THAT(workflow("on: push\njobs:\n  1a:\n    runs-on: x\n    steps: [{run: x}]\n"), Contains(HasSubstr("1a")));
}

TEST(Workflow, BrokenYamlIsAFindingAtItsLine) {
  EXPECT_THAT(workflow("on: push\njobs:\n\ta: b\n"), Contains(HasSubstr("3: ")));
  EXPECT_THAT(workflow("on: push\non: pull_request\n"), Contains(HasSubstr("2: ")));
  EXPECT_FALSE(workflow("").empty());
  EXPECT_FALSE(workflow("- a\n- b\n").empty());
  EXPECT_FALSE(workflow("\xff\xfe").empty());
}

TEST(Workflow, BombsEndAtALimit) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k > 0 ? ",*a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_FALSE(workflow(bomb).empty());
  EXPECT_FALSE(compose(bomb).empty());
}

// The patterns of the schemas meet texts made to hang or overflow a backtracking engine.
TEST(Workflow, TextsAgainstPatternsTakeNoTime) {
  const auto begun = std::chrono::steady_clock::now();
  const std::string slashes = [] {
    std::string text;
    for (int i = 0; i < 5'000; ++i) text += "a/";
    return text;
  }();
  EXPECT_FALSE(workflow("on: push\njobs:\n  a:\n    uses: " + slashes + "\n").empty());
  EXPECT_FALSE(workflow("on: {schedule: [{cron: '" + std::string(5'000, '1') + "'}]}\njobs: {a: {uses: a/b.yml}}\n").empty());
  EXPECT_THAT(workflow("on: push\nenv: '${{ " + std::string(500'000, '}') + " }}'\njobs: {a: {uses: a/b/c.yml}}\n"), IsEmpty());
  std::string many = "on: push\njobs:\n  a:\n    runs-on: x\n    needs: [";
  for (int i = 0; i < 9'000; ++i) many += "j" + std::to_string(i) + ",";
  EXPECT_FALSE(workflow(many + "z]\n    steps: [{run: x}]\n").empty());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(60));  // hours, where one of them backtracks
}

TEST(Compose, ASoundOneHasNoFindings) {
  EXPECT_THAT(compose(R"(name: shop
services:
  web:
    build: { context: ., target: final }
    ports: ["8080:80", { target: 90, published: "9090" }]
    environment: [A=1, B]
    depends_on:
      db: { condition: service_healthy }
    healthcheck: { test: [CMD, curl, x], interval: 5s, retries: 3 }
    deploy: { resources: { limits: { cpus: "0.5", memory: 128M } } }
  db:
    image: postgres:16
    volumes: [data:/var/lib/postgresql/data]
volumes:
  data:
x-ours: anything
)"),
              IsEmpty());
}

TEST(Compose, MistakesAreNamedWithTheirLines) {
  EXPECT_THAT(compose("services:\n  web:\n    imagee: x\n"), Contains(HasSubstr("3: services.web: unknown key 'imagee'")));
  EXPECT_THAT(compose("services:\n  web:\n    image: x\n    depends_on: [db]\n"),
              Contains("4: services.web.depends_on: there is no service 'db'"));
  EXPECT_THAT(compose("services:\n  web:\n    restart: always\n"), Contains("2: services.web has neither an image nor a build"));
  EXPECT_THAT(compose("services:\n  web:\n    image: x\n    ports: 80\n"), Contains(HasSubstr("4: services.web.ports")));
  EXPECT_THAT(compose("volumes: {}\n"), Contains("1: there are no services"));
}

constexpr std::string_view kManifest = R"(# a comment
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
  creationTimestamp: null
spec:
  replicas: 2
  selector: { matchLabels: { app: app } }
  template:
    metadata: { labels: { app: app } }
    spec:
      containers:
        - name: app
          image: app:1
          ports: [{ containerPort: 8080 }]
          livenessProbe: { httpGet: { path: /, port: http } }
          resources: { limits: { cpu: 1, memory: 64Mi } }
---
apiVersion: v1
kind: Service
metadata: { name: app }
spec: { selector: { app: app }, ports: [{ port: 80, targetPort: 8080 }] }
---
)";

TEST(Manifest, ASoundOneHasNoFindings) {
  EXPECT_THAT(manifest(kManifest), IsEmpty());
  EXPECT_EQ(check_yaml_file("f", DeliveryKind::manifest, kManifest).depth, "schema");
}

TEST(Manifest, MistakesAreNamedWithTheLineOfTheFile) {
  std::string text(kManifest);
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string out = text;
    return out.replace(out.find(from), from.size(), to);
  };
  EXPECT_THAT(manifest(changed("replicas: 2", "replicas: two")), Contains(HasSubstr("9: spec.replicas")));
  EXPECT_THAT(manifest(changed("replicas: 2", "replica: 2")), Contains("9: spec: unknown key 'replica'"));
  EXPECT_THAT(manifest(changed("labels: { app: app }", "labels: { app: other }")),
              Contains(HasSubstr("10: spec.selector.matchLabels.app")));
  EXPECT_THAT(manifest(changed("metadata: { name: app }", "metadata: {}")), Contains(HasSubstr("metadata: a name is missing")));
  EXPECT_THAT(manifest(changed("kind: Service", "kind: 7")), Contains(HasSubstr("a manifest needs apiVersion and kind")));
  EXPECT_THAT(manifest("apiVersion: v1\n"), Contains("1: a manifest needs apiVersion and kind"));
  EXPECT_THAT(manifest("# nothing\n"), Contains(HasSubstr("it holds no manifest")));
  EXPECT_THAT(manifest("a: 1\n---\na: [\n"), Contains(HasSubstr("3: ")));
}

TEST(Manifest, AKindWithoutASchemaSaysSo) {
  const auto check = check_yaml_file("f", DeliveryKind::manifest, "apiVersion: x.io/v1\nkind: Thing\nmetadata: {name: a}\n");
  EXPECT_THAT(check.findings, IsEmpty());
  EXPECT_EQ(check.depth, "checked for syntax only, no schema here: x.io/v1 Thing");
}

TEST(Manifest, ThousandsOfDocumentsAreRefused) {
  std::string text;
  for (int i = 0; i < 5'000; ++i) text += "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";
  EXPECT_THAT(manifest(text), Contains(HasSubstr("5000 documents")));
}

}  // namespace
}  // namespace conductorai::agents
