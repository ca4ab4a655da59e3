#include "agents/devops/image_check.hpp"

#include <cctype>

#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kPrintedMax = 4'000;  // of a build, in a finding

Value to_value(const ImageOutcome& outcome) {
  return Object{{"engine", outcome.engine}, {"built", outcome.built}, {"printed", outcome.printed}};
}

ImageOutcome outcome_of(const Value& value) {
  const auto text = [&value](std::string_view key) {
    const Value* found = value.find(key);
    return found != nullptr && found->as_string() != nullptr ? *found->as_string() : std::string();
  };
  const Value* built = value.find("built");
  return {
      .engine = text("engine"), .built = built != nullptr && built->as_bool() != nullptr && *built->as_bool(), .printed = text("printed")};
}

task<Result<Value>> perform(BuildImage build, ImageRequest request) {
  auto outcome = co_await build(std::move(request));
  if (!outcome) co_return fail(outcome.error());
  co_return to_value(*outcome);
}

// Tree ids are hexadecimal; what else a workspace calls its trees is left out of the tag.
std::string tag_of(const std::string& tree) {
  std::string tag = "conductorai-check:t";
  for (const char c : tree)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) tag += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return tag;
}

void note(FileCheck& check, const ImageOutcome& outcome) {
  if (outcome.engine.empty()) {
    check.depth = "checked for syntax only: no container engine answers";
    return;
  }
  check.depth = (outcome.built ? "built by " : "not built by ") + outcome.engine;
  if (outcome.built) return;
  const auto printed = evidence::trimmed(outcome.printed);
  const auto end = printed.size() <= kPrintedMax ? printed : printed.substr(printed.size() - kPrintedMax);
  check.findings.push_back({.severity = Severity::error,
                            .file = check.file,
                            .line = 0,
                            .message = outcome.engine + " cannot build it: " + std::string(end),
                            .source = "container-build"});
}

}  // namespace

task<Result<void>> build_images(TaskContext& context, Workspace& workspace, BuildImage build, Validation& validation) {
  auto tree = co_await workspace.snapshot();
  if (!tree) co_return fail(tree.error());
  const Milliseconds timeout = context.assignment().workflow->sandbox.wall;
  for (FileCheck& check : validation.checks) {
    if (check.kind != DeliveryKind::dockerfile || !check.passed()) continue;
    ImageRequest request{.folder = workspace.root(), .dockerfile = check.file, .tag = tag_of(*tree), .timeout = timeout};
    RecordRequest step{.kind = "image", .request = *tree + " " + check.file, .label = "building an image from " + check.file};
    PerformStep perform_step = [build, request](StepId) { return perform(build, request); };
    auto answer = co_await context.record(std::move(step), std::move(perform_step));
    if (!answer) co_return fail(answer.error());
    note(check, outcome_of(*answer));
    if (!check.passed()) validation.findings.push_back(check.findings.back());
  }
  co_return Result<void>{};
}

}  // namespace conductorai::agents
