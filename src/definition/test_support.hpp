#pragma once
// Agents as the facade registers them, and a loader for texts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "definition/workflow_loader.hpp"

namespace conductorai::definition {

inline AgentDescription agent(std::string type, bool uses_llm, Phase phase = Phase::development, std::vector<WithKey> with = {}) {
  return {.type = AgentType(std::move(type)), .phase = phase, .uses_llm = uses_llm, .with = std::move(with)};
}

inline std::vector<AgentDescription> development_agents() {
  using T = WithKey::Type;
  return {agent("coding", true, Phase::development, {{"instructions", T::text}, {"mode", T::text, false, "", {"tools", "files"}}}),
          agent("review", true), agent("test_data", true),
          agent("test", true, Phase::development, {{"write-tests", T::boolean}, {"wait", T::duration}}),
          agent("command", false, Phase::development, {{"run", T::text, true, "the command line"}})};
}

inline std::vector<AgentDescription> all_agents() {
  using T = WithKey::Type;
  auto agents = development_agents();
  agents.push_back(agent("devops", true, Phase::devops));
  agents.push_back(agent("deploying", false, Phase::devops,
                         {{"driver", T::text, false, "", {"process", "container", "kubernetes", "command"}}, {"health", T::text}}));
  agents.push_back(agent("monitor", true, Phase::monitoring, {{"window", T::duration}, {"probes", T::array}, {"slo", T::object}}));
  return agents;
}

inline std::expected<LoadedWorkflow, Problems> load_text(std::string text, std::vector<AgentDescription> agents = all_agents(),
                                                         std::string file = "w.yaml") {
  return load_workflow({.file = file, .text = std::move(text), .agents = std::move(agents)});
}

/// Each problem as the CLI prints it, one a line, hints after " | ".
inline std::string problems_of(const std::expected<LoadedWorkflow, Problems>& result) {
  if (result) return "loaded";
  std::string text;
  for (const Error& error : result.error()) text += to_string(error) + (error.hint.empty() ? "" : " | " + error.hint) + "\n";
  return text;
}
inline std::string problems_of(std::string text) {
  return problems_of(load_text(std::move(text)));
}

/// The example of the interface, whole.
inline constexpr const char* kExample = R"(# yaml-language-server: $schema=./conductorai.schema.json
name: url-shortener
description: Shortens URLs over HTTP
requirement: |                     # or requirement-file: docs/requirement.md
  ...what the user wants...
inputs: { language: python }       # read as ${{ inputs.language }}
env: [TZ]                          # host variables handed to commands, by name; nothing else is
timeout: 2h                        # the whole workflow
workspace:
  repo: .
  base: main
  protected: [tests/acceptance/**] # no agent may change these
toolchain:
  prepare: npm ci
  build: python3 -m compileall -q .
  test: python3 -m unittest discover -v
  run: python3 -m shortener --port ${PORT}
  report: { format: junit, path: report.xml }
sandbox: { network: none, read: [], memory: 1GiB, processes: 128, disk: 1GiB, wall: 10m }
tasks:
  code:      { agent: coding }
  review:    { agent: review,    needs: [code] }
  test-data: { agent: test_data, needs: [code] }
  test:      { agent: test,      needs: [code, test-data] }
  package:   { agent: devops,    needs: [review, test] }
  deploy:    { agent: deploying, needs: [package], with: { driver: process, health: /healthz } }
  monitor:
    agent: monitor
    needs: [deploy]
    with:
      window: 10s
      probes: [ { get: /healthz, status: 200 }, { post: /shorten, json: { url: "https://example.org" }, status: 201, max-ms: 100 } ]
      slo: { availability: 0.99, p95-ms: 100 }
gates:    { development: { min-success-rate: 1.0, approval: false } }
rework:   { max-rounds: 3 }
feedback: { max-loops: 3, on-exhausted: fail }
budget:   { usd: 5.00, tokens: 500000, calls: 200, wall-minutes: 60 }
policies: { max-concurrent-tasks: 4, max-concurrent-per-agent: 2, approvals: [deploy], deploy-targets: [process], allowed-commands: [] }
llm:      { provider: anthropic, model: NAME, retries: 2, fallback: [ { provider: openai, model: NAME } ] }
)";

}  // namespace conductorai::definition
