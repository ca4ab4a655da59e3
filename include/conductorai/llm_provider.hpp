#pragma once
// BaseLLMProvider: any model behind one interface. Agents know no vendor.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/ids.hpp"
#include "conductorai/models.hpp"
#include "conductorai/result.hpp"
#include "conductorai/task.hpp"
#include "conductorai/value.hpp"

namespace conductorai {

enum class Role { system, user, assistant, tool };

struct ToolCall {
  std::string id;
  std::string name;
  Value arguments;
  friend bool operator==(const ToolCall&, const ToolCall&) = default;
};
struct ChatMessage {
  Role role = Role::user;
  std::string text;
  std::vector<ToolCall> tool_calls;  // of an assistant turn
  std::string tool_call_id;          // of a tool turn
  std::vector<Value> thinking;       // of an assistant turn that calls tools: LLMResponse::thinking, unread and unchanged
  friend bool operator==(const ChatMessage&, const ChatMessage&) = default;
};
struct ToolSpec {
  std::string name;
  std::string description;
  std::string parameters_schema;  // JSON Schema text
  friend bool operator==(const ToolSpec&, const ToolSpec&) = default;
};

/// Who asks, for matching scripted answers, naming steps and metering. Not sent to a vendor.
struct LLMCaller {
  AttemptId attempt;
  std::string agent_type;
  std::string ordinal;  // of the step: "3"; a follow-up of the same call is "3.1"
  friend bool operator==(const LLMCaller&, const LLMCaller&) = default;
};

struct LLMRequest {
  LLMCaller caller;
  std::string model;  // empty: the provider's configured one
  std::vector<ChatMessage> messages;
  std::vector<ToolSpec> tools;
  std::string answer_schema;  // JSON Schema text the answer must follow; empty: free text
  std::int64_t output_tokens_max = 16'384;
  double temperature = 0.0;
  std::function<void(std::string_view)> on_text;  // pieces of the answer's text as they arrive; a hint for watchers, never the answer
  std::string ticket;  // what `keep_ticket` kept for this very call before its process ended: the answer is looked for there, not bought
  /// Makes durable where the answer will be found, for a provider that answers late. Empty: nobody keeps it.
  std::function<task<Result<void>>(std::string ticket)> keep_ticket;
};

enum class FinishReason { stop, length, tool_calls, content_filter, refusal };
std::string_view to_string(FinishReason reason);

struct LLMResponse {
  std::string text;
  std::vector<ToolCall> tool_calls;
  std::map<std::string, std::optional<std::string>> files;  // whole files given as blocks; nullopt deletes
  FinishReason finish = FinishReason::stop;
  Usage usage;
  std::string model;
  std::string provider;
  std::string reasoning;                 // what the model says of its thinking; empty when it keeps it to itself
  std::vector<Value> thinking;           // its thinking as the provider wants it back with the results of tools, signed or encrypted
  std::string refusal;                   // its own words, where it gives them apart from the text
  std::int64_t cached_input_tokens = 0;  // of usage.input_tokens: read from the provider's prompt cache
  std::int64_t cache_write_tokens = 0;   // of usage.input_tokens: written to it
  std::int64_t reasoning_tokens = 0;     // of usage.output_tokens
  friend bool operator==(const LLMResponse&, const LLMResponse&) = default;
};

/// `where` of an error that says: the answer came and could not be recorded. It suspends the attempt, so that nothing is bought again.
inline constexpr std::string_view kUnrecordedAnswer = "steps ledger";

/// `where` of an error that says: the call goes on at the provider and its ticket is kept. Its step stays as it is, for who takes it up.
inline constexpr std::string_view kLeftWaiting = "waiting for its answer";

/// Errors: rate_limited and unavailable (retryable), invalid_answer, invalid_argument (4xx), permission_denied (keys), timeout, cancelled,
/// budget_exhausted (from the ledger decorator). Cancellation: the request is dropped; its cost is settled by the ledger as unknown.
class BaseLLMProvider {
 public:
  virtual ~BaseLLMProvider() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  virtual task<Result<LLMResponse>> chat(LLMRequest request) = 0;

  /// Seed names, as one-line conveniences over `chat`.
  task<Result<LLMResponse>> generate(LLMCaller caller, std::string prompt);
  task<Result<LLMResponse>> generate_with_system(LLMCaller caller, std::string system, std::string prompt);
};

}  // namespace conductorai
