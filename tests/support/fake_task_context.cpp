#include "tests/support/fake_task_context.hpp"

#include <cstdlib>

#include "infrastructure/process/process.hpp"

namespace conductorai::testing {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

CapturedOutput captured(const std::string& text, std::int64_t total, const std::filesystem::path&) {
  constexpr std::size_t kHeadAndTail = 64 * 1024;
  CapturedOutput out{
      .head = text, .tail = {}, .total_bytes = total, .truncated = total > static_cast<std::int64_t>(text.size()), .file = {}};
  if (text.size() > 2 * kHeadAndTail) {
    out.head = text.substr(0, kHeadAndTail);
    out.tail = text.substr(text.size() - kHeadAndTail);
  }
  return out;
}

}  // namespace

LLMResponse answer_files(std::map<std::string, std::optional<std::string>> files) {
  LLMResponse response;
  response.files = std::move(files);
  return response;
}

LLMResponse answer_text(std::string text) {
  LLMResponse response;
  response.text = std::move(text);
  return response;
}

FakeTaskContext::FakeTaskContext(runtime::Loop& loop, std::string task, std::string agent_type, FileMap initial)
    : files(std::move(initial)), loop_(loop), agent_(agent_type + "-01") {
  definition.name = "a workflow";
  definition.requirement = "it works";
  definition.sandbox.wall = Milliseconds(60'000);
  given.id = {WorkflowId("wf-00000000000000000000000000"), TaskId(task), 1, 1};
  given.task = TaskDefinition{.id = TaskId(std::move(task)), .agent = AgentType(std::move(agent_type))};
  given.base = given.workflow_base = files.base();
}

const TaskAssignment& FakeTaskContext::assignment() const {
  current_ = given;
  current_.workflow = std::make_shared<const WorkflowDefinition>(definition);
  return current_;
}

task<Result<LLMResponse>> FakeTaskContext::ask(LLMRequest request) {
  asked.push_back(std::move(request));
  if (answers.empty()) co_return fail(ErrorCode::unavailable, "no answer is scripted");
  auto answer = std::move(answers.front());
  answers.pop_front();
  co_return answer;
}

task<Result<CommandOutcome>> FakeTaskContext::run(CommandRequest request) {
  commands.push_back(request);
  auto outcome = runner ? co_await runner(std::move(request)) : co_await run_locally(std::move(request));
  co_return outcome;
}

task<Result<CommandOutcome>> FakeTaskContext::run_locally(CommandRequest request) {
  infrastructure::ProcessSpec spec;
  spec.argv = request.shell.empty() ? request.argv : std::vector<std::string>{"/bin/sh", "-c", request.shell};
  spec.environment = request.environment;
  spec.environment.try_emplace("PATH", variable("PATH"));
  spec.environment.try_emplace("HOME", variable("HOME"));
  spec.working_directory = files.root() / request.working_subdirectory;
  spec.output_bytes_max = definition.sandbox.output_bytes;
  spec.timeout = request.timeout.value_or(definition.sandbox.wall);
  spec.grace = Milliseconds(100);
  auto result = co_await infrastructure::run_process(loop_, std::move(spec));
  if (!result) co_return fail(result.error());
  CommandOutcome outcome;
  outcome.result.exit_code = result->exit_code;
  outcome.result.signal = result->signal;
  if (result->timed_out) outcome.result.exceeded = "wall";
  outcome.result.out = captured(result->out, result->out_bytes, {});
  outcome.result.err = captured(result->err, result->err_bytes, {});
  outcome.result.enforced_by = "none";
  for (const auto& [name, bytes] : {std::pair{std::string("stdout"), result->out}, std::pair{std::string("stderr"), result->err}}) {
    if (bytes.empty()) continue;
    auto kept = co_await keep(request.artifact_name + "." + name, "log", bytes);
    if (kept) outcome.artifacts.push_back(*kept);
  }
  for (const auto& path : request.collect)
    if (std::filesystem::is_regular_file(path)) outcome.collected[path] = read_file(path);
  co_return outcome;
}

task<Result<ArtifactRef>> FakeTaskContext::keep(std::string name, std::string type, std::string bytes) {
  ArtifactRecord record{
      .workflow = given.id.workflow, .task = given.id.task, .agent = agent_, .round = 1, .attempt = 1, .type = type, .name = name};
  auto kept = co_await store_.save(std::move(record), std::move(bytes));
  if (!kept) co_return fail(kept.error());
  saved.push_back({.name = std::move(name), .type = std::move(type), .digest = kept->digest, .size = kept->size});
  co_return saved.back();
}

task<Result<Value>> FakeTaskContext::record(RecordRequest request, PerformStep perform) {
  recorded.push_back(std::move(request));
  auto answer = co_await perform({given.id, std::to_string(recorded.size())});
  co_return answer;
}

task<Result<Workspace*>> FakeTaskContext::workspace() {
  co_return &files;
}

task<Result<ArtifactRef>> FakeTaskContext::save_artifact(std::string name, std::string type, std::string bytes) {
  auto kept = co_await keep(std::move(name), std::move(type), std::move(bytes));
  co_return kept;
}

Result<std::filesystem::path> FakeTaskContext::scratch_folder(std::string purpose) {
  const auto folder = scratch_.path() / (purpose + "-" + std::to_string(++folders_));
  std::filesystem::create_directory(folder);
  return folder;
}

std::string FakeTaskContext::artifact(const std::string& name) {
  for (const auto& reference : saved) {
    if (reference.name != name) continue;
    auto bytes = runtime::run_to_end(loop_, store_.get(reference.digest));
    return bytes.value_or("");
  }
  return "";
}

}  // namespace conductorai::testing
