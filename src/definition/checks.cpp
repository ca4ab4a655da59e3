#include "definition/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "core/expression.hpp"
#include "core/state.hpp"

namespace conductorai::definition {

using namespace core::document;
using Kind = Node::Kind;

namespace {

const Node kNothing{};

const Node& child(const Node& node, std::string_view key) {
  const Node* found = node.find(key);
  return found == nullptr ? kNothing : *found;
}

const Node& task_node(const CheckContext& context, const TaskDefinition& task) {
  return child(child(context.root, "tasks"), task.id.value);
}

Position position_of(const Node& preferred, const Node& otherwise) {
  return &preferred == &kNothing ? otherwise.at : preferred.at;
}

std::vector<std::string> task_names(const WorkflowDefinition& definition) {
  std::vector<std::string> names;
  names.reserve(definition.tasks.size());
  for (const TaskDefinition& task : definition.tasks) names.push_back(task.id.value);
  return names;
}

std::vector<std::string> agent_names(const std::vector<AgentDescription>& agents) {
  std::vector<std::string> names;
  names.reserve(agents.size());
  for (const AgentDescription& agent : agents) names.push_back(agent.type.value);
  return names;
}

using Needs = std::map<TaskId, std::vector<TaskId>>;

/// The cycle that is met from `start`, as a path that ends where it begins; empty when there is none. `done` are known to lead to no
/// cycle.
std::vector<TaskId> find_cycle(const Needs& needs, const TaskId& start, std::set<TaskId>& done) {
  struct Step {
    TaskId task;
    std::size_t next = 0;
  };
  std::vector<Step> path{{start}};
  std::set<TaskId> on_path{start};
  while (!path.empty()) {
    Step& step = path.back();
    const auto known = needs.find(step.task);
    if (known == needs.end() || step.next == known->second.size()) {
      done.insert(step.task);
      on_path.erase(step.task);
      path.pop_back();
      continue;
    }
    const TaskId need = known->second[step.next++];
    if (done.contains(need)) continue;
    if (on_path.insert(need).second) {
      path.push_back({need});
      continue;
    }
    std::vector<TaskId> cycle;
    const auto first = std::find_if(path.begin(), path.end(), [&](const Step& one) { return one.task == need; });
    for (auto it = first; it != path.end(); ++it) cycle.push_back(it->task);
    cycle.push_back(need);
    return cycle;
  }
  return {};
}

void check_cycles(const CheckContext& context, const Needs& needs) {
  std::set<TaskId> done;
  for (const TaskDefinition& task : context.definition.tasks) {
    if (done.contains(task.id)) continue;
    const auto cycle = find_cycle(needs, task.id, done);
    if (cycle.empty()) continue;
    std::string path;
    for (const TaskId& id : cycle) path += (path.empty() ? "" : " → ") + id.value;
    const Node& node = child(child(context.root, "tasks"), cycle.front().value);
    context.problems.add(position_of(child(node, "needs"), node), "tasks need each other in a cycle: " + path,
                         "leave out one of these needs");
    return;  // one cycle hides others that share its tasks
  }
}

void check_phases(const CheckContext& context) {
  const auto phases = core::phases_of(context.definition);
  for (const TaskDefinition& task : context.definition.tasks) {
    for (const TaskId& need : task.needs) {
      if (phases.at(need) <= phases.at(task.id)) continue;
      const Node& node = task_node(context, task);
      context.problems.add(position_of(child(node, "phase"), node),
                           fmt::format("the task '{}' in phase {} needs '{}', which is in the later phase {}", task.id.value,
                                       to_string(phases.at(task.id)), need.value, to_string(phases.at(need))),
                           "give it the later phase, or leave out the need");
    }
  }
}

std::string_view type_name(WithKey::Type type) {
  switch (type) {
    case WithKey::Type::text: return "a text";
    case WithKey::Type::integer: return "a whole number";
    case WithKey::Type::number: return "a number";
    case WithKey::Type::boolean: return "true or false";
    case WithKey::Type::array: return "a list";
    case WithKey::Type::object: return "a mapping";
    case WithKey::Type::duration: return "a duration like 250ms, 10s, 5m or 2h";
    case WithKey::Type::any: return "anything";
  }
  return {};
}

bool fits(const WithKey& key, const Node& node) {
  if (node.is(Kind::text) && node.text.find("${{") != std::string::npos) return true;  // known at run time only
  switch (key.type) {
    case WithKey::Type::text:
      return node.is(Kind::text) &&
             (key.allowed.empty() || std::find(key.allowed.begin(), key.allowed.end(), node.text) != key.allowed.end());
    case WithKey::Type::integer: return node.is(Kind::integer);
    case WithKey::Type::number: return node.is_number();
    case WithKey::Type::boolean: return node.is(Kind::boolean);
    case WithKey::Type::array: return node.is(Kind::list);
    case WithKey::Type::object: return node.is(Kind::map);
    case WithKey::Type::duration: return node.is(Kind::text) && parse_duration(node.text).has_value();
    case WithKey::Type::any: return true;
  }
  return false;
}

bool holds_expression(const Node& node) {
  if (node.is(Kind::text)) return node.text.find("${{") != std::string::npos;
  return std::ranges::any_of(node.items, holds_expression) ||
         std::ranges::any_of(node.members, [](const Member& member) { return holds_expression(member.value); });
}

/// The node at "with.probes[1].status" below `with`, as far as the path leads.
const Node& node_at(const Node& with, std::string_view path) {
  const Node* at = &with;
  path.remove_prefix(std::min(path.find_first_of(".["), path.size()));
  while (!path.empty()) {
    const bool index = path.front() == '[';
    path.remove_prefix(1);
    const auto end = index ? path.find(']') : path.find_first_of(".[");
    const std::string part(path.substr(0, end));
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + (index ? 1 : 0));
    const auto place = static_cast<std::size_t>(std::strtoul(part.c_str(), nullptr, 10));
    const Node* next = index ? (place < at->items.size() ? &at->items[place] : nullptr) : at->find(part);
    if (next == nullptr) return *at;
    at = next;
  }
  return *at;
}

/// What the agent itself knows of its `with`, once the keys are right.
void check_meaning(const CheckContext& context, const AgentDescription& agent, const Node& task, const Node& with) {
  if (!agent.check || holds_expression(with)) return;
  const Value value = to_value(with);
  const Object* object = value.as_object();
  auto checked = agent.check(object == nullptr ? Object{} : *object);
  if (checked) return;
  const Error& error = checked.error();
  context.problems.add(with.is(Kind::map) ? node_at(with, error.where).at : task.at,
                       error.where.empty() ? error.message : fmt::format("{} ({})", error.message, error.where), error.hint);
}

void check_with(const CheckContext& context, const AgentDescription& agent, const Node& task, const Node& with) {
  const std::size_t before = context.problems.size();
  std::vector<std::string> names;
  names.reserve(agent.with.size());
  for (const WithKey& key : agent.with) names.push_back(key.name);
  for (const Member& member : with.members) {
    const auto key = std::find_if(agent.with.begin(), agent.with.end(), [&](const WithKey& one) { return one.name == member.key; });
    if (key == agent.with.end()) {
      context.problems.add(member.key_at, fmt::format("the agent '{}' knows no key {}", agent.type.value, quote(member.key)),
                           suggestion(member.key, names));
      continue;
    }
    const Problems::In in(context.problems, member.key);
    const std::string expected =
        key->allowed.empty() ? std::string(type_name(key->type)) : fmt::format("one of {}", fmt::join(key->allowed, ", "));
    if (!fits(*key, member.value)) context.problems.expected(member.value, expected, suggestion(member.value.text, key->allowed));
  }
  for (const WithKey& key : agent.with) {
    if (!key.required || with.find(key.name) != nullptr) continue;
    context.problems.add(position_of(with, task), fmt::format("the agent '{}' needs the key '{}'", agent.type.value, key.name),
                         key.description);
  }
  if (context.problems.size() == before) check_meaning(context, agent, task, with);
}

}  // namespace

const AgentDescription* find_agent(const std::vector<AgentDescription>& agents, const AgentType& type) {
  const auto found = std::find_if(agents.begin(), agents.end(), [&](const AgentDescription& agent) { return agent.type == type; });
  return found == agents.end() ? nullptr : &*found;
}

bool asks_model(const TaskDefinition& task, const std::vector<AgentDescription>& agents) {
  const AgentDescription* agent = find_agent(agents, task.agent);
  const auto write_tests = task.with.find("write-tests");
  const bool told_not_to = write_tests != task.with.end() && write_tests->second == Value(false);
  return agent != nullptr && agent->uses_llm && !told_not_to;
}

void check_graph(const CheckContext& context) {
  const auto names = task_names(context.definition);
  const std::set<std::string> known(names.begin(), names.end());
  Needs needs;
  bool complete = true;
  for (const TaskDefinition& task : context.definition.tasks) {
    const Node& list = child(task_node(context, task), "needs");
    std::set<TaskId> seen;
    for (std::size_t i = 0; i < task.needs.size(); ++i) {
      const TaskId& need = task.needs[i];
      const Position at = i < list.items.size() ? list.items[i].at : list.at;
      const Problems::In tasks(context.problems, "tasks");
      const Problems::In id(context.problems, task.id.value);
      const Problems::In in(context.problems, "needs");
      if (!known.contains(need.value)) {
        context.problems.add(at, fmt::format("there is no task {}", quote(need.value)), suggestion(need.value, names));
        complete = false;
      } else if (!seen.insert(need).second) {
        context.problems.add(at, fmt::format("the task '{}' stands here twice", need.value));
        complete = false;
      }
    }
    needs[task.id] = task.needs;
  }
  const std::size_t before = context.problems.size();
  check_cycles(context, needs);
  if (complete && context.problems.size() == before) check_phases(context);
}

void check_agents(const CheckContext& context) {
  for (const TaskDefinition& task : context.definition.tasks) {
    const Node& node = task_node(context, task);
    const Problems::In tasks(context.problems, "tasks");
    const Problems::In id(context.problems, task.id.value);
    const AgentDescription* agent = find_agent(context.agents, task.agent);
    if (agent == nullptr) {
      const auto names = agent_names(context.agents);
      const std::string known = fmt::format("registered: {}", fmt::join(names, ", "));
      const auto near = closest(task.agent.value, names);
      context.problems.add(position_of(child(node, "agent"), node),
                           fmt::format("no agent of type {} is registered", quote(task.agent.value)),
                           near ? fmt::format("did you mean '{}'? {}", *near, known) : known);
      continue;
    }
    const Problems::In with(context.problems, "with");
    check_with(context, *agent, node, child(node, "with"));
  }
}

void check_policies(const CheckContext& context) {
  static const std::set<std::string> kStandardAgents{"coding", "review", "test_data", "test", "devops", "deploying", "monitor", "command"};
  auto names = task_names(context.definition);
  for (const auto& name : agent_names(context.agents)) names.push_back(name);
  const Node& list = child(child(context.root, "policies"), "approvals");
  for (const Node& item : list.items) {
    const bool standard_task =
        !context.root.find("tasks") && std::string_view(" package deploy monitor ").find(" " + item.text + " ") != std::string_view::npos;
    if (standard_task || kStandardAgents.contains(item.text) || std::find(names.begin(), names.end(), item.text) != names.end()) continue;
    context.problems.add(item.at, fmt::format("policies.approvals: {} is neither a task nor an agent type", quote(item.text)),
                         suggestion(item.text, names));
  }
  const auto types = agent_names(context.agents);
  for (const auto& member : child(context.root, "agent-budgets").members)
    if (!kStandardAgents.contains(member.key) && std::ranges::find(types, member.key) == types.end())
      context.problems.add(member.key_at, fmt::format("agent-budgets: {} is no agent type", quote(member.key)),
                           suggestion(member.key, types));
}

}  // namespace conductorai::definition
