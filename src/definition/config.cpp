#include "definition/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/document/document.hpp"
#include "core/json.hpp"
#include "core/provider_name.hpp"
#include "definition/config_sections.hpp"

namespace conductorai::definition {

namespace document = core::document;
using document::Node;

namespace {

/// One source of values, read as a document of its own.
struct Layer {
  std::string name;  // as messages and `config show` call it; a file's values get their line and column
  Node root;
  std::map<std::string, std::string> origins;  // of a key, where the name is not enough
};

struct UsualName {
  std::string_view variable;
  std::string_view key;
};
constexpr std::array kUsualNames{UsualName{"OPENAI_API_KEY", "llm.openai-key"},
                                 UsualName{"ANTHROPIC_API_KEY", "llm.anthropic-key"},
                                 UsualName{"REDIS_URL", "redis.url"},
                                 UsualName{"AWS_ENDPOINT_URL", "s3.endpoint"},
                                 UsualName{"AWS_REGION", "s3.region"},
                                 UsualName{"AWS_ACCESS_KEY_ID", "s3.access-key"},
                                 UsualName{"AWS_SECRET_ACCESS_KEY", "s3.secret-key"},
                                 UsualName{"AWS_SESSION_TOKEN", "s3.session-token"}};

bool is_text_key(const std::string& path) {
  static constexpr std::array kTyped{"llm.retries",
                                     "llm.context-tokens",
                                     "llm.headers",
                                     "llm.stream",
                                     "llm.connections",
                                     "llm.requests-per-minute",
                                     "llm.tokens-per-minute",
                                     "llm.breaker-failures",
                                     "llm.batch",
                                     "llm.batch-size",
                                     "redis.pool",
                                     "retention.keep",
                                     "runtime.max-concurrent-tasks",
                                     "runtime.agents-per-type",
                                     "runtime.agents",
                                     "runtime.agent-capacity",
                                     "runtime.breaker-failures"};
  return !path.starts_with("budget.") && std::find(kTyped.begin(), kTyped.end(), path) == kTyped.end();
}

/// So that what is wrong with it is not quoted.
bool may_hold_a_secret(std::string_view path) {
  return path == "llm.headers" || path.ends_with("-key") || path.ends_with("-token");
}

/// Puts a flag's or variable's text at "section.key" of a document. Keys that take a text get it as it is.
void put(Layer& layer, const std::string& path, const std::string& text, const std::string& origin, std::vector<Error>& errors) {
  const auto dot = path.find('.');
  const std::string section = path.substr(0, dot);
  const std::string key = dot == std::string::npos ? std::string() : path.substr(dot + 1);
  Node value;
  value.kind = Node::Kind::text;
  value.text = text;
  const bool structured = text.starts_with('{');
  if (!is_text_key(path) || structured) {
    auto parsed = document::parse_inline(text, origin);
    if (!parsed && may_hold_a_secret(path))
      return errors.push_back(
          {.code = ErrorCode::invalid_argument, .message = path + ": this does not read as a mapping", .where = origin});
    if (!parsed) return errors.push_back(parsed.error());
    value = std::move(*parsed);
  }
  layer.root.kind = Node::Kind::map;
  auto found = std::find_if(layer.root.members.begin(), layer.root.members.end(),
                            [&](const document::Member& member) { return member.key == section; });
  if (found == layer.root.members.end()) {
    layer.root.members.push_back({section, {}, {}});
    found = layer.root.members.end() - 1;
    found->value.kind = Node::Kind::map;
  }
  found->value.members.push_back({key, {}, std::move(value)});
  layer.origins[path] = origin;
}

/// CONDUCTORAI_LLM__BASE_URL → llm.base-url
std::string key_of_variable(std::string_view name) {
  std::string path;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name.substr(i).starts_with("__")) {
      path += '.';
      ++i;
    } else {
      const char c = name[i];
      path += c == '_' ? '-' : (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return path;
}

Layer environment_layer(const std::map<std::string, std::string>& environment, std::vector<Error>& errors) {
  Layer layer{.name = "the environment"};
  static constexpr std::string_view kPrefix = "CONDUCTORAI_";
  std::map<std::string, std::pair<std::string, std::string>> values;  // key to text and variable; ours win over the usual names
  for (const UsualName& usual : kUsualNames) {
    const auto found = environment.find(std::string(usual.variable));
    if (found != environment.end() && !found->second.empty()) values[std::string(usual.key)] = {found->second, found->first};
  }
  for (const auto& [name, text] : environment) {
    if (!name.starts_with(kPrefix) || name.find("__") == std::string::npos || text.empty()) continue;
    values[key_of_variable(std::string_view(name).substr(kPrefix.size()))] = {text, name};
  }
  for (const auto& [path, value] : values) put(layer, path, value.first, value.second, errors);
  return layer;
}

Result<std::optional<Layer>> file_layer(const std::filesystem::path& path, bool must_exist) {
  std::error_code ignored;
  if (!must_exist && !std::filesystem::exists(path, ignored)) return std::nullopt;
  auto loaded = document::load(path);
  if (!loaded) return fail(loaded.error());
  Layer layer{.name = path.string(), .root = std::move(loaded->root)};
  if (layer.root.is(Node::Kind::null)) layer.root.kind = Node::Kind::map;  // a file of comments only
  return layer;
}

/// The errors of a layer that is no file: where they are is a variable or flag.
Error relocated(Error error, const Layer& layer) {
  for (const auto& [path, origin] : layer.origins)
    if (error.message.starts_with(path + ":") || error.message.find("'" + path.substr(path.find('.') + 1) + "'") != std::string::npos)
      error.where = origin;
  return error;
}

template <class T>
void keep_stricter(std::optional<T>& mine, const std::optional<T>& other) {
  if (other && (!mine || *other < *mine)) mine = other;
}

void keep_stricter(BudgetDefinition& mine, const BudgetDefinition& other) {
  for (auto limit : {&BudgetDefinition::usd_micros, &BudgetDefinition::tokens, &BudgetDefinition::calls, &BudgetDefinition::wall_ms})
    keep_stricter(mine.*limit, other.*limit);
}

void read_layer(const Layer& layer, Config& config, std::vector<Error>& errors) {
  document::Problems problems(layer.name);
  const Config before = config;
  config_section().read(layer.root, config, problems);
  for (Error& error : problems.take()) errors.push_back(layer.origins.empty() ? std::move(error) : relocated(std::move(error), layer));
  if (core::parse_provider(config.llm.provider).kind == "record" && !before.llm.provider.empty() &&
      core::parse_provider(before.llm.provider).kind != "record")
    config.llm.recorded = before.llm.provider;
  keep_stricter(config.budget, before.budget);
  keep_stricter(config.budget.per_day, before.budget.per_day);
  keep_stricter(config.runtime.task_timeout, before.runtime.task_timeout);
  const int cap = before.runtime.max_concurrent_tasks;
  if (cap > 0 && (config.runtime.max_concurrent_tasks == 0 || cap < config.runtime.max_concurrent_tasks))
    config.runtime.max_concurrent_tasks = cap;

  for (const ConfigKey& key : config_keys()) {
    const auto dot = key.path.find('.');
    const Node* section = layer.root.find(key.path.substr(0, dot));
    const Node* value = section == nullptr ? nullptr : section->find(key.path.substr(dot + 1));
    const bool limit = key.path.starts_with("budget.") || key.path == "runtime.task-timeout" || key.path == "runtime.max-concurrent-tasks";
    if (value == nullptr || (limit && key.shown(config) == key.shown(before))) continue;
    const auto origin = layer.origins.find(key.path);
    config.sources[key.path] =
        origin != layer.origins.end() ? origin->second : fmt::format("{}:{}:{}", layer.name, value->at.line, value->at.column);
  }
}

/// Weakest first.
std::vector<Layer> read_layers(const ConfigRequest& request, std::vector<Error>& errors) {
  std::vector<Layer> layers;
  const auto add_file = [&](const std::filesystem::path& path, bool must_exist) {
    auto layer = file_layer(path, must_exist);
    if (!layer)
      errors.push_back(layer.error());
    else if (*layer)
      layers.push_back(std::move(**layer));
  };
  if (const auto user = user_config_path(request.environment); !user.empty()) add_file(user, false);
  add_file(request.file.value_or(request.project_root / "conductorai.yaml"), request.file.has_value());
  layers.push_back(environment_layer(request.environment, errors));
  Layer flags{.name = "the command line"};
  for (const auto& [path, text] : request.flags) put(flags, path, text, "--" + path.substr(path.find('.') + 1), errors);
  layers.push_back(std::move(flags));
  return layers;
}

}  // namespace

std::filesystem::path user_config_path(const std::map<std::string, std::string>& environment) {
  const auto value = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  };
  if (const std::string xdg = value("XDG_CONFIG_HOME"); xdg.starts_with('/'))
    return std::filesystem::path(xdg) / "conductorai" / "config.yaml";
  const std::string home = value("HOME");
  return home.empty() ? std::filesystem::path() : std::filesystem::path(home) / ".config" / "conductorai" / "config.yaml";
}

std::expected<Config, std::vector<Error>> load_config(const ConfigRequest& request) {
  std::vector<Error> errors;
  Config config;
  for (const ConfigKey& key : config_keys()) config.sources[key.path] = "default";
  for (const Layer& layer : read_layers(request, errors))
    if (!layer.root.is(Node::Kind::null)) read_layer(layer, config, errors);
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return config;
}

std::string with_recorded(const std::string& provider, std::initializer_list<std::string> others) {
  core::ProviderName name = core::parse_provider(provider);
  if (name.kind != "record" || !name.recorded.empty()) return provider;
  for (const std::string& other : others)
    if (const std::string whom = core::answering(other); whom == "openai" || whom == "anthropic" || other == "mock") {
      name.recorded = whom;
      break;
    }
  return core::to_string(name);
}

void apply_config(const Config& config, WorkflowDefinition& definition) {
  const auto outranks_file = [&](const char* key) {
    const auto found = config.sources.find(key);
    if (found == config.sources.end()) return false;
    return found->second.starts_with("--") || found->second.starts_with("CONDUCTORAI_");
  };
  const std::string written = definition.llm.provider;
  const std::string configured = with_recorded(config.llm.provider, {written, config.llm.recorded});
  const bool instead = outranks_file("llm.provider");
  if (written.empty() || instead) {
    // A model is one of a provider: it does not follow to another. And who is to be asked instead of all others falls back on none of them.
    if (!written.empty() && core::answering(written) != core::answering(configured)) definition.llm.model.clear();
    if (instead && core::parse_provider(configured).kind == "mock") definition.llm.fallback.clear();
    definition.llm.provider = configured;
  } else {
    definition.llm.provider = with_recorded(written, {configured});
  }
  const bool same_provider = configured.empty() || core::answering(definition.llm.provider) == core::answering(configured);
  if (outranks_file("llm.model") || (definition.llm.model.empty() && same_provider)) definition.llm.model = config.llm.model;
  if (config.llm.retries && outranks_file("llm.retries")) definition.llm.retries = *config.llm.retries;
  if (!definition.llm.tools || outranks_file("llm.tools")) definition.llm.tools = config.llm.tools;
  if (!definition.llm.context_tokens || outranks_file("llm.context-tokens")) definition.llm.context_tokens = config.llm.context_tokens;
  if (!definition.llm.batch || outranks_file("llm.batch")) definition.llm.batch = config.llm.batch;
  keep_stricter(definition.budget, config.budget);
  for (TaskDefinition& task : definition.tasks) keep_stricter(task.timeout, config.runtime.task_timeout);
}

std::vector<ShownSetting> shown_settings(const Config& config) {
  std::vector<ShownSetting> settings;
  for (const ConfigKey& key : config_keys()) {
    const auto source = config.sources.find(key.path);
    settings.push_back(
        {.key = key.path, .value = key.shown(config), .origin = source == config.sources.end() ? "default" : source->second});
  }
  return settings;
}

std::string show_config(const Config& config) {
  const auto settings = shown_settings(config);
  std::size_t width = 0;
  for (const auto& setting : settings) width = std::max(width, setting.key.size());
  std::string text;
  for (const auto& [key, value, origin] : settings)
    text += fmt::format("{:<{}}  {:<28}  {}\n", key, width, value.empty() ? "-" : value, origin);
  return text;
}

std::string config_template() {
  std::string text =
      "# ConductorAI's configuration: for this project as conductorai.yaml, for all of a user's as ~/.config/conductorai/config.yaml.\n"
      "# Stronger than this file: the workflow file, then CONDUCTORAI_SECTION__KEY in the environment (CONDUCTORAI_LLM__MODEL), then "
      "flags.\n"
      "# Of limits, the strictest holds. To set a key, take the '#' from it and from its section.\n";
  std::string section;
  for (const ConfigKey& key : config_keys()) {
    const auto dot = key.path.find('.');
    if (key.path.substr(0, dot) != section) {
      section = key.path.substr(0, dot);
      text += fmt::format("\n# {}:\n", section);
    }
    text += fmt::format("#   {:<44} # {}\n", key.path.substr(dot + 1) + ": " + key.example, key.comment);
  }
  return text;
}

std::string config_schema() {
  Object schema = config_section().schema();
  schema["$schema"] = "http://json-schema.org/draft-07/schema#";
  schema["title"] = "ConductorAI configuration";
  return core::to_json(schema);
}

}  // namespace conductorai::definition
