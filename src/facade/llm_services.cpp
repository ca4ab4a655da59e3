#include "facade/llm_services.hpp"

#include <algorithm>

namespace conductorai::facade {

namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

/// The built-in prices are those of the providers' own services.
bool is_own_service(const std::string& base_url) {
  return base_url.empty() || base_url.starts_with("https://api.openai.com/") || base_url == "https://api.openai.com" ||
         base_url.starts_with("https://api.anthropic.com/") || base_url == "https://api.anthropic.com";
}

integrations::Service service_of(const LlmOptions& options, std::string key, const std::string& model) {
  integrations::Service service{.base_url = options.base_url,
                                .api = options.api,
                                .key = std::move(key),
                                .organisation = options.organisation,
                                .model = model,
                                .template_request = {}};
  for (const auto& [name, value] : options.headers) service.template_request.headers.emplace_back(lower(name), value);
  service.template_request.proxy = options.proxy;
  service.template_request.ca_file = options.ca_file;
  service.template_request.timeout = options.timeout;
  service.template_request.connect_timeout = options.connect_timeout;
  service.template_request.first_byte_timeout = options.first_byte_timeout;
  service.template_request.idle_timeout = options.idle_timeout;
  return service;
}

}  // namespace

Error no_price(const std::string& provider, const std::string& model) {
  return {.code = ErrorCode::invalid_argument,
          .message = "the price of model '" + model + "' is not known, so a budget in usd cannot be kept",
          .where = provider,
          .hint = "name it in a file and set llm.prices (docs/llm.md), or limit tokens and calls instead"};
}

bool is_real_provider(std::string_view provider) {
  return provider == "openai" || provider == "anthropic";
}

Result<std::unique_ptr<integrations::WireProvider>> LlmServices::open(const std::string& provider, const std::string& model) {
  if (!is_real_provider(provider))
    return fail(ErrorCode::unsupported, "this build has no LLM provider '" + provider + "'", {}, "openai, anthropic, mock or mock:FILE");
  auto key = options_.key ? options_.key(provider) : Result<std::string>(std::string());
  if (!key) return fail(key.error());
  if (key->empty() && is_own_service(options_.base_url))
    return fail(ErrorCode::invalid_argument, "provider " + provider + " needs a key", {},
                "set " + std::string(provider == "openai" ? "OPENAI_API_KEY" : "ANTHROPIC_API_KEY") + ", or llm." + provider +
                    "-key in conductorai.yaml");
  const auto service = service_of(options_, std::move(*key), model);
  auto protocol = provider == "openai" ? integrations::openai_protocol(service) : integrations::anthropic_protocol(service);
  return std::make_unique<integrations::WireProvider>(transport_, clock_, std::move(protocol), service);
}

Result<std::optional<integrations::Price>> LlmServices::price_of(const std::string& provider, const std::string& model) const {
  if (!is_real_provider(provider)) return std::optional(integrations::Price{});
  integrations::PriceTable table;
  if (!options_.prices.empty()) {
    auto loaded = integrations::PriceTable::load(options_.prices);
    if (!loaded) return fail(loaded.error());
    table = std::move(*loaded);
  }
  return table.find(model, is_own_service(options_.base_url));
}

Result<void> LlmServices::check(const WorkflowDefinition& definition) const {
  const LlmDefinition& llm = definition.llm;
  if (!is_real_provider(llm.provider)) return {};
  if (llm.model.empty())
    return fail(ErrorCode::invalid_argument, "provider " + llm.provider + " needs the name of a model", {},
                "--model NAME, or model: in the llm section; conductorai llm models lists them");
  if (!llm.fallback.empty())
    return fail(ErrorCode::unsupported, "this build has no fallback from one model to another", "llm.fallback", "leave it out");
  auto price = price_of(llm.provider, llm.model);
  if (!price) return fail(price.error());
  if (!*price && definition.budget.usd_micros) return fail(no_price(llm.provider, llm.model));
  return {};
}

}  // namespace conductorai::facade
