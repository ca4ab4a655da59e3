#include "cli/llm_options.hpp"

#include <unistd.h>

#include <cstdlib>

#include "cli/session.hpp"
#include "core/provider_name.hpp"

namespace conductorai::cli {

namespace fs = std::filesystem;

namespace {

fs::path anchored(const std::string& path, const Project& project) {
  return path.empty() ? fs::path() : project.root / path;
}

}  // namespace

LlmOptions llm_options(const definition::Config& config, const Project& project) {
  const definition::LlmConfig& llm = config.llm;
  LlmOptions options{.base_url = llm.base_url,
                     .base_urls = {},
                     .api = llm.api,
                     .stream = llm.stream,
                     .organisation = llm.organisation,
                     .headers = llm.headers,
                     .proxy = llm.proxy,
                     .ca_file = anchored(llm.ca_file, project),
                     .prices = anchored(llm.prices, project),
                     .timeout = llm.timeout,
                     .connect_timeout = llm.connect_timeout,
                     .first_byte_timeout = llm.first_byte_timeout,
                     .idle_timeout = llm.idle_timeout,
                     .connections = llm.connections,
                     .requests_per_minute = llm.requests_per_minute,
                     .tokens_per_minute = llm.tokens_per_minute,
                     .breaker_failures = llm.breaker_failures,
                     .breaker_open = llm.breaker_open,
                     .cache_ttl = llm.cache_ttl,
                     .cache_bytes = llm.cache_size,
                     .batch = {.window = llm.batch_window,
                               .calls_max = llm.batch_size,
                               .poll = llm.batch_poll,
                               .poll_max = llm.batch_poll_max,
                               .timeout = llm.batch_timeout},
                     .key = {}};
  if (!llm.openai_base_url.empty()) options.base_urls["openai"] = llm.openai_base_url;
  if (!llm.anthropic_base_url.empty()) options.base_urls["anthropic"] = llm.anthropic_base_url;
  options.key = [openai = llm.openai_key, anthropic = llm.anthropic_key](const std::string& provider) -> Result<std::string> {
    const definition::Secret& secret = provider == "openai" ? openai : anthropic;
    if (secret.empty()) return std::string();
    return definition::reveal(secret);
  };
  return options;
}

Result<void> with_models(const definition::Config& config, const Project& project, const std::function<Result<void>(ConductorAI&)>& use) {
  std::error_code error;
  std::string folder = (fs::temp_directory_path(error) / "conductorai-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return fail(ErrorCode::unavailable, "no temporary folder can be made", folder);
  Result<void> done;
  {
    Options options = configured_options(project, config);
    options.state_dir = folder;
    options.state = options.artifacts = "memory";
    ConductorAI ai(std::move(options));
    done = ai.initialize();
    if (done) done = use(ai);
    ai.shutdown();
  }
  fs::remove_all(folder, error);
  return done;
}

Result<void> check_model_use(const WorkflowDefinition& definition, const definition::Config& config, const Project& project) {
  const std::string who = core::answering(definition.llm.provider);
  if (who != "openai" && who != "anthropic" && definition.llm.fallback.empty()) return {};
  return with_models(config, project, [&](ConductorAI& ai) { return ai.check_llm(definition); });
}

}  // namespace conductorai::cli
