// The only file that names concrete adapters.

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "agents/base/secret_mask.hpp"
#include "agents/command/command_agent.hpp"
#include "agents/development/agents.hpp"
#include "agents/devops/agents.hpp"
#include "agents/monitoring/agents.hpp"
#include "agents/releases/deploying_agent.hpp"
#include "facade/house.hpp"
#include "infrastructure/artifacts/file_artifact_store.hpp"
#include "infrastructure/artifacts/memory_artifact_store.hpp"
#include "infrastructure/bus/memory_message_bus.hpp"
#include "infrastructure/probe/network_prober.hpp"
#include "infrastructure/process/folder_cache.hpp"
#include "infrastructure/process/image_build.hpp"
#include "infrastructure/process/lookup.hpp"
#include "infrastructure/process/work_area.hpp"
#include "infrastructure/releases/supervised_releases.hpp"
#include "infrastructure/sandbox/sandboxes.hpp"
#include "infrastructure/state/live_text.hpp"
#include "infrastructure/state/memory_state_manager.hpp"
#include "infrastructure/state/ownership.hpp"
#include "infrastructure/state/sqlite_state_manager.hpp"
#include "infrastructure/workspace/git_workspace_manager.hpp"

namespace conductorai::facade {

namespace {

/// From the kernel, many at a time: each workflow's id needs two.
class SystemEntropy final : public Entropy {
 public:
  std::uint64_t next() override {
    if (left_ == 0) {
      while (::getrandom(drawn_.data(), sizeof drawn_, 0) != sizeof drawn_) {
      }
      left_ = drawn_.size();
    }
    return drawn_[--left_];
  }

 private:
  std::array<std::uint64_t, 32> drawn_{};  // 256 bytes: what getrandom gives whole
  std::size_t left_ = 0;
};

Result<void> open_states(House& house, runtime::Loop& loop) {
  if (house.options.state == "memory") {
    house.states = std::make_unique<infrastructure::MemoryStateManager>();
    house.close_states = []() -> task<void> { co_return; };
    return {};
  }
  if (house.options.state != "sqlite")
    return fail(ErrorCode::unsupported, "this build has no state backend '" + house.options.state + "'", {}, "use sqlite or memory");
  auto opened = infrastructure::SqliteStateManager::open(loop, house.options.state_dir, {.create = house.options.create_state});
  if (!opened) return fail(opened.error());
  auto* states = opened->get();
  house.states = std::move(*opened);
  house.close_states = [states] { return states->close(); };
  return {};
}

/// To those who watch the workflow, beside what its agents say.
std::function<void(const LLMCaller&, std::string)> notices(MessageBus& bus) {
  return [&bus](const LLMCaller& caller, std::string text) {
    AgentMessage message;
    message.channel = "conductor:workflow:" + caller.attempt.workflow.str();
    message.from = "llm";
    message.body = Progress{caller.attempt, {}, std::move(text)};
    (void)bus.publish(std::move(message));  // nobody may be watching
  };
}

/// To those who watch from this process and from others.
void open_live_text(House& house, runtime::Loop& loop) {
  house.remove_text = [state_dir = house.options.state_dir](const WorkflowId& workflow) {
    infrastructure::remove_live_text(state_dir, workflow);
  };
  std::shared_ptr<infrastructure::LiveTextWriter> writer;
  if (house.options.state == "sqlite") writer = std::make_shared<infrastructure::LiveTextWriter>(loop, house.options.state_dir);
  if (!writer && !house.options.on_text) return;
  house.on_text = [writer, told = house.options.on_text](AnswerPiece piece) {
    if (writer) writer->add(piece);
    if (told) told(piece);
  };
  house.forget_text = [writer](const WorkflowId& workflow) {
    if (writer) writer->forget(workflow);
  };
}

Result<void> open_artifacts(House& house) {
  if (house.options.artifacts == "memory") {
    house.artifacts = std::make_unique<infrastructure::MemoryArtifactStore>();
    return {};
  }
  if (house.options.artifacts != "files")
    return fail(ErrorCode::unsupported, "this build has no artifact backend '" + house.options.artifacts + "'", {}, "use files or memory");
  auto opened = infrastructure::FileArtifactStore::open(house.options.state_dir);
  if (!opened) return fail(opened.error());
  house.artifacts = std::move(*opened);
  return {};
}

/// Root's work area serves all projects of the machine: what the agents of one fetched is not for another's.
infrastructure::FolderCache dependency_cache(const Options& options, const infrastructure::WorkArea& area) {
  const std::string project = core::sha256_hex(std::filesystem::absolute(options.state_dir).lexically_normal().string()).substr(0, 16);
  return {area, area.root / ("dependencies-" + project), options.dependency_cache_bytes};
}

std::function<task<Result<std::filesystem::path>>(std::shared_ptr<const TaskAssignment>)> repositories(House& house) {
  return [&house](std::shared_ptr<const TaskAssignment> assignment) -> task<Result<std::filesystem::path>> {
    return house.engine->repository(assignment->id.workflow, assignment->workflow);
  };
}

void add_host_services(House& house, runtime::Loop& loop, infrastructure::WorkArea area, std::map<std::string, std::string> environment) {
  const infrastructure::SandboxOptions options{.state_dir = house.options.state_dir};
  // Any variable that names a secret: without a sandbox a command can read more than it was given.
  std::vector<std::string> names;
  names.reserve(environment.size());
  for (const auto& [name, value] : environment) names.push_back(name);
  for (std::string& secret : agents::secrets_in(environment, names)) house.secrets->add(std::move(secret));
  house.host_services = [&house, &loop, area, options, environment = std::move(environment)] {
    return agents::HostServices{
        .executor = loop,
        .clock = loop,
        .entropy = *house.entropy,
        .bus = *house.bus,
        .states = *house.states,
        .turns = *house.turns,
        .artifacts = *house.artifacts,
        .workspaces = *house.workspaces,
        .sandbox = [&house, &loop, options](const SandboxDefinition& wanted) -> Result<std::shared_ptr<Sandbox>> {
          // One serves all commands of its kind; which of the two is the workflow's choice.
          std::shared_ptr<Sandbox>& chosen = wanted.enabled ? house.walls : house.no_walls;
          if (!chosen)
            chosen =
                wanted.enabled ? infrastructure::make_bubblewrap_sandbox(loop, options) : infrastructure::make_no_sandbox(loop, options);
          return chosen;
        },
        .llm = [&house](std::shared_ptr<const TaskAssignment> assignment) { return house.models->open(std::move(assignment)); },
        .repository = repositories(house),
        .scratch_root = area.root,
        .cache_folder = [&house, area](const std::string& key) { return dependency_cache(house.options, area).open(key); },
        .hand_over = [area](const std::filesystem::path& path) { (void)infrastructure::give_to(area, path); },
        .host_environment = environment,
        .on_text = house.on_text,
        .secrets = house.secrets};
  };
}

task<Result<agents::ImageOutcome>> build_image(runtime::Loop& loop, std::map<std::string, std::string> environment,
                                               agents::ImageRequest request) {
  infrastructure::ImageBuild build{.folder = std::move(request.folder),
                                   .dockerfile = std::move(request.dockerfile),
                                   .tag = std::move(request.tag),
                                   .timeout = request.timeout};
  auto built = co_await infrastructure::build_image(loop, std::move(environment), std::move(build));
  if (!built) co_return fail(built.error());
  co_return agents::ImageOutcome{.engine = std::move(built->engine), .built = built->built, .printed = std::move(built->printed)};
}

constexpr std::array<std::string_view, 8> kBuiltIn{"coding", "review", "test_data", "test", "devops", "deploying", "monitor", "command"};

/// How many are registered of a type. Errors: invalid_argument for a type that is none.
Result<void> check_counts(const Options& options) {
  if (options.agent_capacity < 1 || options.agents_per_type < 1)
    return fail(ErrorCode::invalid_argument, "agents_per_type and agent_capacity must be at least 1");
  for (const auto& [type, count] : options.agents) {
    if (count < 1) return fail(ErrorCode::invalid_argument, "at least one agent of type '" + type + "' is needed", "runtime.agents");
    if (std::ranges::find(kBuiltIn, type) == kBuiltIn.end())
      return fail(ErrorCode::invalid_argument, "there is no built-in agent of type '" + type + "'", "runtime.agents",
                  "conductorai agents lists the types");
  }
  return {};
}

/// What they are made with are `house`'s releases, prober and policies; nothing of it is used yet.
std::vector<std::unique_ptr<BaseAgent>> make_built_in_agents(House& house, runtime::Loop& loop) {
  const int capacity = house.options.agent_capacity;
  const std::function<Result<void>(const PolicyContext&)> enforce = [&house](const PolicyContext& about) {
    return house.policies->enforce(about);
  };
  const agents::BuildImage build = [&loop, environment = infrastructure::own_environment()](agents::ImageRequest request) {
    return build_image(loop, environment, std::move(request));
  };
  const std::array<std::function<std::unique_ptr<BaseAgent>(AgentId)>, kBuiltIn.size()> make{
      [&](AgentId id) { return agents::make_coding_agent(std::move(id), capacity, enforce); },
      [&](AgentId id) { return agents::make_review_agent(std::move(id), capacity, enforce); },
      [&](AgentId id) { return agents::make_test_data_agent(std::move(id), capacity); },
      [&](AgentId id) { return agents::make_test_agent(std::move(id), capacity, enforce); },
      [&](AgentId id) { return agents::make_devops_agent(std::move(id), capacity, build, enforce); },
      [&](AgentId id) { return agents::make_deploying_agent(std::move(id), capacity, *house.releases, enforce); },
      [&](AgentId id) { return agents::make_monitor_agent(std::move(id), capacity, *house.prober, *house.releases); },
      [&](AgentId id) { return agents::make_command_agent(std::move(id), capacity, enforce); }};
  std::vector<std::unique_ptr<BaseAgent>> agents;
  for (std::size_t i = 0; i < kBuiltIn.size(); ++i) {
    const std::string type(kBuiltIn.at(i));
    const auto own = house.options.agents.find(type);
    const int count = own == house.options.agents.end() ? house.options.agents_per_type : own->second;
    for (int n = 1; n <= count; ++n) agents.push_back(make.at(i)(AgentId(type + (n < 10 ? "-0" : "-") + std::to_string(n))));
  }
  return agents;
}

}  // namespace

std::function<task<void>()> follow_text(runtime::Loop& loop, const Options& options, WorkflowId workflow,
                                        std::function<void(const AnswerPiece&)> told) {
  const auto reader = std::make_shared<infrastructure::LiveTextReader>(loop, options.state_dir, std::move(workflow), std::move(told));
  return [reader] { return reader->close(); };
}

Result<std::unique_ptr<House>> assemble(runtime::Loop& loop, Options options) {
  if (auto counted = check_counts(options); !counted) return fail(counted.error());
  auto house = std::make_unique<House>();
  house->options = std::move(options);
  house->owner = infrastructure::this_process();
  house->entropy = std::make_unique<SystemEntropy>();
  if (auto opened = open_states(*house, loop); !opened) return fail(opened.error());
  if (auto opened = open_artifacts(*house); !opened) return fail(opened.error());
  auto area = infrastructure::make_work_area(house->options.state_dir);
  if (!area) return fail(area.error());
  auto environment = infrastructure::own_environment();
  house->workspaces = std::make_unique<infrastructure::GitWorkspaceManager>(
      loop, infrastructure::GitWorkspaceSettings{.state_dir = house->options.state_dir, .area = *area});
  house->releases = infrastructure::make_release_manager(loop, {.state_dir = house->options.state_dir});
  house->prober = std::make_unique<infrastructure::NetworkProber>(loop);
  auto bus = std::make_unique<infrastructure::MemoryMessageBus>(loop, loop, house->states.get());
  house->close_bus = [bus = bus.get()] { return bus->close(); };
  house->requeue = [bus = bus.get()](std::int64_t id) { return bus->requeue(id); };
  house->bus = std::move(bus);
  house->policies = std::make_unique<orchestration::PolicyEngine>(orchestration::standard_policies());
  house->errors = std::make_unique<orchestration::ErrorHandler>(
      loop, *house->entropy,
      orchestration::BreakerOptions{.failures_to_open = house->options.breaker_failures, .open_for = house->options.breaker_open});
  house->coordinator = std::make_unique<orchestration::AgentCoordinator>(
      loop, loop, *house->bus, *house->states, *house->policies, *house->errors,
      orchestration::CoordinatorOptions{.max_concurrent_tasks = house->options.max_concurrent_tasks,
                                        .breaker_wait_max = house->options.breaker_wait});
  house->secrets = std::make_shared<agents::SecretBook>();
  for (const std::string& secret : house->options.secrets) house->secrets->add(secret);
  house->llm_services = std::make_unique<LlmServices>(loop, *house->entropy, house->options.llm,
                                                      [book = house->secrets](const std::string& key) { book->add(key); });
  house->turns = std::make_unique<runtime::BudgetTurns>(*house->states);
  house->models =
      std::make_unique<Models>(Models::Ports{*house->states, *house->turns, *house->artifacts, loop, *house->entropy, *house->llm_services,
                                             house->secrets, house->options.state_dir, house->options.project_root, notices(*house->bus)});
  house->engine = std::make_unique<orchestration::WorkflowEngine>(
      orchestration::EnginePorts{loop, loop, *house->entropy, *house->states, *house->artifacts, *house->workspaces, *house->bus,
                                 *house->coordinator, *house->policies, *house->errors},
      orchestration::EngineOptions{
          .owner = house->owner,
          .environment = environment,
          .pin_llm = [h = house.get()](
                         WorkflowId workflow,
                         LlmDefinition llm) { return h->models->pin(std::move(workflow), std::move(llm), h->options.project_root); },
          .on_close = [h = house.get()](WorkflowId workflow,
                                        WorkflowStatus status) { return h->releases->workflow_ended(std::move(workflow), status); },
          .cleanup_timeout = house->options.cleanup_timeout,
          .day_budget = house->options.day_budget},
      house->options.project_root);
  open_live_text(*house, loop);
  add_host_services(*house, loop, *area, std::move(environment));
  for (auto& agent : make_built_in_agents(*house, loop))
    if (auto added = house->add_agent(std::move(agent)); !added) return fail(added.error());
  return house;
}

std::vector<AgentDescription> built_in_agents() {
  runtime::Loop loop;
  House house;
  house.options.agents_per_type = 1;
  house.releases = infrastructure::make_release_manager(loop, {});
  house.prober = std::make_unique<infrastructure::NetworkProber>(loop);
  std::vector<AgentDescription> descriptions;
  for (const auto& agent : make_built_in_agents(house, loop)) descriptions.push_back(agent->description());
  return descriptions;
}

Result<void> House::add_agent(std::unique_ptr<BaseAgent> agent) {
  const AgentDescription& description = agent->description();
  if (auto registered = coordinator->register_agent({agent->id(), description.type, agent->capacity()}); !registered) return registered;
  const bool known = std::ranges::any_of(descriptions, [&](const AgentDescription& d) { return d.type == description.type; });
  if (!known) descriptions.push_back(description);
  hosts.push_back(std::make_unique<agents::AgentHost>(host_services(), std::move(agent)));
  return {};
}

void House::interrupt() {
  llm_services->leave_batches();
  engine->interrupt();
}

task<void> House::close() {
  interrupt();
  co_await engine->close();
  for (auto& host : hosts) co_await host->close();
  co_await coordinator->close();
  hosts.clear();
  co_await llm_services->close();
  progress.reset();
  co_await close_bus();
  co_await close_states();
}

}  // namespace conductorai::facade
