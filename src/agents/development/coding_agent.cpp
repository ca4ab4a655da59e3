#include "agents/base/answer_files.hpp"
#include "agents/base/build_check.hpp"
#include "agents/base/material.hpp"
#include "agents/base/with.hpp"
#include "agents/development/agents.hpp"
#include "agents/development/prompts.hpp"
#include "agents/tools/tool_loop.hpp"
#include "base/human.hpp"
#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

Finding finding(std::string message, std::string source) {
  return {.severity = Severity::error, .file = {}, .line = 0, .message = std::move(message), .source = std::move(source)};
}

Evidence evidence_of(std::string kind, std::string summary, Digest artifact) {
  return {.kind = std::move(kind),
          .summary = std::move(summary),
          .value = {},
          .passed = {},
          .failed = {},
          .skipped = {},
          .artifact = std::move(artifact)};
}

class CodingAgent final : public BaseAgent {
 public:
  CodingAgent(AgentId id, int capacity, EnforcePolicy enforce) : BaseAgent(std::move(id), capacity), enforce_(std::move(enforce)) {}
  [[nodiscard]] const AgentDescription& description() const override {
    static const AgentDescription description{
        .type = AgentType("coding"),
        .phase = Phase::development,
        .uses_llm = true,
        .changes_files = true,
        .summary = "changes files to meet the requirement; judged by its diff and the toolchain's build",
        .with = {instructions_key(), tools_key()}};
    return description;
  }

 protected:
  task<Result<Outcome>> execute(TaskContext& context) override {
    auto workspace = co_await context.workspace();
    if (!workspace) co_return fail(workspace.error());
    auto prompt = co_await make_prompt(context, **workspace);
    if (!prompt) co_return fail(prompt.error());
    Ask ask{.system = std::move(prompt->system), .user = std::move(prompt->user), .answer_schema = {}};
    ToolAccess access{.tools = {"list_files", "read_file", "search", "write_file", "apply_patch", "run_command"},
                      .refuse = {},
                      .commands_may_change_files = true,
                      .enforce = enforce_};
    auto answer = co_await ask_working(context, std::move(ask), std::move(access));
    if (!answer) co_return fail(answer.error());
    auto applied = co_await apply_files(**workspace, files_of(*answer));
    if (!applied) co_return fail(applied.error());
    if (!applied->refused.empty()) {
      auto refused = co_await refused_answer(context, "the answer's files were refused", std::move(applied->refused), answer_text(*answer));
      co_return refused;
    }
    auto outcome = co_await judge(context, **workspace, std::move(*answer));
    co_return outcome;
  }

 private:
  static task<Result<Prompt>> make_prompt(TaskContext& context, Workspace& workspace) {
    const TaskAssignment& assignment = context.assignment();
    auto agents_md = co_await agents_md_block(workspace);
    if (!agents_md) co_return fail(agents_md.error());
    auto files = co_await files_block(workspace, named_files(assignment.findings), files_shown(assignment));
    if (!files) co_return fail(files.error());
    const std::string requirement = requirement_block(assignment);
    const std::string findings = findings_block(assignment.findings);
    const std::string item = item_block(assignment);
    co_return coding_prompt({.requirement = requirement, .agents_md = *agents_md, .findings = findings, .files = *files, .item = item});
  }

  // Two facts: something changed, and it builds. What the build leaves behind is no part of the change.
  static task<Result<Outcome>> judge(TaskContext& context, Workspace& workspace, LLMResponse answer) {
    auto changes = co_await workspace.changes();
    if (!changes) co_return fail(changes.error());
    if (changes->empty()) {
      auto nothing = co_await nothing_changed(context, std::move(answer));
      co_return nothing;
    }
    Outcome outcome{
        .verdict = Verdict::passed, .summary = summary_of(answer, changes->size()), .outputs = {}, .evidence = {}, .feedback = {}};
    Array paths;
    for (const auto& [path, kind] : *changes) paths.emplace_back(path);
    outcome.outputs["files"] = std::move(paths);
    auto diff = co_await workspace.diff();
    if (!diff) co_return fail(diff.error());
    auto kept = co_await context.save_artifact("diff.patch", "diff", std::move(*diff));
    if (!kept) co_return fail(kept.error());
    outcome.evidence.push_back(evidence_of("diff", count_text(changes->size(), "file") + " changed", kept->digest));
    auto built = co_await check_build(context, workspace);
    if (!built) co_return fail(built.error());
    if (built->evidence) outcome.evidence.push_back(*built->evidence);
    if (!built->findings.empty()) {
      outcome.verdict = Verdict::failed;
      outcome.summary = built->evidence->summary;
      outcome.feedback = FeedbackPayload{.summary = outcome.summary, .findings = std::move(built->findings)};
    }
    co_return outcome;
  }

  static std::string summary_of(const LLMResponse& answer, std::size_t changed) {
    // Text with blocks in it would be shown with its blocks.
    const bool words_alone = !answer.files.empty() || files_of(answer).empty();
    const std::string_view text = evidence::trimmed(words_alone ? std::string_view(answer.text) : std::string_view{});
    const std::string count = count_text(changed, "file") + " changed";
    return text.empty() ? count : count + ": " + evidence::shortened(text.substr(0, text.find('\n')), 100);
  }

  static std::string no_files_words(TaskContext& context) {
    return offers_tools(context.assignment()) ? "the model wrote no files, and its answer holds none" : "the answer holds no files";
  }

  static task<Result<Outcome>> nothing_changed(TaskContext& context, LLMResponse answer) {
    auto kept = co_await context.save_artifact("answer.txt", "answer", answer_text(answer));
    if (!kept) co_return fail(kept.error());
    const bool no_files = files_of(answer).empty();
    Outcome outcome{.verdict = Verdict::failed,
                    .summary = no_files ? no_files_words(context) : "the answer's files are what is there already",
                    .outputs = {},
                    .evidence = {},
                    .feedback = {}};
    outcome.evidence.push_back(evidence_of("diff", "0 files changed", kept->digest));
    outcome.feedback = FeedbackPayload{.summary = outcome.summary, .findings = {finding(outcome.summary + "; nothing changed", "diff")}};
    co_return outcome;
  }

  EnforcePolicy enforce_;
};

}  // namespace

std::unique_ptr<BaseAgent> make_coding_agent(AgentId id, int capacity, EnforcePolicy enforce) {
  return std::make_unique<CodingAgent>(std::move(id), capacity, std::move(enforce));
}

}  // namespace conductorai::agents
