#include <algorithm>
#include <charconv>

#include "cli/command.hpp"
#include "cli/drive.hpp"
#include "cli/exit_code.hpp"
#include "cli/run_options.hpp"
#include "definition/workflow_loader.hpp"

namespace conductorai::cli {

namespace {

struct ForkOptions {
  std::string id, from;
  std::vector<std::string> inputs;
  OverrideOptions overrides;
};

/// An event's number or a task's name. Errors: invalid_argument.
Result<void> set_point(ForkRequest& request, const std::string& from) {
  if (from.empty()) return {};
  if (!std::ranges::all_of(from, [](char c) { return c >= '0' && c <= '9'; })) {
    request.task = TaskId(from);
    return {};
  }
  std::uint64_t seq = 0;
  if (std::from_chars(from.data(), from.data() + from.size(), seq).ec != std::errc{})
    return fail(ErrorCode::invalid_argument, "no journal has that many events", "--from " + from, "conductorai events shows the numbers");
  request.seq = seq;
  return {};
}

Result<ForkRequest> request_of(const ForkOptions& options, const WorkflowId& id, const WorkflowDefinition& definition) {
  ForkRequest request{.workflow = id, .by = user_name()};
  if (auto point = set_point(request, options.from); !point) return fail(point.error());
  if (!options.inputs.empty()) request.inputs = definition.inputs;
  for (const std::string& input : options.inputs)
    if (auto set = definition::set_input(request.inputs, input, &definition.inputs); !set) return fail(set.error());
  auto overrides = overrides_of(options.overrides, definition);
  if (!overrides) return fail(overrides.error());
  request.overrides = std::move(*overrides);
  return request;
}

int fork(const Globals& globals, const ForkOptions& options) {
  std::unique_ptr<Progress> progress;
  auto session = open_session(globals, progress);
  if (!session) return report(session.error());
  ConductorAI& ai = (*session)->ai();
  auto id = (*session)->find(options.id);
  if (!id) return report(id.error());
  auto definition = ai.get_definition(*id);
  if (!definition) return report(definition.error());
  auto request = request_of(options, *id, **definition);
  if (!request) return report(request.error());
  progress = std::make_unique<Progress>(progress_style(globals.json), definition->get());
  return drive(**session, *progress, globals.json, [&](auto watcher) { return ai.fork_workflow(*request, watcher); });
}

}  // namespace

void add_fork(CLI::App& app, CommandLine& line) {
  add_command<ForkOptions>(
      app, line, "fork", "Start a new workflow from a point of another one: what was done before it stands and is not paid again",
      [](CLI::App& command, ForkOptions& o) {
        command.add_option("ID", o.id, "Workflow, or a unique prefix (default: the newest)");
        command
            .add_option("--from", o.from,
                        "Run anew what the journal says from this event on, or from this task's latest result (default: all)")
            ->type_name("SEQ|TASK");
        command.add_option("--input", o.inputs, "Another value for an input; may be repeated")
            ->type_name("NAME=VALUE")
            ->allow_extra_args(false);
        declare_overrides(command, o.overrides);
      },
      fork);
}

}  // namespace conductorai::cli
