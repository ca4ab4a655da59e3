#include "agents/releases/release_plan.hpp"

#include <algorithm>

#include "agents/base/toolchain_run.hpp"
#include "agents/base/with.hpp"
#include "agents/base/with_reader.hpp"
#include "core/json.hpp"

namespace conductorai::agents {
namespace {

using Type = WithKey::Type;

constexpr Milliseconds kRolloutTimeout{300'000};
constexpr Milliseconds kLongest = std::chrono::hours(24 * 3'650);  // as far as durations can be read

std::string output_of(const TaskAssignment& assignment, std::string_view name) {
  for (const auto& [task, outputs] : assignment.upstream)
    if (auto found = outputs->find(name); found != outputs->end() && found->second.as_string() != nullptr)
      return *found->second.as_string();
  return {};
}

HealthCheck health_of(WithReader& with) {
  HealthCheck health;
  health.path = with.text("health");
  if (!health.path.empty() && health.path.front() != '/') with.wrong("health", "expected a path that begins with /");
  health.status = static_cast<int>(with.whole("health-status", 100, 599).value_or(health.status));
  // Images are pulled first, and pods replaced one by one.
  const Milliseconds usual = with.text("driver") == "kubernetes" ? kRolloutTimeout : health.start_timeout;
  health.start_timeout = with.duration("start-timeout", Milliseconds(1), kLongest).value_or(usual);
  health.interval = with.duration("health-interval", Milliseconds(1), kLongest).value_or(health.interval);
  return health;
}

Result<ReleaseRequest> request_of(const TaskAssignment& assignment) {
  const Object& with = assignment.task->with;
  ReleaseRequest request;
  request.app = assignment.workflow->name;
  request.environment = text_of(with, "environment", request.environment);
  request.driver = text_of(with, "driver", request.driver);
  request.workflow = assignment.id.workflow;
  request.version = output_of(assignment, "version");
  if (request.version.empty()) request.version = assignment.base.substr(0, 12);
  request.limits = assignment.workflow->sandbox;
  request.variables = texts_of(with, "env");
  request.with = with;
  // The names alone: the values are the caller's at every command, and in no record.
  std::string names;
  for (const std::string& name : assignment.workflow->env) names += (names.empty() ? "" : " ") + name;
  if ((request.driver == "command" || request.driver == "kubernetes") && !names.empty()) request.with["host-env"] = names;
  WithReader reader(with, "with");
  request.port = static_cast<int>(reader.whole("port", 1, 65535).value_or(0));
  request.health = health_of(reader);
  if (auto read = reader.result(); !read) return fail(read.error());
  return request;
}

std::vector<PolicyContext> release_acts(const WorkflowDefinition& workflow, const Object& with) {
  std::vector<PolicyContext> acts{Deploy{&workflow, text_of(with, "driver", "process")}};
  for (const char* key : {"deploy", "rollback", "stop", "status"})
    if (std::string command = text_of(with, key); !command.empty()) acts.emplace_back(RunCommand{&workflow, std::move(command)});
  return acts;
}

}  // namespace

AgentDescription describe_deploying() {
  const auto key = [](const char* name, Type type, const char* description, std::vector<std::string> allowed = {}) {
    return WithKey{.name = name, .type = type, .required = false, .description = description, .allowed = std::move(allowed)};
  };
  return {.type = AgentType("deploying"),
          .phase = Phase::devops,
          .uses_llm = false,
          .changes_files = false,
          .summary = "makes a release beside the old one, switches when its health probes pass",
          .with = {key("driver", Type::text, "what carries the release", {"process", "container", "kubernetes", "command"}),
                   key("health", Type::text, "path of an HTTP GET that must answer; left out: a TCP connection"),
                   key("health-status", Type::integer, "the status it must answer with (200)"),
                   key("health-interval", Type::duration, "between two tries (200ms)"),
                   key("start-timeout", Type::duration, "from start to healthy (30s; driver kubernetes: 5m)"),
                   key("port", Type::integer, "public port on loopback; left out: chosen once for the app and kept"),
                   key("environment", Type::text, "an app has one serving release in each (default)"),
                   key("run", Type::text, "command of the service; left out: toolchain.run, or what is detected"),
                   key("env", Type::object, "environment variables of the service"),
                   key("drain", Type::duration, "driver process: how long the old release may finish what it has begun (10s)"),
                   key("stop-timeout", Type::duration, "driver process: from SIGTERM to SIGKILL (5s)"),
                   key("restarts", Type::integer, "driver process: deaths within restart-window before it is given up (5)"),
                   key("restart-window", Type::duration, "driver process: see restarts (10m)"),
                   key("restart-backoff", Type::duration, "driver process: before the first restart, doubled from death to death (200ms)"),
                   key("log-bytes", Type::integer, "driver process: of one file of the service's log (4194304)"),
                   key("log-files", Type::integer, "driver process: files of the service's log (4)"),
                   key("deploy", Type::text, "driver command: shell command that deploys; finds the files in its folder"),
                   key("rollback", Type::text, "driver command: goes back to the release before; left out: that one is deployed again"),
                   key("stop", Type::text, "driver command: shell command that stops the release"),
                   key("status", Type::text,
                       "driver command: whether the release runs: exit code 0 it does, 1 to 3 it does not, else not known"),
                   key("url", Type::text, "drivers command and kubernetes: where the release answers; its health is probed there"),
                   key("network", Type::boolean, "driver command: whether the commands reach the network (true)"),
                   key("manifests", Type::text, "driver kubernetes: file or folder of manifests (k8s, kubernetes, manifests or kube)"),
                   key("namespace", Type::text, "driver kubernetes: left out: the one that the manifests name, or kubectl's own"),
                   key("context", Type::text, "driver kubernetes: of kubectl's configuration; left out: the current one"),
                   key("image", Type::text, "driver kubernetes: the app's image, for ${IMAGE} in the manifests"),
                   key("on-stop", Type::text, "driver kubernetes: whether a stopped release is deleted or scaled to 0 (delete)",
                       {"delete", "scale"}),
                   key("engine", Type::text, "driver container: the engine; left out: what is installed", {"podman", "docker"}),
                   key("dockerfile", Type::text, "driver container: the file to build (Dockerfile)"),
                   key("container-port", Type::integer, "driver container: the port the service listens on ($PORT)")},
          .answer_schema = {},
          .acts = release_acts};
}

std::string ReleasePlan::text() const {
  return core::to_json(Object{{"app", request.app},
                              {"environment", request.environment},
                              {"driver", request.driver},
                              {"version", request.version},
                              {"bundle", bundle.str()},
                              {"run", request.run},
                              {"with", request.with}});
}

task<Result<ReleasePlan>> plan_release(TaskContext& context) {
  const TaskAssignment& assignment = context.assignment();
  auto request = request_of(assignment);
  if (!request) co_return fail(request.error());
  ReleasePlan plan{.request = std::move(*request), .bundle = Digest(output_of(assignment, "bundle"))};
  plan.request.run = text_of(assignment.task->with, "run", assignment.workflow->toolchain.run);
  if (plan.request.run.empty()) plan.request.run = output_of(assignment, "run");
  if (plan.request.run.empty() && plan.request.driver == "process") {
    auto found = co_await find_toolchain(context);
    if (!found) co_return fail(found.error());
    plan.request.run = std::move(found->toolchain.run);
  }
  co_return plan;
}

std::string release_id(const StepId& step) {
  const AttemptId& id = step.attempt;
  std::string text =
      id.workflow.str() + "." + id.task.str() + "." + std::to_string(id.round) + "." + std::to_string(id.attempt) + "." + step.ordinal;
  std::ranges::replace_if(text, [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '-' && c != '_'; }, '-');
  return text;
}

}  // namespace conductorai::agents
