#include <algorithm>
#include <set>

#include "agents/base/answer_files.hpp"
#include "agents/base/material.hpp"
#include "agents/base/with.hpp"
#include "agents/development/agents.hpp"
#include "agents/development/fixture_checks.hpp"
#include "agents/development/patch.hpp"
#include "agents/development/prompts.hpp"
#include "base/human.hpp"
#include "core/json_codec.hpp"

namespace conductorai::agents {
namespace {

constexpr std::string_view kValidation = "validation.json";

struct Validation {
  std::int64_t passed = 0, failed = 0, unchecked = 0;
  std::vector<Finding> findings;
  Array files;
};

class TestDataAgent final : public BaseAgent {
 public:
  using BaseAgent::BaseAgent;
  [[nodiscard]] const AgentDescription& description() const override {
    static const AgentDescription description{.type = AgentType("test_data"),
                                              .phase = Phase::development,
                                              .uses_llm = true,
                                              .changes_files = true,
                                              .summary = "writes fixtures with edge and hostile cases; judged by parsing them",
                                              .with = {instructions_key()}};
    return description;
  }

 protected:
  task<Result<Outcome>> execute(TaskContext& context) override {
    auto workspace = co_await context.workspace();
    if (!workspace) co_return fail(workspace.error());
    const TaskAssignment& assignment = context.assignment();
    auto standing = co_await fixtures_that_stand(context, **workspace);
    if (!standing) co_return fail(standing.error());
    // Later rounds ask again only when a finding names this task.
    if (assignment.id.round > 1 && assignment.findings.empty() && !standing->empty()) {
      auto outcome = co_await validate(context, **workspace, std::move(*standing));
      co_return outcome;
    }
    auto outcome = co_await write_fixtures(context, **workspace);
    co_return outcome;
  }

 private:
  // The fixtures that this workflow has changed so far: what earlier rounds of this task wrote, and data in the folders of tests. Data
  // elsewhere (manifests, a CI workflow) has judges of its own.
  static task<Result<std::vector<std::string>>> fixtures_that_stand(TaskContext& context, Workspace& workspace) {
    auto diff = co_await workspace.diff(context.assignment().workflow_base);
    if (!diff) co_return fail(diff.error());
    auto present = co_await workspace.list_files();
    if (!present) co_return fail(present.error());
    auto written = co_await judged_before(context);
    if (!written) co_return fail(written.error());
    std::vector<std::string> files;
    for (const auto& [path, lines] : changed_lines(*diff)) {
      const bool fixture = written->contains(path) || is_in_test_folder(path);
      if (fixture && is_data_file(path) && check_fixture(path, {}).has_value() && std::ranges::binary_search(*present, path))
        files.push_back(path);
    }
    co_return files;
  }

  // By the validations on record: their files are what the answers of this task wrote.
  static task<Result<std::set<std::string>>> judged_before(TaskContext& context) {
    const AttemptId& id = context.assignment().id;
    auto records = co_await context.artifacts().query(
        {.workflow = id.workflow, .task = id.task, .agent = {}, .type = "report", .name = std::string(kValidation)});
    if (!records) co_return fail(records.error());
    std::set<std::string> files;
    for (const ArtifactRecord& record : *records) {
      auto bytes = co_await context.artifacts().get(record.digest);
      if (!bytes) co_return fail(bytes.error());
      auto entries = core::parse_json(*bytes);
      if (!entries || entries->as_array() == nullptr) continue;
      for (const Value& entry : *entries->as_array())
        if (const Value* file = entry.find("file"); file != nullptr && file->as_string() != nullptr) files.insert(*file->as_string());
    }
    co_return files;
  }

  static task<Result<Outcome>> write_fixtures(TaskContext& context, Workspace& workspace) {
    auto prompt = co_await make_prompt(context, workspace);
    if (!prompt) co_return fail(prompt.error());
    auto answer = co_await ask_recorded(context, std::move(prompt->system), std::move(prompt->user), {});
    if (!answer) co_return fail(answer.error());
    AnswerFiles files = files_of(*answer);
    auto refused = refused_names(files);
    if (files.empty())
      refused.push_back(
          {.severity = Severity::error, .file = {}, .line = 0, .message = "the answer holds no files", .source = "workspace"});
    Applied applied;
    if (refused.empty()) {
      auto done = co_await apply_files(workspace, std::move(files));
      if (!done) co_return fail(done.error());
      applied = std::move(*done);
      refused = std::move(applied.refused);
    }
    if (!refused.empty()) {
      auto outcome = co_await refused_answer(context, "the fixtures were refused", std::move(refused), answer_text(*answer));
      co_return outcome;
    }
    auto outcome = co_await validate(context, workspace, std::move(applied.paths));
    co_return outcome;
  }

  static std::vector<Finding> refused_names(const AnswerFiles& files) {
    std::vector<Finding> refused;
    for (const auto& [path, content] : files)
      if (!is_data_file(path))
        refused.push_back({.severity = Severity::error,
                           .file = path,
                           .line = 0,
                           .message = "test data is data: this is no data file",
                           .source = "workspace"});
    return refused;
  }

  static task<Result<Prompt>> make_prompt(TaskContext& context, Workspace& workspace) {
    const TaskAssignment& assignment = context.assignment();
    auto agents_md = co_await agents_md_block(workspace);
    if (!agents_md) co_return fail(agents_md.error());
    auto files = co_await files_block(workspace, named_files(assignment.findings), files_that_fit(assignment.workflow->llm));
    if (!files) co_return fail(files.error());
    const std::string requirement = requirement_block(assignment);
    const std::string findings = findings_block(assignment.findings);
    const std::string item = item_block(assignment);
    co_return test_data_prompt({.requirement = requirement, .agents_md = *agents_md, .findings = findings, .files = *files, .item = item});
  }

  static task<Result<Outcome>> validate(TaskContext& context, Workspace& workspace, std::vector<std::string> paths) {
    Validation validation;
    for (const std::string& path : paths) {
      auto content = co_await workspace.read(path);
      if (!content && content.error().code == ErrorCode::not_found) continue;  // deleted by the answer
      if (!content) co_return fail(content.error());
      note(validation, path, check_fixture(path, *content));
    }
    auto kept = co_await context.save_artifact(std::string(kValidation), "report", core::to_json(Value(validation.files)));
    if (!kept) co_return fail(kept.error());
    co_return conclude(std::move(validation), kept->digest, paths.front());
  }

  static void note(Validation& validation, const std::string& path, std::optional<std::string> wrong) {
    Object entry{{"file", path}, {"checked", wrong.has_value()}};
    if (!wrong) {
      ++validation.unchecked;
    } else if (wrong->empty()) {
      ++validation.passed;
    } else {
      ++validation.failed;
      entry["wrong"] = *wrong;
      validation.findings.push_back({.severity = Severity::error, .file = path, .line = 0, .message = *wrong, .source = "validation"});
    }
    validation.files.emplace_back(std::move(entry));
  }

  static Outcome conclude(Validation validation, Digest artifact, const std::string& first) {
    Outcome outcome;
    outcome.verdict = validation.failed == 0 ? Verdict::passed : Verdict::failed;
    outcome.summary = count_text(static_cast<std::size_t>(validation.passed), "fixture") + " sound, " + std::to_string(validation.failed) +
                      " not, " + std::to_string(validation.unchecked) + " of kinds that nothing checks (" + first + " …)";
    outcome.outputs["fixtures"] = static_cast<std::int64_t>(validation.files.size());
    outcome.evidence.push_back({.kind = "validation",
                                .summary = outcome.summary,
                                .value = {},
                                .passed = validation.passed,
                                .failed = validation.failed,
                                .skipped = validation.unchecked,
                                .artifact = std::move(artifact)});
    if (outcome.verdict == Verdict::failed)
      outcome.feedback = FeedbackPayload{.summary = outcome.summary, .findings = std::move(validation.findings)};
    return outcome;
  }
};

}  // namespace

std::unique_ptr<BaseAgent> make_test_data_agent(AgentId id, int capacity) {
  return std::make_unique<TestDataAgent>(std::move(id), capacity);
}

}  // namespace conductorai::agents
