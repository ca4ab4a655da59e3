#include <algorithm>

#include "agents/base/answer_files.hpp"
#include "agents/base/build_check.hpp"
#include "agents/base/material.hpp"
#include "agents/base/toolchain_run.hpp"
#include "agents/devops/agents.hpp"
#include "agents/devops/devops_prompt.hpp"
#include "agents/devops/packaging.hpp"
#include "agents/devops/settings.hpp"
#include "agents/devops/validation.hpp"
#include "agents/tools/tool_loop.hpp"
#include "base/human.hpp"
#include "core/json.hpp"

namespace conductorai::agents {
namespace {

using Refusal = std::optional<Outcome>;  // of an answer; nothing: it was applied

class DevopsAgent final : public BaseAgent {
 public:
  DevopsAgent(AgentId id, int capacity, BuildImage build_image, EnforcePolicy enforce)
      : BaseAgent(std::move(id), capacity), build_image_(std::move(build_image)), enforce_(std::move(enforce)) {}
  [[nodiscard]] const AgentDescription& description() const override {
    static const AgentDescription description{
        .type = AgentType("devops"),
        .phase = Phase::devops,
        .uses_llm = true,
        .changes_files = true,
        .summary = "writes Dockerfile, CI workflow and manifests and makes the release bundle; judged by validators and the build",
        .with = devops_keys()};
    return description;
  }

 protected:
  task<Result<Outcome>> execute(TaskContext& context) override {
    auto settings = read_settings(context.assignment().task->with);
    if (!settings) co_return fail(settings.error());
    auto workspace = co_await context.workspace();
    if (!workspace) co_return fail(workspace.error());
    auto asks = co_await must_ask(context, settings->write_files);
    if (!asks) co_return fail(asks.error());
    if (*asks) {
      auto refusal = co_await write_files(context, **workspace, *settings);
      if (!refusal) co_return fail(refusal.error());
      if (refusal->has_value()) co_return std::move(**refusal);
    }
    auto outcome = co_await judge(context, **workspace, *settings);
    co_return outcome;
  }

 private:
  // Later rounds ask again only when a finding names this task; a round in which it never ran does not count.
  static task<Result<bool>> must_ask(TaskContext& context, bool write_files) {
    const TaskAssignment& assignment = context.assignment();
    if (!write_files) co_return false;
    if (assignment.id.round == 1 || !assignment.findings.empty()) co_return true;
    ArtifactQuery query{.workflow = assignment.id.workflow,
                        .task = assignment.id.task,
                        .agent = {},
                        .type = "report",
                        .name = std::string(kValidationReport),
                        .limit = 1000};
    auto reports = co_await context.artifacts().query(std::move(query));
    if (!reports) co_return fail(reports.error());
    const int round = assignment.id.round;
    co_return std::ranges::none_of(*reports, [round](const ArtifactRecord& record) { return record.round < round; });
  }

  task<Result<Refusal>> write_files(TaskContext& context, Workspace& workspace, DevopsSettings settings) {
    auto prompt = co_await make_prompt(context, workspace, std::move(settings.targets));
    if (!prompt) co_return fail(prompt.error());
    Ask ask{.system = std::move(prompt->system), .user = std::move(prompt->user), .answer_schema = {}};
    ToolAccess access{.tools = {"list_files", "read_file", "search", "write_file", "apply_patch", "run_command"},
                      .refuse = refuse_name,
                      .enforce = enforce_};
    auto answer = co_await ask_working(context, std::move(ask), std::move(access));
    if (!answer) co_return fail(answer.error());
    auto by_tools = co_await written_files(workspace);
    if (!by_tools) co_return fail(by_tools.error());
    AnswerFiles files = files_of(*answer);
    std::vector<Finding> refused = refused_names(files, !by_tools->empty());
    if (refused.empty()) {
      auto applied = co_await apply_files(workspace, files);
      if (!applied) co_return fail(applied.error());
      refused = std::move(applied->refused);
    }
    if (refused.empty()) {
      files.merge(std::move(*by_tools));
      auto kept = co_await keep_answer(context, *answer, std::move(files));
      if (!kept) co_return fail(kept.error());
      co_return Refusal{};
    }
    auto outcome = co_await refused_answer(context, "the delivery files were refused", std::move(refused), answer_text(*answer));
    if (!outcome) co_return fail(outcome.error());
    if (outcome->feedback) outcome->feedback->target = context.assignment().id.task;
    co_return std::move(*outcome);
  }

  static std::string refuse_name(const std::string& path, const std::optional<std::string>&, const std::optional<std::string>& after) {
    return may_be_written(path, after.value_or("")) ? std::string()
                                                    : "delivery files only: code and tests were judged already and stay as they are";
  }

  static std::vector<Finding> refused_names(const AnswerFiles& files, bool written_by_tools) {
    std::vector<Finding> refused;
    const auto refuse = [&refused](std::string path, std::string message) {
      refused.push_back(
          {.severity = Severity::error, .file = std::move(path), .line = 0, .message = std::move(message), .source = "workspace"});
    };
    if (files.empty() && !written_by_tools) refuse({}, "the answer holds no files");
    for (const auto& [path, content] : files)
      if (std::string reason = refuse_name(path, {}, content); !reason.empty()) refuse(path, std::move(reason));
    return refused;
  }

  // Whole, so that the provenance can name what the files were made from.
  static task<Result<ArtifactRef>> keep_answer(TaskContext& context, const LLMResponse& answer, AnswerFiles files) {
    Object written;
    for (auto& [path, content] : files) written[path] = content ? Value(std::move(*content)) : Value();
    auto kept = co_await context.save_artifact("answer.json", "answer",
                                               core::to_json(Object{{"text", answer.text}, {"files", std::move(written)}}));
    co_return kept;
  }

  static task<Result<DevopsPrompt>> make_prompt(TaskContext& context, Workspace& workspace, std::vector<std::string> targets) {
    const TaskAssignment& assignment = context.assignment();
    auto agents_md = co_await agents_md_block(workspace);
    if (!agents_md) co_return fail(agents_md.error());
    auto files = co_await files_block(workspace, named_files(assignment.findings), files_shown(assignment));
    if (!files) co_return fail(files.error());
    auto toolchain = co_await ToolchainRun::open(context);
    if (!toolchain) co_return fail(toolchain.error());
    const std::string requirement = requirement_block(assignment);
    const std::string commands = commands_block((*toolchain)->toolchain(), assignment.workflow->toolchain);
    const std::string findings = findings_block(assignment.findings);
    const std::string item = item_block(assignment);
    co_return devops_prompt({.targets = std::move(targets),
                             .requirement = requirement,
                             .commands = commands,
                             .agents_md = *agents_md,
                             .findings = findings,
                             .files = *files,
                             .item = item});
  }

  // Only what the user wrote can be repeated elsewhere: detected commands run through shims of ours.
  static std::string commands_block(const evidence::Toolchain& found, const ToolchainDefinition& given) {
    std::string text = "language: " + (found.language.empty() ? std::string("unknown") : found.language) + "\n";
    for (const auto& [name, command] :
         {std::pair{"prepare", given.prepare}, std::pair{"build", given.build}, std::pair{"test", given.test}, std::pair{"run", given.run}})
      if (!command.empty()) text += std::string(name) + ": " + command + "\n";
    return data_block("commands", "", text);
  }

  task<Result<Outcome>> judge(TaskContext& context, Workspace& workspace, DevopsSettings settings) {
    auto validation = co_await validate(workspace, settings.targets_named ? settings.targets : std::vector<std::string>{});
    if (!validation) co_return fail(validation.error());
    if (settings.container_build && build_image_) {
      auto images = co_await build_images(context, workspace, build_image_, *validation);
      if (!images) co_return fail(images.error());
    }
    auto report = co_await context.save_artifact(std::string(kValidationReport), "report", validation->report());
    if (!report) co_return fail(report.error());
    auto build = co_await check_build(context, workspace);
    if (!build) co_return fail(build.error());
    Outcome outcome;
    if (!validation->checks.empty() || !validation->findings.empty()) outcome.evidence.push_back(validation->evidence(report->digest));
    if (build->evidence) outcome.evidence.push_back(*build->evidence);
    if (!validation->findings.empty() || !build->findings.empty()) {
      reject(context.assignment(), settings.write_files, *validation, *build, outcome);
      co_return outcome;
    }
    auto packed = co_await pack(context, workspace, std::move(*build), settings.bundle_bytes_max, std::move(outcome));
    co_return packed;
  }

  // What only this task's own files get wrong comes back to it; the rest goes where the engine sends it.
  static void reject(const TaskAssignment& assignment, bool writes_files, const Validation& validation, const BuildCheck& build,
                     Outcome& outcome) {
    outcome.verdict = Verdict::failed;
    outcome.summary = validation.findings.empty() ? build.evidence->summary : validation.summary();
    FeedbackPayload feedback{.summary = outcome.summary, .findings = validation.findings};
    feedback.findings.insert(feedback.findings.end(), build.findings.begin(), build.findings.end());
    if (build.findings.empty() && writes_files) feedback.target = assignment.id.task;
    outcome.feedback = std::move(feedback);
  }

  static task<Result<Outcome>> pack(TaskContext& context, Workspace& workspace, BuildCheck build, std::int64_t bytes_max, Outcome outcome) {
    auto package = co_await make_package(context, workspace, std::move(build), bytes_max);
    if (!package && package.error().code == ErrorCode::permission_denied) {
      auto outcome_of_refusal = co_await unpackable(context, package.error(), std::move(outcome));
      co_return outcome_of_refusal;
    }
    if (!package) co_return fail(package.error());
    outcome.verdict = Verdict::passed;
    outcome.summary =
        package->name.tar() + ": " + count_text(package->files, "file") + ", " + std::to_string(package->bundle.size) + " bytes";
    outcome.evidence.push_back({.kind = "bundle",
                                .summary = outcome.summary,
                                .value = {},
                                .passed = {},
                                .failed = {},
                                .skipped = {},
                                .artifact = package->bundle.digest});
    outcome.outputs = {{"bundle", package->bundle.digest.str()}, {"bundle-name", package->name.tar()}, {"version", package->name.version}};
    if (!package->run.empty()) outcome.outputs["run"] = package->run;
    co_return outcome;
  }

  // The tree holds what no bundle may hold.
  static task<Result<Outcome>> unpackable(TaskContext& context, Error error, Outcome outcome) {
    auto kept = co_await context.save_artifact("bundle.txt", "log", to_string(error));
    if (!kept) co_return fail(kept.error());
    outcome.verdict = Verdict::failed;
    outcome.summary = "no bundle can be made: " + error.message;
    outcome.evidence.push_back({.kind = "integrity",
                                .summary = outcome.summary,
                                .value = {},
                                .passed = {},
                                .failed = {},
                                .skipped = {},
                                .artifact = kept->digest});
    outcome.feedback = FeedbackPayload{
        .summary = outcome.summary,
        .findings = {{.severity = Severity::error, .file = error.where, .line = 0, .message = error.message, .source = "bundle"}}};
    co_return outcome;
  }

  BuildImage build_image_;
  EnforcePolicy enforce_;
};

}  // namespace

std::unique_ptr<BaseAgent> make_devops_agent(AgentId id, int capacity, BuildImage build, EnforcePolicy enforce) {
  return std::make_unique<DevopsAgent>(std::move(id), capacity, std::move(build), std::move(enforce));
}

}  // namespace conductorai::agents
