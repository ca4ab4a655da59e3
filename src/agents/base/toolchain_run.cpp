#include "agents/base/toolchain_run.hpp"

#include <algorithm>
#include <fstream>
#include <system_error>

#include "evidence/shims.hpp"

namespace conductorai::agents {
namespace {

constexpr std::int64_t kReportBytesMax = std::int64_t{16} << 20;

/// The program of the toolchain that the shell did not find. Only programs we ask for count: a tested program's own words do not make an
/// error of the machine.
std::optional<std::string> not_found(const evidence::Toolchain& toolchain, const CommandResult& result) {
  if (result.exit_code != 127 || result.signal != 0) return std::nullopt;
  const auto text = result.err.text();
  for (const auto& program : toolchain.programs)
    if (text.find(": " + program + ": not found") != std::string::npos) return program;
  return std::nullopt;
}

}  // namespace

std::string ToolchainOutcome::printed() const {
  auto text = result().out.text();
  const auto errors = result().err.text();
  if (!text.empty() && !errors.empty() && !text.ends_with('\n')) text += '\n';
  return text + errors;
}

task<Result<FoundToolchain>> find_toolchain(TaskContext& context) {
  auto workspace = co_await context.workspace();
  if (!workspace) co_return fail(workspace.error());
  auto files = co_await (*workspace)->list_files();
  if (!files) co_return fail(files.error());
  std::map<std::string, std::string> contents;
  for (const auto& path : evidence::files_to_read(*files)) {
    auto content = co_await (*workspace)->read(path);
    if (content) contents.emplace(path, std::move(*content));  // one that can't be read tells nothing
  }
  const evidence::ReadFile read = [&](const std::string& path) -> std::optional<std::string> {
    auto it = contents.find(path);
    return it == contents.end() ? std::nullopt : std::optional(it->second);
  };
  auto toolchain = evidence::detect_toolchain(*files, read, context.assignment().workflow->toolchain);
  if (!toolchain) co_return fail(toolchain.error());
  co_return FoundToolchain{std::move(*toolchain), std::move(*files)};
}

bool fetches_dependencies(const evidence::Toolchain& toolchain, const WorkflowDefinition& workflow) {
  const bool may = !workflow.toolchain.prepare.empty() || workflow.sandbox.network != Network::none || !workflow.sandbox.enabled;
  return !toolchain.prepare.empty() && may;
}

task<Result<std::unique_ptr<ToolchainRun>>> ToolchainRun::open(TaskContext& context) {
  auto found = co_await find_toolchain(context);
  if (!found) co_return fail(found.error());
  co_return open(context, std::move(*found));
}

Result<std::unique_ptr<ToolchainRun>> ToolchainRun::open(TaskContext& context, FoundToolchain found) {
  std::unique_ptr<ToolchainRun> run(new ToolchainRun(context, std::move(found.toolchain), std::move(found.files)));
  if (auto laid_out = run->lay_out(); !laid_out) return fail(laid_out.error());
  return run;
}

Result<void> ToolchainRun::lay_out() {
  auto shims = context_.scratch_folder("shims");
  if (!shims) return fail(shims.error());
  for (const auto& [name, text] : evidence::shims()) {
    std::ofstream file(*shims / name, std::ios::binary);
    file << text;
    if (!file.flush()) return fail(ErrorCode::resource_exhausted, "can't write a runner shim", (*shims / name).string());
  }
  auto products = context_.scratch_folder("products");
  if (!products) return fail(products.error());
  shims_ = std::move(*shims);
  products_ = std::move(*products);
  return {};
}

task<Result<std::optional<ToolchainOutcome>>> ToolchainRun::build() {
  auto last = co_await prepare();
  if (!last || (last->has_value() && !(*last)->result().ok())) co_return last;
  if (!toolchain_.build.empty()) {
    auto built = co_await run_kept({.name = "build", .label = "building", .shell = toolchain_.build});
    if (!built) co_return fail(built.error());
    last = std::optional(std::move(*built));
  }
  co_return last;
}

task<Result<ToolchainOutcome>> ToolchainRun::discover() {
  auto outcome = co_await run({.name = "discovery", .label = "listing the tests", .shell = toolchain_.discover});
  co_return outcome;
}

task<Result<ToolchainOutcome>> ToolchainRun::test() {
  auto outcome = co_await run({.name = "tests", .label = "running the tests", .shell = toolchain_.test});
  co_return outcome;
}

/// After a crash a recorded command is answered without being performed: its tree is set again, but what it left in ignored files and
/// outside the workspace is gone. A mark beside the products tells; without it the command is run anew.
task<Result<ToolchainOutcome>> ToolchainRun::run_kept(Command command) {
  const auto mark = products_ / (command.name + ".done");
  command.shell += "\nstatus=$?\n[ $status = 0 ] && : > \"$CONDUCTORAI_BUILD/" + command.name + ".done\"\nexit $status";
  auto outcome = co_await run(command);
  if (!outcome) co_return fail(outcome.error());
  std::error_code ignored;
  if (!outcome->result().ok() || std::filesystem::exists(std::filesystem::symlink_status(mark, ignored))) co_return outcome;
  if (!toolchain_.builds_in_workspace) co_return outcome;  // `test` builds again by itself
  auto again = co_await run(std::move(command));
  co_return again;
}

void ToolchainRun::equip(CommandRequest& request) const {
  request.mounts.push_back({shims_, shims_, false});
  request.mounts.push_back({products_, products_, true});
  request.environment["CONDUCTORAI_SHIMS"] = shims_.string();
  request.environment["CONDUCTORAI_BUILD"] = products_.string();
  request.environment.insert(toolchain_.environment.begin(), toolchain_.environment.end());
  for (const auto& [name, folder] : toolchain_.folders) request.environment[name] = (products_ / folder).string();
}

task<Result<ToolchainOutcome>> ToolchainRun::run(Command command) {
  auto folder = context_.scratch_folder("report");
  if (!folder) co_return fail(folder.error());
  // Inside and outside the paths are the same: so they hold without a sandbox too.
  const auto report = *folder / "report";
  CommandRequest request{.shell = std::move(command.shell),
                         .environment = std::move(command.environment),
                         .mounts = std::move(command.mounts),
                         .collect = {report.string()},
                         .collect_bytes_max = kReportBytesMax,
                         .network = command.network,
                         .artifact_name = command.name,
                         .label = std::move(command.label)};
  request.mounts.push_back({*folder, *folder, true});
  request.environment["CONDUCTORAI_REPORT"] = report.string();
  equip(request);
  auto performed = co_await context_.run(std::move(request));
  if (!performed) {
    if (performed.error().code == ErrorCode::not_found) co_return fail(evidence::missing_program(toolchain_, performed.error().where));
    co_return fail(performed.error());
  }
  if (auto program = not_found(toolchain_, performed->result)) co_return fail(evidence::missing_program(toolchain_, std::move(*program)));
  ToolchainOutcome outcome{.command = std::move(*performed), .written = {}};
  auto written = outcome.command.collected.find(report.string());
  if (written != outcome.command.collected.end()) outcome.written = std::move(written->second);
  co_return outcome;
}

}  // namespace conductorai::agents
