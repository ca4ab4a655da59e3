#include <algorithm>

#include "agents/base/answer_files.hpp"
#include "agents/base/material.hpp"
#include "agents/base/with.hpp"
#include "agents/development/agents.hpp"
#include "agents/development/changed_tests.hpp"
#include "agents/development/linters.hpp"
#include "agents/development/patch.hpp"
#include "agents/development/prompts.hpp"
#include "agents/tools/tool_loop.hpp"
#include "base/human.hpp"
#include "core/json_codec.hpp"
#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kDiffBytesMax = std::size_t{200} << 10;  // of the prompt
constexpr std::size_t kFindingsMax = 200;

// What a model writes reaches terminals and prompts: no control characters, a bounded length.
std::string cleaned(std::string_view text, std::size_t bytes) {
  std::string out = evidence::shortened(evidence::trimmed(text), bytes);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  return out;
}

Severity severity_of(std::string_view name) {
  if (name == "info") return Severity::info;
  if (name == "warning") return Severity::warning;
  return name == "critical" ? Severity::critical : Severity::error;
}

// The answer follows review_schema(). Only findings are read: a "verdict" in it has no meaning.
std::vector<Finding> findings_of_answer(const Value& answer) {
  std::vector<Finding> findings;
  const Value* list = answer.find("findings");
  if (list == nullptr || list->as_array() == nullptr) return findings;
  for (const Value& item : *list->as_array()) {
    if (findings.size() == kFindingsMax) break;
    const auto text = [&](std::string_view key) {
      const Value* value = item.find(key);
      return value != nullptr && value->as_string() != nullptr ? *value->as_string() : std::string();
    };
    const Value* line = item.find("line");
    const bool usable = line != nullptr && line->as_int() != nullptr && *line->as_int() > 0 && *line->as_int() < 10'000'000;
    findings.push_back({.severity = severity_of(text("severity")),
                        .file = cleaned(text("file"), 500),
                        .line = usable ? static_cast<int>(*line->as_int()) : 0,
                        .message = cleaned(text("message"), 2'000),
                        .source = "llm"});
  }
  return findings;
}

bool blocking(const Finding& finding) {
  return finding.severity >= Severity::error;
}

std::string counted(const std::vector<Finding>& findings) {
  const auto errors = static_cast<std::size_t>(std::ranges::count_if(findings, blocking));
  const auto warnings = static_cast<std::size_t>(std::ranges::count(findings, Severity::warning, &Finding::severity));
  return count_text(errors, "error") + ", " + count_text(warnings, "warning") + ", " +
         count_text(findings.size() - errors - warnings, "remark");
}

std::vector<Finding> worst_first(std::vector<Finding> findings) {
  std::vector<Finding> sorted;
  for (const Severity severity : {Severity::critical, Severity::error, Severity::warning, Severity::info})
    std::ranges::copy_if(findings, std::back_inserter(sorted), [&](const Finding& finding) { return finding.severity == severity; });
  return sorted;
}

class ReviewAgent final : public BaseAgent {
 public:
  ReviewAgent(AgentId id, int capacity, EnforcePolicy enforce) : BaseAgent(std::move(id), capacity), enforce_(std::move(enforce)) {}
  [[nodiscard]] const AgentDescription& description() const override {
    static const AgentDescription description{.type = AgentType("review"),
                                              .phase = Phase::development,
                                              .uses_llm = true,
                                              .changes_files = false,
                                              .summary = "reviews the change: linters, test-integrity guard and a model's findings",
                                              .with = {instructions_key(), tools_key(), allow_test_changes_key()},
                                              .answer_schema = std::string(review_schema())};
    return description;
  }

 protected:
  task<Result<Outcome>> execute(TaskContext& context) override {
    auto workspace = co_await context.workspace();
    if (!workspace) co_return fail(workspace.error());
    auto diff = co_await (*workspace)->diff(context.assignment().workflow_base);
    if (!diff) co_return fail(diff.error());
    const auto changed = changed_lines(*diff);
    auto guarded = co_await changed_tests(context, **workspace, *diff);
    if (!guarded) co_return fail(guarded.error());
    std::vector<Finding> findings = std::move(*guarded);
    auto linted = co_await run_linters(context, changed);
    if (!linted) co_return fail(linted.error());
    findings.insert(findings.end(), linted->begin(), linted->end());
    auto asked = co_await ask_model(context, **workspace, std::move(*diff));
    if (!asked) co_return fail(asked.error());
    findings.insert(findings.end(), asked->begin(), asked->end());
    auto outcome = co_await conclude(context, std::move(findings));
    co_return outcome;
  }

 private:
  task<Result<std::vector<Finding>>> ask_model(TaskContext& context, Workspace& workspace, std::string diff) {
    if (evidence::trimmed(diff).empty()) co_return std::vector<Finding>{};  // nothing to review
    auto agents_md = co_await agents_md_block(workspace);
    if (!agents_md) co_return fail(agents_md.error());
    const TaskAssignment& assignment = context.assignment();
    const std::string requirement = requirement_block(assignment) + item_block(assignment);
    const std::string shown =
        data_block("diff", diff.size() > kDiffBytesMax ? "shown=\"its beginning\"" : "", evidence::shortened(diff, kDiffBytesMax));
    Prompt prompt = review_prompt({.requirement = requirement, .agents_md = *agents_md, .diff = shown});
    Ask ask{.system = std::move(prompt.system), .user = std::move(prompt.user), .answer_schema = std::string(review_schema())};
    ToolAccess access{.tools = {"list_files", "read_file", "search", "run_command"}, .refuse = {}, .enforce = enforce_};
    auto answer = co_await ask_working(context, std::move(ask), std::move(access));
    if (!answer) co_return fail(answer.error());
    auto value = core::parse_json(answer->text);
    if (!value) co_return fail(ErrorCode::invalid_answer, "the review is no JSON: " + value.error().message);
    co_return findings_of_answer(*value);
  }

  static task<Result<Outcome>> conclude(TaskContext& context, std::vector<Finding> findings) {
    findings = worst_first(std::move(findings));
    auto kept = co_await context.save_artifact("findings.json", "report", core::write_json(findings));
    if (!kept) co_return fail(kept.error());
    const bool refused = std::ranges::any_of(findings, blocking);
    Outcome outcome{.verdict = refused ? Verdict::failed : Verdict::passed,
                    .summary = counted(findings),
                    .outputs = {},
                    .evidence = {},
                    .feedback = {}};
    outcome.evidence.push_back(
        {.kind = "findings", .summary = outcome.summary, .value = {}, .passed = {}, .failed = {}, .skipped = {}, .artifact = kept->digest});
    outcome.outputs["findings"] = static_cast<std::int64_t>(findings.size());
    if (refused) {
      outcome.feedback.emplace();
      outcome.feedback->summary = "review: " + outcome.summary;
      outcome.feedback->findings = std::move(findings);
    }
    co_return outcome;
  }

  EnforcePolicy enforce_;
};

}  // namespace

std::unique_ptr<BaseAgent> make_review_agent(AgentId id, int capacity, EnforcePolicy enforce) {
  return std::make_unique<ReviewAgent>(std::move(id), capacity, std::move(enforce));
}

}  // namespace conductorai::agents
