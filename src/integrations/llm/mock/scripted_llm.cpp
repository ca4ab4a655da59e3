#include "integrations/llm/mock/scripted_llm.hpp"

#include <algorithm>
#include <charconv>

#include "base/pattern.hpp"
#include "core/json.hpp"
#include "core/ordinal.hpp"

namespace conductorai::integrations {
namespace {

constexpr std::string_view kFileCall = "mock-file-";  // ids of the tool calls that `files` became

std::int64_t tokens(std::size_t bytes) {
  return static_cast<std::int64_t>((bytes + 3) / 4);
}

std::string whole_prompt(const LLMRequest& request) {
  std::string all;
  for (const ChatMessage& message : request.messages) all += message.text + "\n";
  return all;
}

bool offers(const LLMRequest& request, std::string_view tool) {
  return std::ranges::any_of(request.tools, [&](const ToolSpec& spec) { return spec.name == tool; });
}

bool answers_file_calls(const LLMRequest& request) {
  return !request.messages.empty() && request.messages.back().role == Role::tool &&
         request.messages.back().tool_call_id.starts_with(kFileCall);
}

Error status_error(const ScriptedError& scripted) {
  Error error{.code = ErrorCode::invalid_argument,
              .message = "the provider answered with status " + std::to_string(scripted.status) + " (scripted)"};
  if (scripted.status == 429)
    error.code = ErrorCode::rate_limited;
  else if (scripted.status >= 500 || scripted.status == 408)
    error.code = ErrorCode::unavailable;
  else if (scripted.status == 401 || scripted.status == 403)
    error.code = ErrorCode::permission_denied;
  if (error.code == ErrorCode::rate_limited || error.code == ErrorCode::unavailable) error.retry = Retry::backoff;
  return error;
}

Error scripted_error(const ScriptedError& scripted) {
  Error error = status_error(scripted);
  switch (scripted.kind) {
    case ScriptedFailure::timeout:
      error = {.code = ErrorCode::timeout, .message = "the provider did not answer in time (scripted)", .retry = Retry::backoff};
      break;
    case ScriptedFailure::cut_stream:
      error = {.code = ErrorCode::invalid_answer,
               .message = "the answer's stream ended without its closing event (scripted)",
               .retry = Retry::backoff};
      break;
    case ScriptedFailure::malformed:
      error = {.code = ErrorCode::invalid_answer, .message = "the provider's answer does not parse (scripted)"};
      break;
    case ScriptedFailure::status:
    case ScriptedFailure::refusal: break;
  }
  if (scripted.retry_after && error.retry != Retry::never) {
    error.retry = Retry::after;
    error.retry_after = *scripted.retry_after;
  }
  return error;
}

// `files` for an agent that writes by tools: one turn of calls.
void files_as_calls(const LLMRequest& request, const ScriptReply& reply, LLMResponse& response) {
  for (const auto& [path, content] : reply.files) {
    ToolCall call{.id = std::string(kFileCall) + std::to_string(response.tool_calls.size() + 1), .name = "write_file", .arguments = {}};
    Object arguments{{"path", path}};
    if (content)
      arguments["content"] = *content;
    else if (offers(request, "delete_file"))
      call.name = "delete_file";
    else
      arguments["content"] = nullptr;
    call.arguments = std::move(arguments);
    response.tool_calls.push_back(std::move(call));
  }
}

LLMResponse respond(const LLMRequest& request, const ScriptReply& reply, const std::string& rule) {
  LLMResponse response;
  response.text = reply.json ? core::to_json(*reply.json) : reply.text;
  if (reply.error) {
    response.finish = FinishReason::refusal;
    if (response.text.empty()) response.text = "I cannot help with that.";
  } else if (!reply.tool_calls.empty()) {
    for (const ScriptedToolCall& call : reply.tool_calls)
      response.tool_calls.push_back({"mock-" + rule + "-" + std::to_string(response.tool_calls.size() + 1), call.name, call.arguments});
  } else if (offers(request, "write_file")) {
    files_as_calls(request, reply, response);
  } else {
    response.files = reply.files;
  }
  if (!response.tool_calls.empty()) response.finish = FinishReason::tool_calls;
  return response;
}

void meter(const LLMRequest& request, LLMResponse& response) {
  std::size_t out = response.text.size();
  for (const auto& [path, content] : response.files) out += path.size() + content.value_or("").size();
  for (const ToolCall& call : response.tool_calls) out += call.name.size() + core::to_json(call.arguments).size();
  response.usage = {.calls = 1, .input_tokens = tokens(whole_prompt(request).size()), .output_tokens = tokens(out)};
  response.model = request.model.empty() ? "scripted" : request.model;
  response.provider = "mock";
}

}  // namespace

int ScriptedLLM::rule_of(const std::string& note) {
  int rule = kOwnAnswer;
  std::from_chars(note.data(), note.data() + note.size(), rule);
  return rule;
}

ScriptedLLM::ScriptedLLM(Clock& clock, Script script, const std::vector<StepRecord>& recorded) : clock_(clock), script_(std::move(script)) {
  for (const StepRecord& record : recorded) {
    if (record.kind != "llm" || record.set_aside) continue;
    for (const std::string& note : notes_of(record)) tries_[record.id].rules.push_back(rule_of(note));
  }
}

int ScriptedLLM::uses(int rule) const {
  std::ptrdiff_t count = 0;
  for (const auto& [step, tries] : tries_) count += std::ranges::count(tries.rules, rule) + (tries.pending == rule ? 1 : 0);
  return static_cast<int>(count);
}

int ScriptedLLM::calls(const AttemptId& attempt) const {
  std::size_t count = 0;
  for (auto it = tries_.lower_bound({attempt, {}}); it != tries_.end() && it->first.attempt == attempt; ++it)
    count += it->second.rules.size() + (it->second.pending ? 1 : 0);
  return static_cast<int>(count);
}

Result<int> ScriptedLLM::choose(const LLMRequest& request) const {
  const LLMCaller& caller = request.caller;
  const int call = calls(caller.attempt) + 1;
  for (int i = 0; i < static_cast<int>(script_.size()); ++i) {
    const ScriptRule& rule = script_[static_cast<std::size_t>(i)];
    const ScriptMatch& match = rule.match;
    if (match.agent && *match.agent != caller.agent_type) continue;
    if (match.task && *match.task != caller.attempt.task.str()) continue;
    if (match.round && *match.round != caller.attempt.round) continue;
    if (match.attempt && *match.attempt != caller.attempt.attempt) continue;
    if (match.call && *match.call != call) continue;
    if (match.model && *match.model != request.model) continue;
    if (rule.times && uses(i) >= *rule.times) continue;
    if (match.prompt) {
      auto found = pattern_found(*match.prompt, whole_prompt(request));
      if (!found) {
        found.error().where = rule.where;
        return fail(found.error());
      }
      if (!*found) continue;
    }
    return i;
  }
  return fail(ErrorCode::invalid_argument,
              "no rule of the script answers: agent " + caller.agent_type + ", task " + caller.attempt.task.str() + ", round " +
                  std::to_string(caller.attempt.round) + ", attempt " + std::to_string(caller.attempt.attempt) + ", call " +
                  std::to_string(call),
              {}, "add a rule for it, or raise `times` of one that matches");
}

task<Result<LLMResponse>> ScriptedLLM::chat(LLMRequest request) {
  const StepId step{request.caller.attempt, request.caller.ordinal};
  const bool own = answers_file_calls(request);
  auto rule = own ? Result<int>(kOwnAnswer) : choose(request);
  tries_[step].pending = rule.value_or(kOwnAnswer);
  if (!rule) co_return fail(rule.error());
  auto answered = co_await answer(std::move(request), *rule);
  if (!answered && answered.error().code == ErrorCode::cancelled) tries_[step].pending.reset();
  co_return answered;
}

task<Result<LLMResponse>> ScriptedLLM::answer(LLMRequest request, int index) {
  if (index == kOwnAnswer) {
    LLMResponse done{.text = "All files are written."};
    meter(request, done);
    co_return done;
  }
  const ScriptRule& rule = script_[static_cast<std::size_t>(index)];
  if (rule.delay.count() > 0) {
    auto slept = co_await sleep_for(clock_, rule.delay);
    if (!slept) co_return fail(slept.error());
  }
  if (rule.reply.error && rule.reply.error->kind != ScriptedFailure::refusal) co_return fail(scripted_error(*rule.reply.error));
  if (!rule.reply.tool_calls.empty() && request.tools.empty())
    co_return fail(ErrorCode::invalid_answer,
                   "the script answers with tool calls, but agent " + request.caller.agent_type + " offered no tools", rule.where);
  LLMResponse response = respond(request, rule.reply, std::to_string(index));
  meter(request, response);
  co_return response;
}

std::string ScriptedLLM::take_note(const StepId& step) {
  auto it = tries_.find(step);
  if (it == tries_.end() || !it->second.pending) return {};
  const int rule = *std::exchange(it->second.pending, std::nullopt);
  it->second.rules.push_back(rule);
  return std::to_string(rule);
}

void ScriptedLLM::stand(const StepId& step, const std::vector<std::string>& notes) {
  const auto it = tries_.find(step);
  if (it == tries_.end() || it->second.rules.size() == notes.size()) return;
  std::erase_if(tries_, [&](const auto& entry) {
    return entry.first.attempt == step.attempt && !core::ordinal_before(entry.first.ordinal, step.ordinal);
  });
  for (const std::string& note : notes) tries_[step].rules.push_back(rule_of(note));
}

}  // namespace conductorai::integrations
