#include "agents/tools/tool_loop.hpp"

#include <algorithm>
#include <set>

#include "agents/base/model_window.hpp"
#include "agents/base/with.hpp"
#include "agents/tools/conversation.hpp"
#include "agents/tools/prompts.hpp"
#include "agents/tools/tool_calls.hpp"
#include "base/human.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kCallsPerTurn = 64;
constexpr std::size_t kResultBytesMax = std::size_t{24} << 10;
constexpr std::size_t kResultBytesMin = 512;
constexpr std::size_t kTranscriptLineBytes = 300;
constexpr int kTurnsWarned = 3;

std::vector<ToolSpec> specs_of(const ToolAccess& access) {
  std::vector<ToolSpec> specs;
  for (const std::string_view name : access.tools)
    if (const Tool* tool = find_tool(name); tool != nullptr)
      specs.push_back(
          {.name = std::string(tool->name), .description = std::string(tool->description), .parameters_schema = schema_of(*tool)});
  return specs;
}

std::size_t conversation_bytes(const LlmDefinition& llm, const std::vector<ToolSpec>& specs, std::size_t schema_bytes) {
  const std::size_t all = request_bytes_max(llm);
  std::size_t fixed = schema_bytes;
  for (const ToolSpec& spec : specs) fixed += spec.name.size() + spec.description.size() + spec.parameters_schema.size();
  return all > fixed ? all - fixed : 0;
}

// Results find their calls by these; services that speak the protocols loosely leave them out or give one twice.
void settle_ids(LLMResponse& answer, int turn) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < answer.tool_calls.size(); ++i) {
    std::string& id = answer.tool_calls[i].id;
    if (id.empty() || !seen.insert(id).second) id = "call-" + std::to_string(turn) + "-" + std::to_string(i + 1);
    seen.insert(id);
  }
}

std::string turns_note(int left) {
  if (left > kTurnsWarned) return {};
  if (left == 0) return "No further tool calls are possible: give your answer now.\n";
  return "After this, " + count_text(static_cast<std::size_t>(left), "turn") + " of tool calls are left.\n";
}

class ToolLoop {
 public:
  ToolLoop(TaskContext& context, Workspace& workspace, Ask ask, ToolAccess access)
      : context_(context),
        workspace_(workspace),
        access_(std::move(access)),
        specs_(specs_of(access_)),
        schema_(std::move(ask.answer_schema)),
        bytes_max_(conversation_bytes(llm(), specs_, schema_.size())),
        conversation_(std::move(ask.system), std::move(ask.user), bytes_max_) {}

  task<Result<LLMResponse>> run() {
    for (int turn = 1;; ++turn) {
      if (!conversation_.fit()) co_return too_long();
      auto answer = co_await context_.ask(request());
      if (!answer) co_return answer;
      if (answer->tool_calls.empty() || answer->finish == FinishReason::length || answer->finish == FinishReason::content_filter ||
          answer->finish == FinishReason::refusal) {
        if (answer->finish == FinishReason::tool_calls)
          co_return fail(ErrorCode::invalid_answer, "the answer says that it calls tools and names none");
        if (auto finished = check_finished(*answer); !finished) co_return fail(finished.error());
        co_return answer;
      }
      if (turn > turns_max()) co_return too_many_turns();
      auto performed = co_await perform(std::move(*answer), turn);
      if (!performed) co_return fail(performed.error());
    }
  }

  [[nodiscard]] const std::string& transcript() const { return transcript_; }

 private:
  [[nodiscard]] const LlmDefinition& llm() const { return context_.assignment().workflow->llm; }

  [[nodiscard]] int turns_max() const { return llm().tool_turns.value_or(LlmDefinition::kToolTurns); }
  [[nodiscard]] int repeats_max() const { return llm().tool_repeats.value_or(LlmDefinition::kToolRepeats); }

  [[nodiscard]] LLMRequest request() const {
    LLMRequest request;
    request.model = llm().model;
    request.messages = conversation_.messages();
    request.tools = specs_;
    request.answer_schema = schema_;
    request.output_tokens_max = output_tokens(llm());
    return request;
  }

  task<Result<void>> perform(LLMResponse answer, int turn) {
    settle_ids(answer, turn);
    conversation_.add_turn(answer);
    const std::size_t share = bytes_max_ / 4 / std::min(answer.tool_calls.size(), kCallsPerTurn);
    const std::size_t shown = std::clamp(share, kResultBytesMin, kResultBytesMax);
    for (std::size_t i = 0; i < answer.tool_calls.size(); ++i) {
      const ToolCall& call = answer.tool_calls[i];
      std::string result = "Too many calls in one turn; this one was not performed.\n";
      if (i < kCallsPerTurn) {
        auto performed = co_await perform_one(call, shown);
        if (!performed) co_return fail(performed.error());
        result = std::move(*performed);
      }
      if (i + 1 == answer.tool_calls.size()) result += turns_note(turns_max() - turn);
      conversation_.add_result(call.id, std::move(result));
    }
    co_return Result<void>{};
  }

  task<Result<std::string>> perform_one(ToolCall call, std::size_t shown) {
    ToolSetting setting{
        .context = &context_, .workspace = &workspace_, .access = &access_, .call_name = "tool-" + std::to_string(++calls_)};
    const std::string line = call_line(call, kTranscriptLineBytes);
    auto result = co_await perform_call(std::move(setting), call, shown);
    if (!result) co_return result;
    const bool failed = result->substr(0, result->find('\n')).find(" failed=\"true\"") != std::string::npos;
    transcript_ += std::to_string(calls_) + ". " + line + (failed ? " → refused\n" : " → " + std::to_string(result->size()) + " bytes\n");
    const int repeats = repeats_.note(call, *result);
    if (repeats >= repeats_max())
      co_return fail(ErrorCode::invalid_answer, "the model is stuck: " + std::to_string(repeats) +
                                                    " times the same call with the same result (" + call_line(call, 100) + ")");
    if (repeats + 1 == repeats_max())
      *result += "This call gave this result before, and nothing new came since. Do something else, or answer.\n";
    co_return result;
  }

  [[nodiscard]] std::unexpected<Error> too_many_turns() const {
    return fail(ErrorCode::invalid_answer, "the model did not finish within " + std::to_string(turns_max()) + " turns of tool calls", {},
                "raise llm.tool-turns, or make the task smaller");
  }
  [[nodiscard]] std::unexpected<Error> too_long() const {
    return fail(ErrorCode::invalid_answer,
                "the conversation has " + std::to_string(conversation_.bytes()) + " bytes and no longer fits the model's " +
                    std::to_string(context_tokens(llm())) + " tokens",
                {}, "raise llm.context-tokens if the model can take in more, or make the task smaller");
  }

  TaskContext& context_;
  Workspace& workspace_;
  ToolAccess access_;
  std::vector<ToolSpec> specs_;
  std::string schema_;
  std::size_t bytes_max_;
  Conversation conversation_;
  RepeatGuard repeats_;
  std::string transcript_;
  int calls_ = 0;
};

}  // namespace

bool offers_tools(const TaskAssignment& assignment) {
  return flag_of(assignment.task->with, "tools", assignment.workflow->llm.tools == ToolUse::on);
}

task<Result<LLMResponse>> ask_working(TaskContext& context, Ask ask, ToolAccess access) {
  if (!offers_tools(context.assignment())) {
    auto once = co_await ask_recorded(context, std::move(ask.system), std::move(ask.user), std::move(ask.answer_schema));
    co_return once;
  }
  auto workspace = co_await context.workspace();
  if (!workspace) co_return fail(workspace.error());
  ask.system += tools_prompt();
  auto kept = co_await context.save_artifact("prompt.md", "prompt", ask.system + "\n---\n\n" + ask.user);
  if (!kept) co_return fail(kept.error());
  ToolLoop loop(context, **workspace, std::move(ask), std::move(access));
  auto answer = co_await loop.run();
  if (loop.transcript().empty() || (!answer && answer.error().code == ErrorCode::cancelled)) co_return answer;
  auto transcript = co_await context.save_artifact("tools.txt", "transcript", loop.transcript());
  if (answer && !transcript) co_return fail(transcript.error());
  co_return answer;
}

task<Result<AnswerFiles>> written_files(Workspace& workspace) {
  auto changes = co_await workspace.changes();
  if (!changes) co_return fail(changes.error());
  AnswerFiles files;
  for (const auto& [path, kind] : *changes) {
    if (kind == 'D') {
      files[path] = std::nullopt;
      continue;
    }
    auto content = co_await workspace.read(path);
    if (!content && content.error().code == ErrorCode::cancelled) co_return fail(content.error());
    if (content) files[path] = std::move(*content);
  }
  co_return files;
}

FilesBlockLimits files_shown(const TaskAssignment& assignment) {
  const LlmDefinition& llm = assignment.workflow->llm;
  FilesBlockLimits limits = files_that_fit(llm);
  if (!offers_tools(assignment)) return limits;
  const std::size_t window = request_bytes_max(llm);
  limits.all_bytes = std::min(std::size_t{64} << 10, window / 8);
  limits.file_bytes = std::min(std::size_t{16} << 10, limits.all_bytes / 2);
  return limits;
}

WithKey tools_key() {
  return {.name = "tools",
          .type = WithKey::Type::boolean,
          .required = false,
          .description = "whether the model works by tools; what llm.tools says where left out",
          .allowed = {}};
}

}  // namespace conductorai::agents
