#include "definition/config_sections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/lower.hpp"
#include "definition/sections.hpp"

namespace conductorai::definition {

using namespace core::document;
using Kind = Node::Kind;

namespace {

constexpr std::int64_t kPaceMax = 1'000'000'000'000;

Type<std::string> line(std::string expected) {
  return text({.may_be_empty = false, .bytes_max = 4'096, .one_line = true, .expected = std::move(expected)});
}

/// What no message may show.
Type<std::string> hidden_line(std::string expected) {
  return text({.may_be_empty = false, .bytes_max = 4'096, .one_line = true, .expected = std::move(expected), .shown = false});
}

/// It may hold a user and password, or a key in its query.
Type<std::string> service_url() {
  return text({.bytes_max = 1'000,
               .one_line = true,
               .pattern = "https?://[^/?#\\s]+\\S*",
               .expected = "a URL like https://llm.example.org/v1",
               .shown = false});
}

/// Its user and password are for the proxy alone.
Type<std::string> proxy_url() {
  return text({.bytes_max = 1'000,
               .one_line = true,
               .pattern = "((https?|socks4a?|socks5h?)://)?([^@/?#\\\\\\s]*@)?([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])"
                          "(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?/?",
               .expected = "a URL like http://user:password@proxy.example.org:3128, other characters of a password as %23",
               .shown = false});
}

/// A file's last line has an end, and what a shell puts into a variable often too.
void cut_line_end(Node& node) {
  while (node.is(Kind::text) && (node.text.ends_with('\n') || node.text.ends_with('\r'))) node.text.pop_back();
}

/// Those that frame a request are the client's.
Type<std::map<std::string, std::string>> headers() {
  auto type = dictionary(hidden_line("a header's value in quotes, in one line"));
  type.read = [read = type.read](const Node& node, std::map<std::string, std::string>& out, Problems& problems) {
    bool sound = read(node, out, problems);
    for (const Member& member : node.members) {
      constexpr std::array<std::string_view, 6> kFraming{"host", "content-length", "transfer-encoding", "connection", "expect", "upgrade"};
      if (std::ranges::find(kFraming, lower(member.key)) == kFraming.end()) continue;
      problems.add(member.value.at, "the header " + member.key + " is made for each request and cannot be set");
      sound = false;
    }
    return sound;
  };
  return type;
}

struct SecretParts {
  std::optional<std::string> value, file, command, env;
};

/// `key: sk-…`, or `key: { file: … }`, `{ command: … }`, `{ env: … }`
Type<Secret> secret() {
  static const auto parts = Section<SecretParts>("a secret, given in one way")
                                .key("value", &SecretParts::value, hidden_line("the secret in one line"), "the secret itself")
                                .key("file", &SecretParts::file, line("a path"), "a file whose first line is the secret")
                                .key("command", &SecretParts::command, line("a command"), "a command that prints the secret")
                                .key("env", &SecretParts::env, line("a variable"), "an environment variable that holds the secret");
  const auto plain = convert<Secret, std::string>(hidden_line("the secret in one line"),
                                                  [](std::string value) { return Secret{Secret::Kind::value, std::move(value)}; });
  const auto described = convert<Secret, SecretParts>(parts.type(), [](SecretParts from) {
    if (from.file) return Secret{Secret::Kind::file, *from.file};
    if (from.command) return Secret{Secret::Kind::command, *from.command};
    if (from.env) return Secret{Secret::Kind::environment, *from.env};
    return from.value ? Secret{Secret::Kind::value, *from.value} : Secret{};
  });
  Type<Secret> type =
      either<Secret>("a secret, or a mapping with one of value, file, command, env", {{Kind::text, plain}, {Kind::map, described}});
  type.read = [read = type.read](const Node& node, Secret& out, Problems& problems) {
    // The message must not show what may be a secret that was only written without quotes.
    if (!node.is(Kind::text) && !node.is(Kind::map))
      return problems.add(node.at, "expected a secret as a text in quotes, or a mapping with one of value, file, command, env"), false;
    constexpr std::array<std::string_view, 4> kWays{"value", "file", "command", "env"};
    if (node.is(Kind::map) && (node.members.size() != 1 || std::ranges::find(kWays, node.members.front().key) == kWays.end()))
      return problems.add(node.at, "expected exactly one of value, file, command, env"), false;
    const Node* value = node.is(Kind::map) ? node.find("value") : nullptr;
    if (value != nullptr && !value->is(Kind::text)) return problems.add(value->at, "expected the secret as a text in quotes"), false;
    Node given = node;
    cut_line_end(given.is(Kind::map) ? given.members.front().value : given);
    return read(given, out, problems);
  };
  return type;
}

const Section<LlmConfig>& llm_section() {
  static const auto api = text({.allowed = {"chat", "responses"}});
  static const auto section =
      Section<LlmConfig>("models")
          .key("provider", &LlmConfig::provider, provider_name(), "of workflows that name none")
          .key("model", &LlmConfig::model, line("the name of a model"), "of workflows that name none")
          .key("base-url", &LlmConfig::base_url, service_url(), "of the provider's service")
          .key("openai-base-url", &LlmConfig::openai_base_url, service_url(), "of openai, in place of base-url")
          .key("anthropic-base-url", &LlmConfig::anthropic_base_url, service_url(), "of anthropic, likewise")
          .key("api", &LlmConfig::api, api, "of openai: chat or responses")
          .key("stream", &LlmConfig::stream, boolean(), "whether answers are asked for in pieces")
          .key("organisation", &LlmConfig::organisation, line("a name"), "of openai, whose account pays")
          .key("headers", &LlmConfig::headers, headers(), "sent with each request")
          .key("proxy", &LlmConfig::proxy, proxy_url(), "instead of the usual variables'")
          .key("ca-file", &LlmConfig::ca_file, line("a path"), "certificates that are trusted")
          .key("prices", &LlmConfig::prices, line("a path"), "prices of models that come before the built-in ones")
          .key("openai-key", &LlmConfig::openai_key, secret(), "also OPENAI_API_KEY")
          .key("anthropic-key", &LlmConfig::anthropic_key, secret(), "also ANTHROPIC_API_KEY")
          .key("tools", &LlmConfig::tools, tool_use(), "of workflows that do not say: auto, off or on")
          .key("context-tokens", &LlmConfig::context_tokens, integer<std::int64_t>(4'096, 100'000'000),
               "what the model can take in, its answer counted")
          .key("retries", &LlmConfig::retries, integer<int>(0, 20), "of transient errors, inside one call")
          .key("timeout", &LlmConfig::timeout, duration(), "of one call")
          .key("connect-timeout", &LlmConfig::connect_timeout, duration(), "of reaching the service")
          .key("first-byte-timeout", &LlmConfig::first_byte_timeout, duration(), "until an answer begins")
          .key("idle-timeout", &LlmConfig::idle_timeout, duration(), "between two pieces of an answer")
          .key("connections", &LlmConfig::connections, integer<int>(1, 100'000), "to one service at once")
          .key("requests-per-minute", &LlmConfig::requests_per_minute, whole_number(0, kPaceMax), "to each provider")
          .key("tokens-per-minute", &LlmConfig::tokens_per_minute, whole_number(0, kPaceMax), "of each provider")
          .key("breaker-failures", &LlmConfig::breaker_failures, integer<int>(1, 1'000), "of a model in a row until it is not asked")
          .key("breaker-open", &LlmConfig::breaker_open, duration(), "until such a model is asked again")
          .key("cache-ttl", &LlmConfig::cache_ttl, duration(Milliseconds{0}), "how long an answer is given again to the same request")
          .key("cache-size", &LlmConfig::cache_size, size(), "of all answers kept for that")
          .key("batch", &LlmConfig::batch, boolean(), "of workflows that do not say: whether calls go through the provider's batch API")
          .key("batch-window", &LlmConfig::batch_window, duration(), "for which a batch waits for more calls")
          .key("batch-size", &LlmConfig::batch_size, integer<int>(1, 50'000), "calls of one batch")
          .key("batch-poll", &LlmConfig::batch_poll, duration(), "between two looks at a batch, growing")
          .key("batch-poll-max", &LlmConfig::batch_poll_max, duration(), "to this")
          .key("batch-timeout", &LlmConfig::batch_timeout, duration(), "of a batch, before it is cancelled");
  return section;
}

const Section<RedisConfig>& redis_section() {
  static const auto url = text({.bytes_max = 4'096, .pattern = "rediss?://.+", .expected = "a URL like redis://host:6379/0"});
  static const auto section = Section<RedisConfig>("a shared store of state")
                                  .key("url", &RedisConfig::url, url, "also REDIS_URL")
                                  .key("pool", &RedisConfig::pool, integer<int>(1, 1'000), "connections");
  return section;
}

const Section<S3Config>& s3_section() {
  static const auto section = Section<S3Config>("a shared store of artifacts")
                                  .key("endpoint", &S3Config::endpoint, line("a URL"), "of the service; Amazon's where left out")
                                  .key("region", &S3Config::region, line("a region"), "also AWS_REGION")
                                  .key("bucket", &S3Config::bucket, line("a bucket"), "that holds the artifacts")
                                  .key("prefix", &S3Config::prefix, line("a prefix"), "of their names")
                                  .key("access-key", &S3Config::access_key, secret(), "also AWS_ACCESS_KEY_ID")
                                  .key("secret-key", &S3Config::secret_key, secret(), "also AWS_SECRET_ACCESS_KEY")
                                  .key("session-token", &S3Config::session_token, secret(), "also AWS_SESSION_TOKEN");
  return section;
}

const Section<RetentionRule>& retention_section() {
  static const auto section =
      Section<RetentionRule>("ended workflows that are removed: those that both keys let go; none where both are left out")
          .key("older-than", &RetentionRule::older_than, duration(Milliseconds{0}, std::chrono::days(3'660)), "that ended longer ago")
          .key("keep", &RetentionRule::keep, integer<int>(0, 1'000'000'000), "all but so many that ended last");
  return section;
}

const Section<RuntimeConfig>& runtime_section() {
  using Runtime = RuntimeConfig;
  static const auto level = text({.allowed = {"trace", "debug", "info", "warn", "error", "off"}});
  static const auto section =
      Section<Runtime>("this process")
          .key("log-level", &Runtime::log_level, level, "trace, debug, info, warn, error or off")
          .key("state", &Runtime::state, line("sqlite, memory or a URL"), "where journals are kept")
          .key("artifacts", &Runtime::artifacts, line("files, memory or a URL"), "where artifacts are kept")
          .key("shutdown-timeout", &Runtime::shutdown_timeout, duration(), "for running attempts to end")
          .key("task-timeout", &Runtime::task_timeout, duration(), "of an attempt; the stricter of this and the workflow's")
          .key("cleanup-timeout", &Runtime::cleanup_timeout, duration(), "of the tasks that run after a cancel, together")
          .key("max-concurrent-tasks", &Runtime::max_concurrent_tasks, integer<int>(0, 100'000), "of the process; 0: no limit of its own")
          .key("agents-per-type", &Runtime::agents_per_type, integer<int>(1, 1'000), "agents registered of each type")
          .key("agents", &Runtime::agents, dictionary(integer<int>(1, 1'000)), "of one type, in place of agents-per-type")
          .key("agent-capacity", &Runtime::agent_capacity, integer<int>(1, 1'000), "attempts at once of one agent")
          .key("dependency-cache", &Runtime::dependency_cache, size(0), "of fetched dependencies kept for later attempts; 0B: none")
          .key("breaker-failures", &Runtime::breaker_failures, integer<int>(1, 1'000), "of an agent in a row until it gets no more work")
          .key("breaker-open", &Runtime::breaker_open, duration(), "until such an agent is tried again")
          .key("breaker-wait", &Runtime::breaker_wait, duration(), "of a task while all its agents are out; then a dead letter");
  return section;
}

std::string shown_secret(const Secret& secret) {
  switch (secret.kind) {
    case Secret::Kind::none: return "";
    case Secret::Kind::value: return "(set)";
    case Secret::Kind::file: return "file " + secret.text;
    case Secret::Kind::command: return "(set by a command)";
    case Secret::Kind::environment: return "variable " + secret.text;
  }
  return {};
}

template <class T>
std::string shown_optional(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : std::string();
}

std::string shown_usd(const std::optional<std::int64_t>& micros) {
  return micros ? fmt::format("{:.2f}", static_cast<double>(*micros) / 1e6) : std::string();
}
std::string shown_minutes(const std::optional<std::int64_t>& ms) {
  return ms ? fmt::format("{}", static_cast<double>(*ms) / 60'000) : std::string();
}

/// The password of `redis://user:password@host` is a secret too.
std::string shown_url(const std::string& url) {
  const auto scheme = url.find("://");
  const auto at = url.rfind('@');
  if (scheme == std::string::npos || at == std::string::npos || at < scheme) return url;
  return url.substr(0, scheme + 3) + "***" + url.substr(at);
}

/// Values of headers may be keys.
std::string shown_headers(const Config& config) {
  std::string text;
  for (const auto& [name, value] : config.llm.headers) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string shown_agents(const Config& config) {
  std::string text;
  for (const auto& [type, count] : config.runtime.agents) text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", type, count);
  return text.empty() ? text : "{ " + text + " }";
}

}  // namespace

const Section<Config>& config_section() {
  static const auto section = Section<Config>("the configuration")
                                  .nested("llm", &Config::llm, llm_section(), "models")
                                  .nested("redis", &Config::redis, redis_section(), "a shared store of state")
                                  .nested("s3", &Config::s3, s3_section(), "a shared store of artifacts")
                                  .nested("runtime", &Config::runtime, runtime_section(), "this process")
                                  .nested("budget", &Config::budget, budget_config_section(), "limits; the stricter wins")
                                  .nested("retention", &Config::retention, retention_section(), "ended workflows that are removed");
  return section;
}

const std::vector<ConfigKey>& config_keys() {
  using C = const Config&;
  static const std::vector<ConfigKey> keys{
      {"llm.provider", "anthropic", "of workflows that name none: openai, anthropic, mock, mock:FILE, record:FILE, replay:FILE", false,
       [](C c) { return c.llm.provider; }},
      {"llm.model", "NAME", "its name with the provider", false, [](C c) { return c.llm.model; }},
      {"llm.base-url", "https://llm.example.org/v1", "a service that speaks the provider's language; its own where left out", false,
       [](C c) { return shown_url(c.llm.base_url); }},
      {"llm.openai-base-url", "https://vllm.example.org/v1", "of openai, in place of base-url", false,
       [](C c) { return shown_url(c.llm.openai_base_url); }},
      {"llm.anthropic-base-url", "https://proxy.example.org", "of anthropic, in place of base-url", false,
       [](C c) { return shown_url(c.llm.anthropic_base_url); }},
      {"llm.api", "chat", "of openai: chat or responses", false, [](C c) { return c.llm.api; }},
      {"llm.stream", "true", "whether answers are asked for in pieces; false for services that cannot", false,
       [](C c) { return std::string(c.llm.stream ? "true" : "false"); }},
      {"llm.organisation", "org-NAME", "of openai, whose account pays", false, [](C c) { return c.llm.organisation; }},
      {"llm.headers", "{ X-Team: tools }", "sent with each request; shown by their names only", false, shown_headers},
      {"llm.proxy", "http://proxy.example.org:3128", "instead of the usual variables'", false, [](C c) { return shown_url(c.llm.proxy); }},
      {"llm.ca-file", "certificates.pem", "certificates that are trusted, in place of the machine's", false,
       [](C c) { return c.llm.ca_file; }},
      {"llm.prices", "prices.yaml", "prices of models that come before the built-in ones (docs/llm.md)", false,
       [](C c) { return c.llm.prices; }},
      {"llm.openai-key", "{ file: ~/.secrets/openai }",
       "the key as \"text\", { file: … }, { command: … } or { env: … }; also OPENAI_API_KEY", true,
       [](C c) { return shown_secret(c.llm.openai_key); }},
      {"llm.anthropic-key", "{ command: pass show anthropic }", "likewise; also ANTHROPIC_API_KEY", true,
       [](C c) { return shown_secret(c.llm.anthropic_key); }},
      {"llm.retries", "2", "of transient errors, inside one call", false, [](C c) { return shown_optional(c.llm.retries); }},
      {"llm.tools", "auto", "whether agents work by tools: auto, off or on (docs/tools.md)", false,
       [](C c) { return std::string(tool_use_name(c.llm.tools)); }},
      {"llm.context-tokens", "128000", "what the model can take in, its answer counted; old tool results are left out past it", false,
       [](C c) { return shown_optional(c.llm.context_tokens); }},
      {"llm.timeout", "2m", "of one call", false, [](C c) { return format_duration(c.llm.timeout); }},
      {"llm.connect-timeout", "10s", "of reaching the service", false, [](C c) { return format_duration(c.llm.connect_timeout); }},
      {"llm.first-byte-timeout", "1m", "until an answer begins", false, [](C c) { return format_duration(c.llm.first_byte_timeout); }},
      {"llm.idle-timeout", "1m", "between two pieces of an answer", false, [](C c) { return format_duration(c.llm.idle_timeout); }},
      {"llm.connections", "1000", "to one service at once; one of HTTP/2 carries many requests", false,
       [](C c) { return std::to_string(c.llm.connections); }},
      {"llm.requests-per-minute", "0", "of this process to each provider; 0: only what the provider itself says", false,
       [](C c) { return std::to_string(c.llm.requests_per_minute); }},
      {"llm.tokens-per-minute", "0", "likewise", false, [](C c) { return std::to_string(c.llm.tokens_per_minute); }},
      {"llm.breaker-failures", "5", "of a model in a row until it is not asked", false,
       [](C c) { return std::to_string(c.llm.breaker_failures); }},
      {"llm.breaker-open", "30s", "until one call tries such a model again", false,
       [](C c) { return format_duration(c.llm.breaker_open); }},
      {"llm.cache-ttl", "0s", "how long an answer is given again to the same request; 0s: never", false,
       [](C c) { return format_duration(c.llm.cache_ttl); }},
      {"llm.cache-size", "256MiB", "of all answers kept for that", false, [](C c) { return format_size(c.llm.cache_size); }},
      {"llm.batch", "false", "calls that can wait: through the provider's batch API (docs/llm.md)", false,
       [](C c) { return c.llm.batch ? std::string(*c.llm.batch ? "true" : "false") : std::string(); }},
      {"llm.batch-window", "1s", "for which a batch waits for more calls", false, [](C c) { return format_duration(c.llm.batch_window); }},
      {"llm.batch-size", "10000", "calls of one batch", false, [](C c) { return std::to_string(c.llm.batch_size); }},
      {"llm.batch-poll", "10s", "between two looks at a batch, growing", false, [](C c) { return format_duration(c.llm.batch_poll); }},
      {"llm.batch-poll-max", "2m", "to this", false, [](C c) { return format_duration(c.llm.batch_poll_max); }},
      {"llm.batch-timeout", "24h", "of a batch; then it is cancelled, and what was answered until then counts", false,
       [](C c) { return format_duration(c.llm.batch_timeout); }},
      {"redis.url", "redis://127.0.0.1:6379/0", "also REDIS_URL", true, [](C c) { return shown_url(c.redis.url); }},
      {"redis.pool", "8", "connections", false, [](C c) { return std::to_string(c.redis.pool); }},
      {"s3.endpoint", "https://s3.example.org", "Amazon's where left out; also AWS_ENDPOINT_URL", false,
       [](C c) { return shown_url(c.s3.endpoint); }},
      {"s3.region", "eu-central-1", "also AWS_REGION", false, [](C c) { return c.s3.region; }},
      {"s3.bucket", "my-bucket", "that holds the artifacts", false, [](C c) { return c.s3.bucket; }},
      {"s3.prefix", "conductorai/", "of their names", false, [](C c) { return c.s3.prefix; }},
      {"s3.access-key", "{ file: ~/.secrets/s3-id }", "also AWS_ACCESS_KEY_ID", true, [](C c) { return shown_secret(c.s3.access_key); }},
      {"s3.secret-key", "{ file: ~/.secrets/s3-key }", "also AWS_SECRET_ACCESS_KEY", true,
       [](C c) { return shown_secret(c.s3.secret_key); }},
      {"s3.session-token", "{ command: get-token }", "also AWS_SESSION_TOKEN", true, [](C c) { return shown_secret(c.s3.session_token); }},
      {"runtime.log-level", "warn", "trace, debug, info, warn, error or off", false, [](C c) { return c.runtime.log_level; }},
      {"runtime.state", "sqlite", "where journals are kept: sqlite (in .conductorai), memory, or redis://…", false,
       [](C c) { return shown_url(c.runtime.state); }},
      {"runtime.artifacts", "files", "where artifacts are kept: files (in .conductorai), memory, or s3://bucket/prefix", false,
       [](C c) { return shown_url(c.runtime.artifacts); }},
      {"runtime.shutdown-timeout", "10s", "for running attempts to end: refused by this build", false,
       [](C c) { return format_duration(c.runtime.shutdown_timeout); }},
      {"runtime.task-timeout", "30m", "of an attempt; the stricter of this and the workflow's", false,
       [](C c) { return c.runtime.task_timeout ? format_duration(*c.runtime.task_timeout) : std::string(); }},
      {"runtime.cleanup-timeout", "5m", "of the tasks that run after a cancel (if: always(), cancelled()), together", false,
       [](C c) { return format_duration(c.runtime.cleanup_timeout); }},
      {"runtime.max-concurrent-tasks", "0", "of the process; 0: no limit of its own", false,
       [](C c) { return std::to_string(c.runtime.max_concurrent_tasks); }},
      {"runtime.agents-per-type", "2", "agents registered of each type", false,
       [](C c) { return std::to_string(c.runtime.agents_per_type); }},
      {"runtime.agents", "{ coding: 4 }", "of one type, in place of agents-per-type", false, shown_agents},
      {"runtime.agent-capacity", "4", "attempts at once of one agent", false, [](C c) { return std::to_string(c.runtime.agent_capacity); }},
      {"runtime.dependency-cache", "4GiB", "of fetched dependencies, kept for later attempts with the same lock files; 0B: none", false,
       [](C c) { return format_size(c.runtime.dependency_cache); }},
      {"runtime.breaker-failures", "5", "of an agent in a row until it gets no more work", false,
       [](C c) { return std::to_string(c.runtime.breaker_failures); }},
      {"runtime.breaker-open", "30s", "until such an agent is tried again", false,
       [](C c) { return format_duration(c.runtime.breaker_open); }},
      {"runtime.breaker-wait", "5m", "of a task while all its agents are out; then it is a dead letter", false,
       [](C c) { return format_duration(c.runtime.breaker_wait); }},
      {"budget.usd", "20.00", "the stricter of this and the workflow's", false, [](C c) { return shown_usd(c.budget.usd_micros); }},
      {"budget.tokens", "2000000", "likewise", false, [](C c) { return shown_optional(c.budget.tokens); }},
      {"budget.calls", "500", "likewise", false, [](C c) { return shown_optional(c.budget.calls); }},
      {"budget.wall-minutes", "120", "likewise", false, [](C c) { return shown_minutes(c.budget.wall_ms); }},
      {"budget.usd-per-day", "50.00", "of all workflows of the project together, in a day (UTC)", false,
       [](C c) { return shown_usd(c.budget.per_day.usd_micros); }},
      {"budget.tokens-per-day", "10000000", "likewise", false, [](C c) { return shown_optional(c.budget.per_day.tokens); }},
      {"budget.calls-per-day", "2000", "likewise", false, [](C c) { return shown_optional(c.budget.per_day.calls); }},
      {"budget.wall-minutes-per-day", "600", "likewise", false, [](C c) { return shown_minutes(c.budget.per_day.wall_ms); }},
      {"retention.older-than", "90d", "ended workflows are removed after each run if they ended longer ago (and keep lets them go)", false,
       [](C c) { return c.retention.older_than ? format_duration(*c.retention.older_than) : std::string(); }},
      {"retention.keep", "100", "so many that ended last stay in any case; with both keys left out nothing is ever removed", false,
       [](C c) { return shown_optional(c.retention.keep); }},
  };
  return keys;
}

}  // namespace conductorai::definition
