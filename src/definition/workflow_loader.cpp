#include "definition/workflow_loader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/state.hpp"
#include "definition/checks.hpp"
#include "definition/plan.hpp"
#include "definition/sections.hpp"

namespace conductorai::definition {

namespace document = core::document;
using document::Node;

namespace {

constexpr std::size_t kTasksMax = 5'000;

/// A load in progress. `found` are problems of files and flags; those of the document's text come from `problems`.
struct Loading {
  const LoadRequest& request;
  document::Problems problems;
  std::vector<Error> found;
  std::vector<std::string> warnings;
  Node root;
  Draft draft;
};

Error flag_error(std::string message, std::string where, std::string hint = {}) {
  return {.code = ErrorCode::invalid_argument, .message = std::move(message), .where = std::move(where), .hint = std::move(hint)};
}

std::string shown_name(const LoadRequest& request) {
  return request.file ? request.file->string() : "the workflow";
}

Result<Node> read_root(const LoadRequest& request) {
  if (request.text) return document::parse(*request.text, shown_name(request), document::format_of(shown_name(request)));
  auto loaded = document::load(*request.file, request.file->string());
  if (!loaded) return fail(loaded.error());
  return std::move(loaded->root);
}

/// The root as a mapping, or a problem that says what a workflow file is.
bool is_workflow(Loading& loading) {
  const Node& root = loading.root;
  const bool empty = root.is(Node::Kind::null) || (root.is(Node::Kind::map) && root.members.empty());
  const std::string hint = "give it a 'name' and a 'requirement'; `conductorai init` writes a file to start from";
  if (empty)
    loading.problems.add(root.at, "the workflow is empty", hint);
  else if (!root.is(Node::Kind::map))
    loading.problems.expected(root, "a mapping", hint);
  return !empty && root.is(Node::Kind::map);
}

Result<std::string> read_requirement(const std::filesystem::path& path, const std::string& shown, std::size_t bytes_max) {
  auto text = document::read_file(path, shown, bytes_max);
  if (!text) {
    Error error = text.error();
    error.message = "the requirement file: " + error.message;
    if (error.message.find("larger than") != std::string::npos)
      error.hint = "a requirement is never cut; shorten it, or put the details into files of the repository";
    return fail(std::move(error));
  }
  if (const auto bad = document::find_invalid_utf8(*text); bad != std::string::npos)
    return fail(ErrorCode::invalid_argument, fmt::format("the requirement file is not valid UTF-8 at byte {}", bad), shown,
                "save it as UTF-8");
  if (text->find_first_not_of(" \t\r\n") == std::string::npos)
    return fail(ErrorCode::invalid_argument, "the requirement file is empty", shown);
  return text;
}

/// The requirement of the request takes the place of the file's own.
void take_requirement(Loading& loading) {
  const LoadRequest& request = loading.request;
  Draft& draft = loading.draft;
  const Node* text_node = loading.root.find("requirement");
  const Node* file_node = loading.root.find("requirement-file");
  if (text_node != nullptr && file_node != nullptr)
    loading.problems.add(file_node->at, "'requirement' and 'requirement-file' stand side by side", "leave one of them out");
  if (text_node != nullptr && text_node->is(Node::Kind::text) && text_node->text.size() > request.requirement_bytes_max)
    loading.problems.add(text_node->at, fmt::format("the requirement is larger than {}",
                                                    document::format_size(static_cast<std::int64_t>(request.requirement_bytes_max))));
  if (request.requirement) {
    draft.requirement = *request.requirement;
    draft.has_requirement = true;
    if (draft.requirement.size() > request.requirement_bytes_max)
      loading.found.push_back(flag_error(
          fmt::format("the requirement is larger than {}", document::format_size(static_cast<std::int64_t>(request.requirement_bytes_max))),
          "--requirement"));
    if (document::find_invalid_utf8(draft.requirement) != std::string::npos)
      loading.found.push_back(flag_error("the requirement is not valid UTF-8", "--requirement", "save it as UTF-8"));
    if (draft.requirement.find_first_not_of(" \t\r\n") == std::string::npos)
      loading.found.push_back(flag_error("the requirement is empty", "--requirement"));
    return;
  }
  const bool from_flag = request.requirement_file.has_value();
  if (!from_flag && !draft.requirement_file) return;
  const std::filesystem::path path = from_flag ? *request.requirement_file : request.project_root / *draft.requirement_file;
  auto text = read_requirement(path, from_flag ? path.string() : *draft.requirement_file, request.requirement_bytes_max);
  if (text) {
    draft.requirement = std::move(*text);
    draft.has_requirement = true;
    return;
  }
  Error error = text.error();
  if (!from_flag && file_node != nullptr) {
    error.message += " (" + path.string() + ")";
    error.where = fmt::format("{}:{}:{}", loading.problems.file(), file_node->at.line, file_node->at.column);
    if (error.code == ErrorCode::not_found && error.hint.empty())
      error.hint = "paths in a workflow file are relative to the project's root";
  }
  loading.found.push_back(std::move(error));
}

/// A line of "=" or "-" between headings names nothing.
bool has_words(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80; });
}

/// "# Rational numbers" → "Rational numbers"; empty where no line is a heading.
std::string first_heading(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with('#')) continue;
    line.remove_prefix(std::min(line.find_first_not_of('#'), line.size()));
    std::string name;
    for (const char c : line)
      if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) name += c;
    const auto begin = name.find_first_not_of(" \t");
    if (begin == std::string::npos || !has_words(name)) continue;
    name = name.substr(begin, name.find_last_not_of(" #") - begin + 1);
    while (name.size() > 100) {
      do name.pop_back();
      while (!name.empty() && (static_cast<unsigned char>(name.back()) & 0xC0) == 0x80);
    }
    if (document::find_invalid_utf8(name) == std::string::npos && !name.empty()) return name;
  }
  return {};
}

std::string name_of_requirement(const Loading& loading) {
  if (std::string heading = first_heading(loading.draft.requirement); !heading.empty()) return heading;
  const std::string stem = loading.request.requirement_file ? loading.request.requirement_file->stem().string() : std::string();
  const bool plain = std::ranges::none_of(stem, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  return has_words(stem) && plain && document::find_invalid_utf8(stem) == std::string::npos ? stem : "requirement";
}

void take_inputs(Loading& loading) {
  const bool from_file = loading.request.file || loading.request.text;
  const Object declared = loading.draft.inputs;
  for (const std::string& given : loading.request.inputs)
    if (auto set = set_input(loading.draft.inputs, given, from_file ? &declared : nullptr); !set) loading.found.push_back(set.error());
}

/// Standard tasks whose agents are not registered are left out, and so is what they were needed for.
void take_standard_tasks(Loading& loading) {
  std::vector<TaskDefinition>& tasks = loading.draft.tasks;
  tasks = standard_tasks();
  std::set<TaskId> left_out;
  std::vector<std::string> names, agents;
  for (const TaskDefinition& task : tasks) {
    if (find_agent(loading.request.agents, task.agent) != nullptr) continue;
    left_out.insert(task.id);
    names.push_back(task.id.value);
    agents.push_back(task.agent.value);
  }
  if (left_out.empty()) return;
  std::erase_if(tasks, [&](const TaskDefinition& task) { return left_out.contains(task.id); });
  for (TaskDefinition& task : tasks) std::erase_if(task.needs, [&](const TaskId& need) { return left_out.contains(need); });
  loading.warnings.push_back(fmt::format("the standard {} {} left out: no agent of type {} is registered",
                                         names.size() == 1 ? "task" : "tasks", fmt::join(names, ", "), fmt::join(agents, ", ")));
}

/// `name`, and something to do.
void check_mandatory(Loading& loading) {
  Draft& draft = loading.draft;
  const bool from_file = loading.request.file || loading.request.text;
  if (!from_file && draft.name.empty()) draft.name = name_of_requirement(loading);
  if (draft.has_tasks && draft.tasks.empty()) {
    loading.problems.add(loading.root.find("tasks")->at, "tasks: expected at least one task",
                         "leave the key out for the seven standard tasks");
    return;
  }
  const bool wants_requirement = draft.requirement_file || loading.request.requirement_file || loading.root.find("requirement") != nullptr;
  if (draft.has_requirement || wants_requirement) return;
  const auto asking = std::find_if(draft.tasks.begin(), draft.tasks.end(),
                                   [&](const TaskDefinition& task) { return asks_model(task, loading.request.agents); });
  if (draft.has_tasks && asking == draft.tasks.end()) return;
  const std::string why = draft.has_tasks ? fmt::format("the task '{}' asks a model", asking->id.value) : "the standard tasks ask a model";
  const std::string message = fmt::format("a requirement is missing: {}", why);
  const std::string hint = "write 'requirement' or 'requirement-file', or give --requirement FILE";
  if (from_file)
    loading.problems.add(loading.root.at, message, hint);
  else
    loading.found.push_back(flag_error(message, "", hint));
}

void check_files(Loading& loading) {
  const std::string& repo = loading.draft.workspace.repo;
  const Node* workspace = loading.root.find("workspace");
  const Node* node = workspace == nullptr ? nullptr : workspace->find("repo");
  if (repo.empty() || node == nullptr) return;
  std::error_code error;
  const std::filesystem::path path = loading.request.project_root / repo;
  if (!std::filesystem::is_directory(path, error))
    loading.problems.add(node->at, fmt::format("workspace.repo: there is no folder {}", document::quote(path.string())),
                         "paths in a workflow file are relative to the project's root");
}

/// An agent that is registered beyond the built-in ones, whose phases the core knows, may belong to a later phase.
void take_phases(Loading& loading) {
  name_phases(loading.draft, loading.request.agents);
}

void check(Loading& loading) {
  if (loading.draft.tasks.size() > kTasksMax)
    return loading.problems.add(loading.root.find("tasks")->at, fmt::format("tasks: more than {} tasks", kTasksMax),
                                "let a task with 'foreach' stand for many");
  const CheckContext context{loading.root, loading.draft, loading.request.agents, loading.problems};
  check_agents(context);
  check_graph(context);
  check_policies(context);
  check_expressions(context);
  check_files(loading);
}

Problems all_problems(Loading& loading) {
  Problems all = loading.problems.take();
  all.insert(all.end(), loading.found.begin(), loading.found.end());
  return all;
}

}  // namespace

std::vector<TaskDefinition> standard_tasks() {
  const auto task = [](const char* id, const char* agent, std::vector<TaskId> needs, Object with = {}) {
    TaskDefinition definition;
    definition.id = TaskId(id);
    definition.agent = AgentType(agent);
    definition.needs = std::move(needs);
    definition.with = std::move(with);
    return definition;
  };
  const auto ids = [](auto... names) { return std::vector<TaskId>{TaskId(names)...}; };
  return {task("code", "coding", {}),
          task("review", "review", ids("code")),
          task("test-data", "test_data", ids("code")),
          task("test", "test", ids("code", "test-data")),
          task("package", "devops", ids("review", "test")),
          task("deploy", "deploying", ids("package"), {{"driver", "process"}}),
          task("monitor", "monitor", ids("deploy"))};
}

Result<void> set_input(Object& inputs, const std::string& given, const Object* declared) {
  const auto equals = given.find('=');
  const std::string where = "--input " + document::quote(given);
  if (equals == std::string::npos || equals == 0) return fail(flag_error("an input is given as NAME=VALUE", where));
  const std::string name = given.substr(0, equals);
  if (declared != nullptr && !declared->contains(name)) {
    std::vector<std::string> names;
    for (const auto& [known, value] : *declared) names.push_back(known);
    const std::string hint = names.empty() ? "it has no inputs" : document::suggestion(name, names);
    return fail(flag_error(fmt::format("the workflow has no input {}", document::quote(name)), where, hint));
  }
  auto value = document::parse_inline(std::string_view(given).substr(equals + 1), where);
  if (!value) return fail(value.error());
  inputs.insert_or_assign(name, document::to_value(*value));
  return {};
}

std::expected<LoadedWorkflow, Problems> load_workflow(const LoadRequest& request) {
  Loading loading{
      .request = request, .problems = document::Problems(shown_name(request)), .found = {}, .warnings = {}, .root = {}, .draft = {}};
  loading.root.kind = Node::Kind::map;
  if (request.file || request.text) {
    auto root = read_root(request);
    if (!root) return std::unexpected(Problems{root.error()});
    loading.root = std::move(*root);
    if (!is_workflow(loading)) return std::unexpected(all_problems(loading));
    workflow_section().read(loading.root, loading.draft, loading.problems);
  }
  const bool readable = loading.problems.empty();
  take_requirement(loading);
  take_inputs(loading);
  if (!loading.draft.has_tasks && loading.root.find("tasks") == nullptr) take_standard_tasks(loading);
  // A draft whose tasks could not be read would give problems that are none.
  if (readable || loading.draft.has_tasks) check_mandatory(loading);
  take_phases(loading);
  if (readable || loading.draft.has_tasks) check(loading);
  if (Problems problems = all_problems(loading); !problems.empty()) return std::unexpected(std::move(problems));
  return LoadedWorkflow{std::move(static_cast<WorkflowDefinition&>(loading.draft)), std::move(loading.warnings)};
}

}  // namespace conductorai::definition
