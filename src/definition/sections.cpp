#include "definition/sections.hpp"

#include <fmt/format.h>

namespace conductorai::definition {

using namespace core::document;
using Kind = Node::Kind;

namespace {

constexpr int kMany = 1'000'000;

Type<std::string> one_line(std::size_t bytes_max = 200) {
  return text({.may_be_empty = false, .bytes_max = bytes_max, .one_line = true, .expected = "a text on one line"});
}
Type<std::string> command_line() {
  return text({.may_be_empty = false, .bytes_max = 65'536, .expected = "a shell command"});
}
Type<std::string> path() {
  return text({.may_be_empty = false, .bytes_max = 4'096, .expected = "a path"});
}

Type<Phase> phase() {
  return choice<Phase>({{"development", Phase::development}, {"devops", Phase::devops}, {"monitoring", Phase::monitoring}});
}

/// `needs: build` says the same as `needs: [build]`.
Type<std::vector<TaskId>> task_ids() {
  using Ids = std::vector<TaskId>;
  const auto id = convert<TaskId, std::string>(text({.may_be_empty = false, .expected = "the id of a task"}),
                                               [](std::string name) { return TaskId(std::move(name)); });
  const auto single = convert<Ids, TaskId>(id, [](TaskId one) { return Ids{std::move(one)}; });
  return either<Ids>("a list of task ids", {{Kind::list, list(id)}, {Kind::text, single}});
}

/// `if: true`, `if: inputs.fast`, `if: ${{ inputs.fast }}`
Type<std::string> condition() {
  const auto literal = convert<std::string, bool>(boolean(), [](bool value) { return std::string(value ? "true" : "false"); });
  const auto expression = convert<std::string, std::string>(text({.may_be_empty = false}), [](std::string written) {
    const auto begin = written.find_first_not_of(" \t\n");
    const auto end = written.find_last_not_of(" \t\n");
    std::string trimmed = begin == std::string::npos ? std::string() : written.substr(begin, end - begin + 1);
    const bool wrapped = trimmed.starts_with("${{") && trimmed.ends_with("}}") && trimmed.find("${{", 1) == std::string::npos;
    return wrapped ? trimmed.substr(3, trimmed.size() - 5) : trimmed;
  });
  return either<std::string>("an expression", {{Kind::boolean, literal}, {Kind::text, expression}});
}

/// A list, or a text holding one `${{ }}` that gives a list.
Type<Value> foreach_items() {
  const auto items = convert<Value, std::vector<Value>>(list(any()), [](std::vector<Value> values) { return Value(std::move(values)); });
  const auto expression =
      convert<Value, std::string>(text({.pattern = "\\s*\\$\\{\\{.*\\}\\}\\s*", .expected = "a list or one ${{ }} expression"}),
                                  [](std::string written) { return Value(std::move(written)); });
  return either<Value>("a list or one ${{ }} expression", {{Kind::list, items}, {Kind::text, expression}});
}

const Section<RetryPolicy>& retry_section() {
  static const auto section =
      Section<RetryPolicy>("how often a failed task is tried again")
          .key("max-attempts", &RetryPolicy::max_attempts, integer<int>(1, 100), "tries in all, the first counted; 3 where left out")
          .key("backoff", &RetryPolicy::backoff, duration(), "wait before the second try, doubled for each further one; 1s where left out")
          .key("max-backoff", &RetryPolicy::max_backoff, duration(), "longest wait; 1m where left out");
  return section;
}

const Section<TaskDefinition>& task_section() {
  using Task = TaskDefinition;
  static const auto section =
      Section<Task>("a task")
          .key("agent", &Task::agent, text({.may_be_empty = false, .expected = "the type of an agent"}), "type of the agent that does it")
          .required()
          .key("phase", &Task::phase, phase(), "its agent type's where left out")
          .key("needs", &Task::needs, task_ids(), "tasks that must end well before it starts")
          .key("if", &Task::condition, condition(), "expression; false skips the task")
          .key("with", &Task::with, mapping(), "settings of the agent")
          .use<std::int64_t>(
              "timeout-minutes", minutes(), [](Task& task, std::int64_t ms) { task.timeout = Milliseconds(ms); },
              "of one attempt; may have a fraction")
          .nested("retry", &Task::retry, retry_section(), "how often it is tried again when it fails")
          .key("foreach", &Task::foreach, foreach_items(), "runs the task once for each item, as id[0], id[1], …")
          .key("max-parallel", &Task::max_parallel, integer<int>(1, 10'000), "children of a foreach at once")
          .key("continue-on-error", &Task::continue_on_error, boolean(), "its failure does not stop what needs it")
          .key("priority", &Task::priority, integer<int>(-1'000, 1'000), "higher starts first; 0 where left out")
          .key("outputs", &Task::outputs, dictionary(text()), "further outputs: name to ${{ }} text")
          .key("approval", &Task::approval, boolean(), "a person must approve before it starts")
          .use<BudgetDefinition>(
              "budget", budget_section().type(), [](Task& task, BudgetDefinition budget) { task.budget = budget; },
              "what it may use up, in all its attempts; of a foreach each child");
  return section;
}

Type<std::vector<TaskDefinition>> tasks() {
  using Pairs = std::vector<std::pair<std::string, TaskDefinition>>;
  return convert<std::vector<TaskDefinition>, Pairs>(entries(task_section().type(), task_id_problem, "^[A-Za-z0-9_-]+$"), [](Pairs pairs) {
    std::vector<TaskDefinition> tasks;
    for (auto& [id, task] : pairs) {
      task.id = TaskId(id);
      tasks.push_back(std::move(task));
    }
    return tasks;
  });
}

const Section<WorkspaceDefinition>& workspace_section() {
  using Workspace = WorkspaceDefinition;
  static const auto section =
      Section<Workspace>("where the code lives")
          .key("repo", &Workspace::repo, path(), "an existing git repository, relative to the project; left out: an empty one is made")
          .key("base", &Workspace::base, one_line(), "branch, tag or commit to start from; the checkout's where left out")
          .key("protected", &Workspace::protected_paths, list(path()), "globs of files that no agent may change");
  return section;
}

const Section<ToolchainDefinition>& toolchain_section() {
  using Toolchain = ToolchainDefinition;
  static const auto report = Section<ReportDefinition>("a test report")
                                 .key("format", &ReportDefinition::format, text({.allowed = {"junit", "tap"}}), "of the file")
                                 .required()
                                 .key("path", &ReportDefinition::path, path(), "relative to the workspace")
                                 .required();
  static const auto section =
      Section<Toolchain>("commands of the project; found from its files where left out")
          .key("prepare", &Toolchain::prepare, command_line(), "fetches dependencies")
          .key("build", &Toolchain::build, command_line(), "builds, or checks the syntax")
          .key("test", &Toolchain::test, command_line(), "runs the tests")
          .key("run", &Toolchain::run, command_line(), "starts the service on ${PORT}")
          .key("report", &Toolchain::report, report.type(), "the report of a test command whose runner is not known");
  return section;
}

const Section<SandboxDefinition>& sandbox_section() {
  using Sandbox = SandboxDefinition;
  constexpr std::int64_t kMiB = std::int64_t{1} << 20;
  static const auto network = choice<Network>({{"none", Network::none}, {"prepare", Network::prepare}, {"full", Network::full}});
  static const auto section = Section<Sandbox>("limits of every command")
                                  .key("network", &Sandbox::network, network, "none, prepare (only while dependencies are fetched) or full")
                                  .key("read", &Sandbox::read, list(path()), "further folders of the machine, read-only")
                                  .key("memory", &Sandbox::memory_bytes, size(16 * kMiB), "of all its processes; 1GiB where left out")
                                  .key("processes", &Sandbox::processes, integer<int>(1, 32'768), "at once; 128 where left out")
                                  .key("disk", &Sandbox::disk_bytes, size(kMiB), "written; 1GiB where left out")
                                  .key("output", &Sandbox::output_bytes, size(4'096), "kept of what a command prints; 64MiB where left out")
                                  .key("wall", &Sandbox::wall, duration(), "of one command; 10m where left out");
  return section;
}

using Gates = std::map<std::string, GateDefinition>;

const Section<Gates>& gates_section() {
  static const auto gate =
      Section<GateDefinition>("what ends a phase")
          .key("min-success-rate", &GateDefinition::min_success_rate, number(0, 1), "of the tasks that gave a verdict; 1.0 where left out")
          .key("approval", &GateDefinition::approval, boolean(), "a person must approve the phase");
  static const auto section = [] {
    Section<Gates> gates("by phase");
    for (const char* name : {"development", "devops", "monitoring"})
      gates.use<GateDefinition>(name, gate.type(), [name](Gates& out, GateDefinition value) { out[name] = value; }, "the gate at its end");
    return gates;
  }();
  return section;
}

const Section<PolicyDefinition>& policies_section() {
  using Policies = PolicyDefinition;
  static const auto section =
      Section<Policies>("what may happen")
          .key("max-concurrent-tasks", &Policies::max_concurrent_tasks, integer<int>(1, 10'000), "of this workflow; 4 where left out")
          .key("max-concurrent-per-agent", &Policies::max_concurrent_per_agent, integer<int>(1, 10'000),
               "of one agent type; 2 where left out")
          .key("approvals", &Policies::approvals, list(one_line()), "agent types and task ids that a person must approve")
          .key("approval-timeout", &Policies::approval_timeout, duration(),
               "an approval not given by then is refused; never where left out")
          .key("deploy-targets", &Policies::deploy_targets, list(text({.allowed = {"process", "container", "kubernetes", "command"}})),
               "drivers allowed; all where left out")
          .key("allowed-commands", &Policies::allowed_commands, list(command_line()), "globs of command lines allowed; all where left out");
  return section;
}

const Section<LlmDefinition>& llm_section() {
  static const auto target = Section<LlmTarget>("another model")
                                 .key("provider", &LlmTarget::provider, provider_name(), "who answers")
                                 .required()
                                 .key("model", &LlmTarget::model, one_line(), "its name with the provider");
  static const auto section =
      Section<LlmDefinition>("which model answers")
          .key("provider", &LlmDefinition::provider, provider_name(), "openai, anthropic, mock, mock:FILE, record:FILE or replay:FILE")
          .key("model", &LlmDefinition::model, one_line(), "its name with the provider")
          .key("retries", &LlmDefinition::retries, integer<int>(0, 20), "of transient errors, inside one call; 2 where left out")
          .key("tools", &LlmDefinition::tools, tool_use(), "whether agents work by tools: auto, off or on; auto where left out")
          .key("tool-turns", &LlmDefinition::tool_turns, integer<int>(1, 10'000),
               "answers of one attempt that call tools; 40 where left out")
          .key("tool-repeats", &LlmDefinition::tool_repeats, integer<int>(2, 1'000),
               "of one call with the same result and nothing new between, before the attempt fails; 3 where left out")
          .key("follow-ups", &LlmDefinition::follow_ups, integer<int>(0, 20),
               "to an answer that does not follow its schema; 2 where left out")
          .key("context-tokens", &LlmDefinition::context_tokens, integer<std::int64_t>(4'096, 100'000'000),
               "what the model can take in, its answer counted; 128000 where left out")
          .key("batch", &LlmDefinition::batch, boolean(), "calls can wait: they go through the provider's batch API; false where left out")
          .key("fallback", &LlmDefinition::fallback, list(target.type(), 0, 10), "asked in turn when the first cannot answer");
  return section;
}

Type<std::string> variable_name() {
  return text({.pattern = "[A-Za-z_][A-Za-z0-9_]*", .expected = "the name of an environment variable"});
}

Type<Object> inputs() {
  const auto problem = [](const std::string& name) {
    const bool good =
        !name.empty() && name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
    return good ? std::string() : "the name of an input is made of letters, digits, '-' and '_'";
  };
  using Pairs = std::vector<std::pair<std::string, Value>>;
  return convert<Object, Pairs>(entries(any(), problem, "^[A-Za-z0-9_-]+$"), [](Pairs pairs) {
    Object object;
    for (auto& [name, value] : pairs) object.insert_or_assign(name, std::move(value));
    return object;
  });
}

void add_bounds(Section<Draft>& section) {
  static const auto rework = Section<WorkflowDefinition>("second tries within a phase")
                                 .key("max-rounds", &WorkflowDefinition::max_rounds, integer<int>(1, 1'000),
                                      "passes of a phase per entry of it, the first counted; 3 where left out");
  static const auto words =
      choice<OnExhausted>({{"fail", OnExhausted::fail}, {"complete-with-warnings", OnExhausted::complete_with_warnings}});
  static const auto feedback =
      Section<WorkflowDefinition>("ways back from a later phase")
          .key("max-loops", &WorkflowDefinition::max_loops, integer<int>(0, 1'000), "in all; 3 where left out")
          .key("on-exhausted", &WorkflowDefinition::on_exhausted, words, "when no round or loop is left; fail where left out");
  section.part("rework", rework, "second tries within a phase");
  section.part("feedback", feedback, "ways back from a later phase");
}

constexpr std::int64_t kTokensMax = 1'000'000'000'000;

template <class Budget>
Section<Budget> with_limits(Section<Budget> section) {
  return section.key("usd", &BudgetDefinition::usd_micros, usd(), "cost of model calls in US dollars")
      .key("tokens", &BudgetDefinition::tokens, whole_number(1, kTokensMax), "sent and received")
      .key("calls", &BudgetDefinition::calls, whole_number(1, kMany), "of models")
      .key("wall-minutes", &BudgetDefinition::wall_ms, minutes(), "time of model calls and commands");
}

}  // namespace

Type<std::string> provider_name() {
  return text({.pattern = "openai|anthropic|mock|(mock|record|replay):.+",
               .expected = "a provider: openai, anthropic, mock, mock:FILE, record:FILE or replay:FILE"});
}

Type<std::optional<ToolUse>> tool_use() {
  using Use = std::optional<ToolUse>;
  return choice<Use>({{"auto", Use{}}, {"off", Use(ToolUse::off)}, {"on", Use(ToolUse::on)}});
}

std::string_view tool_use_name(std::optional<ToolUse> use) {
  if (!use) return "auto";
  return *use == ToolUse::on ? "on" : "off";
}

std::string task_id_problem(const std::string& id) {
  const bool letters = id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
  if (!id.empty() && letters && id.size() <= kTaskIdBytesMax) return {};
  return fmt::format("{} is no task id: 1 to {} letters, digits, '-' and '_'", quote(id), kTaskIdBytesMax);
}

const Section<BudgetDefinition>& budget_section() {
  static const auto section = with_limits(Section<BudgetDefinition>("what may be used up; the workflow pauses when a limit is reached"));
  return section;
}

const Section<BudgetConfig>& budget_config_section() {
  using Limit = std::int64_t;
  static const auto section =
      with_limits(Section<BudgetConfig>("what may be used up; a workflow pauses when a limit is reached"))
          .use<Limit>(
              "usd-per-day", usd(), [](BudgetConfig& b, Limit v) { b.per_day.usd_micros = v; }, "of all workflows of the project")
          .use<Limit>(
              "tokens-per-day", whole_number(1, kTokensMax), [](BudgetConfig& b, Limit v) { b.per_day.tokens = v; }, "likewise")
          .use<Limit>(
              "calls-per-day", whole_number(1, kMany), [](BudgetConfig& b, Limit v) { b.per_day.calls = v; }, "likewise")
          .use<Limit>("wall-minutes-per-day", minutes(), [](BudgetConfig& b, Limit v) { b.per_day.wall_ms = v; }, "likewise");
  return section;
}

const Section<Draft>& workflow_section() {
  static const auto section = [] {
    Section<Draft> workflow("a workflow");
    workflow.key("name", &Draft::name, one_line(), "what it is called").required();
    workflow.key("description", &Draft::description, text(), "for people");
    workflow.use<std::string>(
        "requirement", text({.may_be_empty = false, .expected = "the requirement as a text"}),
        [](Draft& draft, std::string value) {
          draft.requirement = std::move(value);
          draft.has_requirement = true;
        },
        "what the user wants, whole");
    workflow.key("requirement-file", &Draft::requirement_file, path(), "a file with the requirement, relative to the project");
    workflow.key("inputs", &Draft::inputs, inputs(), "values read as ${{ inputs.NAME }}; --input NAME=VALUE overrides");
    workflow.key("env", &Draft::env, list(variable_name()), "variables of the host that commands get, by name");
    workflow.key("timeout", &Draft::timeout, duration(), "of the whole workflow");
    workflow.nested("workspace", &Draft::workspace, workspace_section(), "where the code lives");
    workflow.nested("toolchain", &Draft::toolchain, toolchain_section(), "commands of the project");
    workflow.nested("sandbox", &Draft::sandbox, sandbox_section(), "limits of every command");
    workflow.use<std::vector<TaskDefinition>>(
        "tasks", tasks(),
        [](Draft& draft, std::vector<TaskDefinition> value) {
          draft.tasks = std::move(value);
          draft.has_tasks = true;
        },
        "by id; the seven standard tasks where left out");
    workflow.nested("gates", &Draft::gates, gates_section(), "what ends a phase");
    add_bounds(workflow);
    workflow.nested("budget", &Draft::budget, budget_section(), "what the workflow may use up");
    workflow.use<std::map<std::string, BudgetDefinition>>(
        "agent-budgets", dictionary(budget_section().type()),
        [](Draft& draft, const std::map<std::string, BudgetDefinition>& budgets) {
          for (const auto& [agent, budget] : budgets) draft.agent_budgets[AgentType(agent)] = budget;
        },
        "what all tasks of an agent's type may use up, by type");
    workflow.nested("policies", &Draft::policies, policies_section(), "what may happen");
    workflow.nested("llm", &Draft::llm, llm_section(), "which model answers");
    return workflow;
  }();
  return section;
}

}  // namespace conductorai::definition
