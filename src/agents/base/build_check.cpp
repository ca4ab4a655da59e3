#include "agents/base/build_check.hpp"

#include "agents/base/toolchain_run.hpp"
#include "evidence/findings.hpp"
#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

Finding finding(std::string message, std::string source) {
  return {.severity = Severity::error, .file = {}, .line = 0, .message = std::move(message), .source = std::move(source)};
}

Evidence evidence_of(std::string kind, std::string summary, Digest artifact, std::optional<std::int64_t> value = {}) {
  return {.kind = std::move(kind),
          .summary = std::move(summary),
          .value = value,
          .passed = {},
          .failed = {},
          .skipped = {},
          .artifact = std::move(artifact)};
}

// The build left what may not be in a workspace (a repository of its own, a protected path).
task<Result<BuildCheck>> refused(TaskContext& context, BuildCheck check, Error error) {
  auto kept = co_await context.save_artifact("build.txt", "log", to_string(error));
  if (!kept) co_return fail(kept.error());
  check.evidence = evidence_of("integrity", "the build was refused: " + error.message, kept->digest);
  check.findings = {finding("the build was refused: " + to_string(error), "workspace")};
  co_return check;
}

task<Result<BuildCheck>> judged(TaskContext& context, BuildCheck check, ToolchainOutcome built) {
  const CommandResult& result = built.result();
  const std::string summary = check.toolchain + " build: " + result.describe();
  auto kept = co_await context.save_artifact("build.txt", "log", summary + "\n" + built.printed());
  if (!kept) co_return fail(kept.error());
  check.evidence = evidence_of("exit_code", summary, kept->digest, result.signal == 0 ? result.exit_code : 128 + result.signal);
  if (result.ok()) co_return check;
  check.findings = evidence::findings_in_output(built.printed(), check.files);
  if (check.findings.empty()) check.findings.push_back(finding(summary + "\n" + evidence::shortened(built.printed(), 2'000), "build"));
  co_return check;
}

}  // namespace

task<Result<BuildCheck>> check_build(TaskContext& context, Workspace& workspace) {
  auto tree = co_await workspace.snapshot();
  if (!tree) co_return fail(tree.error());
  auto toolchain = co_await ToolchainRun::open(context);
  if (!toolchain) co_return fail(toolchain.error());
  const evidence::Toolchain& found = (*toolchain)->toolchain();
  BuildCheck check{
      .toolchain = found.name, .build = found.build, .run = found.run, .evidence = {}, .findings = {}, .files = (*toolchain)->files()};
  auto built = co_await (*toolchain)->build();
  if (!built && built.error().code != ErrorCode::permission_denied) co_return fail(built.error());
  auto restored = co_await workspace.restore(std::move(*tree));
  if (!restored) co_return fail(restored.error());
  if (!built) {
    auto verdict = co_await refused(context, std::move(check), built.error());
    co_return verdict;
  }
  if (!built->has_value()) co_return check;
  auto verdict = co_await judged(context, std::move(check), std::move(**built));
  co_return verdict;
}

}  // namespace conductorai::agents
