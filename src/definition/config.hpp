#pragma once
// Configuration (docs/formats/config.md): flags > environment > workflow file > project file > user file > defaults; for limits the
// stricter of all that are given.

#include <cstdint>
#include <expected>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/definition.hpp"
#include "conductorai/result.hpp"
#include "conductorai/state_manager.hpp"
#include "conductorai/time.hpp"

namespace conductorai::definition {

/// A secret as configured; its value is read by `reveal`, and never printed.
struct Secret {
  enum class Kind { none, value, file, command, environment } kind = Kind::none;
  std::string text;  // the value, the path, the command line, or the variable's name
  [[nodiscard]] bool empty() const { return kind == Kind::none; }
  friend bool operator==(const Secret&, const Secret&) = default;
};

struct LlmConfig {
  std::string provider, model;                      // as WorkflowDefinition's
  std::string recorded;                             // the provider of a weaker source, where the strongest says record:FILE
  std::string base_url;                             // empty: the provider's own
  std::string openai_base_url, anthropic_base_url;  // of one provider, in place of base_url
  std::string api = "chat";                         // of openai: chat or responses
  bool stream = true;                               // answers come in pieces
  std::string organisation;                         // of openai
  std::map<std::string, std::string> headers;
  std::string proxy, ca_file, prices;
  Secret openai_key, anthropic_key;
  std::optional<int> retries;
  std::optional<ToolUse> tools;
  std::optional<std::int64_t> context_tokens;
  Milliseconds timeout{120'000};  // of one call
  Milliseconds connect_timeout{10'000};
  Milliseconds first_byte_timeout{60'000};
  Milliseconds idle_timeout{60'000};
  int connections = 1'000;               // to one service at once
  std::int64_t requests_per_minute = 0;  // of this process to each provider; 0: only what the provider itself says
  std::int64_t tokens_per_minute = 0;
  int breaker_failures = 5;  // of one model in a row: it is not asked for breaker_open
  Milliseconds breaker_open{30'000};
  Milliseconds cache_ttl{0};  // 0: no answer is given twice
  std::int64_t cache_size = std::int64_t{256} << 20;
  std::optional<bool> batch;
  Milliseconds batch_window{1'000};
  int batch_size = 10'000;
  Milliseconds batch_poll{10'000}, batch_poll_max{120'000};
  Milliseconds batch_timeout{86'400'000};
};
struct RedisConfig {
  std::string url;
  int pool = 8;
};
struct S3Config {
  std::string endpoint, region, bucket, prefix;
  Secret access_key, secret_key, session_token;
};
struct RuntimeConfig {
  std::string log_level = "warn";
  std::string state = "sqlite";
  std::string artifacts = "files";
  Milliseconds shutdown_timeout{10'000};     // for running attempts to end
  std::optional<Milliseconds> task_timeout;  // of an attempt; the stricter wins
  Milliseconds cleanup_timeout{300'000};     // of the tasks that run after a cancel, together
  int max_concurrent_tasks = 0;              // of the process; 0: no limit of its own
  int agents_per_type = 2;
  std::map<std::string, int> agents;  // of one type, in place of agents_per_type
  int agent_capacity = 4;
  std::int64_t dependency_cache = std::int64_t{4} << 30;  // fetched dependencies kept for later attempts; 0: none
  int breaker_failures = 5;                               // of an agent in a row open its breaker
  Milliseconds breaker_open{30'000};                      // before it is tried again
  Milliseconds breaker_wait{300'000};                     // of a task for agents whose breakers are all open: then a dead letter
};

/// Of every workflow, and of all workflows of the project together in one day (UTC).
struct BudgetConfig : BudgetDefinition {
  BudgetDefinition per_day;
};

struct Config {
  LlmConfig llm;
  RedisConfig redis;
  S3Config s3;
  RuntimeConfig runtime;
  BudgetConfig budget;
  RetentionRule retention;                     // applied after each run and by `prune`
  std::map<std::string, std::string> sources;  // "llm.model" -> "conductorai.yaml:3:10", "CONDUCTORAI_LLM__MODEL", "--model", "default"
};

struct ConfigRequest {
  std::filesystem::path project_root = ".";
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> flags;   // by key path: {"llm.model", "…"}, {"runtime.log-level", "…"}
  std::optional<std::filesystem::path> file;  // --config FILE in place of the project file: it must exist
};

/// Errors: invalid_argument (`where` is FILE:line:column, the variable or the flag), permission_denied. A file that is not there is none.
std::expected<Config, std::vector<Error>> load_config(const ConfigRequest& request);

/// `record:FILE` with whom it records, who would answer without it: the first of `others` that is a provider.
std::string with_recorded(const std::string& provider, std::initializer_list<std::string> others);

/// Lays the configuration under a workflow: fills in what it leaves open (model, provider, retries), and keeps the stricter of each limit.
/// What flags and environment say of provider and model wins over the workflow file.
void apply_config(const Config& config, WorkflowDefinition& definition);

/// The secret itself: the value, the file's first line, or the command's output. Errors: not_found, permission_denied, invalid_argument.
Result<std::string> reveal(const Secret& secret);

/// Those that can be read without running a command: a command is run when its secret is needed, and may ask a person. Values of headers
/// that let one in are secrets, too.
std::vector<std::string> readable_secrets(const Config& config);

/// Every key with value and origin, one a line; secrets as "(set)".
std::string show_config(const Config& config);
struct ShownSetting {
  std::string key, value, origin;  // as show_config shows them; an empty value is none
};
std::vector<ShownSetting> shown_settings(const Config& config);
/// The commented conductorai.yaml of `config init`; loads as it stands and changes nothing.
std::string config_template();
/// JSON Schema, draft 7, of conductorai.yaml.
std::string config_schema();

/// The user's own file: $XDG_CONFIG_HOME/conductorai/config.yaml, else ~/.config/…; empty without a home.
std::filesystem::path user_config_path(const std::map<std::string, std::string>& environment);

}  // namespace conductorai::definition
