#pragma once
// What a tool is: a name and a description for the model, parameters that are schema and check in one, and what it does.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/answer_files.hpp"
#include "agents/base/policies.hpp"
#include "conductorai/task_context.hpp"

namespace conductorai::agents {

struct ToolParameter {
  std::string_view name;
  enum class Type { text, text_or_null, integer, flag } type = Type::text;
  bool required = false;
  std::string_view description;
  std::int64_t low = 0, high = 0;                // of an integer
  std::size_t bytes_max = std::size_t{4} << 10;  // of a text
};

/// What the model is told. `failed`: the call did nothing; the text says why and what would work.
struct ToolAnswer {
  std::string text;
  bool failed = false;
  std::string attributes;                // of the block that delimits it: `path="a.py"`
  std::vector<ArtifactRef> artifacts{};  // that hold what is too long to show; not recorded with the step
};

/// Whether a file may be left so: empty, or why not. `before` is its content at the attempt's base.
using RefuseChange =
    std::function<std::string(const std::string& path, const std::optional<std::string>& before, const std::optional<std::string>& after)>;

/// What one agent lets a model do.
struct ToolAccess {
  std::vector<std::string_view> tools;  // by name, in the order they are offered
  RefuseChange refuse;                  // may be empty: all but protected paths
  bool commands_may_change_files = false;
  EnforcePolicy enforce;
};

/// The call's surroundings. All of it outlives the call.
struct ToolSetting {
  TaskContext* context = nullptr;
  Workspace* workspace = nullptr;
  const ToolAccess* access = nullptr;
  std::string call_name;  // of artifacts: "tool-7"
};

enum class ToolEffect { reads, writes, runs };

/// Errors: only of the machine, the budget, and cancellation; whatever the model did wrong is a failed answer.
using PerformTool = task<Result<ToolAnswer>> (*)(ToolSetting setting, Object arguments);

struct Tool {
  std::string_view name;
  std::string_view description;
  std::vector<ToolParameter> parameters;
  ToolEffect effect = ToolEffect::reads;
  PerformTool perform = nullptr;
};

/// list_files, read_file, search, write_file, apply_patch, run_command
const std::vector<Tool>& all_tools();
/// Null when there is none of that name.
const Tool* find_tool(std::string_view name);

/// JSON Schema of a tool's arguments. Closed and with all members required, so that services can hold a model to it; what may be left out
/// may be null.
std::string schema_of(const Tool& tool);
/// The arguments without their nulls, except where null has a meaning. Errors: invalid_argument, in words for the model.
Result<Object> check_arguments(const Tool& tool, const Value& arguments);

/// Of checked arguments.
std::string text_argument(const Object& arguments, std::string_view name);
std::int64_t number_argument(const Object& arguments, std::string_view name, std::int64_t otherwise);
bool flag_argument(const Object& arguments, std::string_view name);

/// A failed answer.
ToolAnswer refusal(std::string text);
/// An error of the workspace as a failed answer, or as an error where the machine is to blame: exhausted is the machine for writes, and
/// the file for reads.
Result<ToolAnswer> refusal_or_error(const Error& error, ToolEffect effect);

}  // namespace conductorai::agents
