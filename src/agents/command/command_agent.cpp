#include "agents/command/command_agent.hpp"

#include "agents/base/with.hpp"
#include "base/human.hpp"
#include "core/json.hpp"
#include "evidence/findings.hpp"
#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

constexpr std::int64_t kOutputsBytesMax = std::int64_t{1} << 20;
constexpr std::size_t kOutputsMax = 1'000;

AgentDescription describe() {
  using Type = WithKey::Type;
  return {
      .type = AgentType("command"),
      .phase = Phase::development,
      .uses_llm = false,
      .changes_files = true,
      .summary = "runs a shell command in the sandbox; its exit code is the verdict",
      .with = {{.name = "run", .type = Type::text, .required = true, .description = "the command, for /bin/sh", .allowed = {}},
               {.name = "env", .type = Type::object, .required = false, .description = "values it gets in its environment", .allowed = {}},
               {.name = "commit",
                .type = Type::boolean,
                .required = false,
                .description = "keep what it changes as a commit; left out: its changes are dropped",
                .allowed = {}}},
      .answer_schema = {},
      .acts = [](const WorkflowDefinition& workflow, const Object& with) {
        return std::vector<PolicyContext>{RunCommand{&workflow, text_of(with, "run")}};
      }};
}

bool is_name(std::string_view key) {
  if (key.empty() || std::isdigit(static_cast<unsigned char>(key.front())) != 0) return false;
  for (const char c : key)
    if (!evidence::is_word(c) && c != '-') return false;
  return true;
}

struct Written {
  Object outputs;
  int unusable = 0;  // lines that are no k=v
};

Written parse_outputs(std::string_view text) {
  Written written;
  for (const std::string_view line : evidence::lines_of(text)) {
    if (evidence::trimmed(line).empty()) continue;
    const auto equals = line.find('=');
    const std::string_view key = evidence::trimmed(line.substr(0, equals));
    if (equals == std::string_view::npos || !is_name(key) || written.outputs.size() >= kOutputsMax)
      ++written.unusable;
    else
      written.outputs[std::string(key)] = std::string(line.substr(equals + 1));
  }
  return written;
}

// The end of what was printed, from a character's start.
std::string last_part(std::string_view printed) {
  constexpr std::size_t kBytes = 2'000;
  std::string_view tail = evidence::trimmed(printed);
  if (tail.size() > kBytes) tail.remove_prefix(tail.size() - kBytes);
  while (!tail.empty() && (static_cast<unsigned char>(tail.front()) & 0xC0) == 0x80) tail.remove_prefix(1);
  return std::string(tail);
}

class CommandAgent final : public BaseAgent {
 public:
  CommandAgent(AgentId id, int capacity, EnforcePolicy enforce) : BaseAgent(std::move(id), capacity), enforce_(std::move(enforce)) {}
  [[nodiscard]] const AgentDescription& description() const override {
    static const AgentDescription description = describe();
    return description;
  }

 protected:
  [[nodiscard]] bool commits(const TaskAssignment& assignment) const override { return flag_of(assignment.task->with, "commit", false); }

  task<Result<void>> before(TaskContext& context) override {
    const TaskAssignment& assignment = context.assignment();
    co_return enforce_all(enforce_, description().acts(*assignment.workflow, assignment.task->with));
  }

  task<Result<Outcome>> execute(TaskContext& context) override {
    const Object& with = context.assignment().task->with;
    auto folder = context.scratch_folder("output");
    if (!folder) co_return fail(folder.error());
    const std::string outputs = (*folder / "outputs").string();
    CommandRequest request;
    request.shell = text_of(with, "run");
    request.environment = texts_of(with, "env");
    request.environment["CONDUCTORAI_OUTPUT"] = outputs;
    request.mounts = {{.host = *folder, .inside = *folder, .writable = true}};  // the same path inside: it holds without a sandbox too
    request.collect = {outputs};
    request.collect_bytes_max = kOutputsBytesMax;
    request.artifact_name = "command";
    request.label = "running " + evidence::shortened(request.shell, 60);
    auto ran = co_await context.run(std::move(request));
    if (!ran) co_return fail(ran.error());
    auto outcome = co_await judge(context, std::move(*ran), outputs);
    co_return outcome;
  }

 private:
  // The exit code and nothing else: what the command prints has no say.
  static task<Result<Outcome>> judge(TaskContext& context, CommandOutcome ran, std::string outputs_file) {
    const CommandResult& result = ran.result;
    Outcome outcome;
    outcome.verdict = result.ok() ? Verdict::passed : Verdict::failed;
    outcome.summary = result.describe();
    if (auto written = ran.collected.find(outputs_file); written != ran.collected.end()) {
      Written parsed = parse_outputs(written->second);
      outcome.outputs = std::move(parsed.outputs);
      if (parsed.unusable > 0)
        outcome.summary += "; " + count_text(static_cast<std::size_t>(parsed.unusable), "line") + " of $CONDUCTORAI_OUTPUT without k=v";
    }
    auto kept = co_await context.save_artifact("command.json", "report", facts(text_of(context.assignment().task->with, "run"), result));
    if (!kept) co_return fail(kept.error());
    outcome.evidence.push_back({.kind = "exit_code",
                                .summary = result.describe(),
                                .value = result.signal == 0 ? result.exit_code : 128 + result.signal,
                                .passed = {},
                                .failed = {},
                                .skipped = {},
                                .artifact = kept->digest});
    if (outcome.verdict == Verdict::passed) co_return outcome;
    auto feedback = co_await explain(context, ran);
    if (!feedback) co_return fail(feedback.error());
    outcome.feedback = std::move(*feedback);
    co_return outcome;
  }

  static std::string facts(const std::string& run, const CommandResult& result) {
    Object object{{"run", run},
                  {"exit_code", result.exit_code},
                  {"signal", result.signal},
                  {"outcome", result.describe()},
                  {"enforced_by", result.enforced_by}};
    return core::to_json(std::move(object));
  }

  static task<Result<FeedbackPayload>> explain(TaskContext& context, CommandOutcome ran) {
    auto workspace = co_await context.workspace();
    if (!workspace) co_return fail(workspace.error());
    auto files = co_await (*workspace)->list_files();
    const std::string printed = ran.result.out.text() + "\n" + ran.result.err.text();
    FeedbackPayload feedback;
    feedback.summary = "`" + evidence::shortened(text_of(context.assignment().task->with, "run"), 80) + "`: " + ran.result.describe();
    feedback.findings = evidence::findings_in_output(printed, files.value_or(std::vector<std::string>{}));
    if (feedback.findings.empty()) {
      const std::string tail = last_part(printed);
      feedback.findings.push_back({.severity = Severity::error,
                                   .file = {},
                                   .line = 0,
                                   .message = ran.result.describe() + (tail.empty() ? "" : ": " + tail),
                                   .source = "command"});
    }
    co_return feedback;
  }

  EnforcePolicy enforce_;
};

}  // namespace

std::unique_ptr<BaseAgent> make_command_agent(AgentId id, int capacity, EnforcePolicy enforce) {
  return std::make_unique<CommandAgent>(std::move(id), capacity, std::move(enforce));
}

}  // namespace conductorai::agents
