#include "facade/llm_services.hpp"

#include <algorithm>

#include "base/lower.hpp"
#include "core/budget.hpp"
#include "core/provider_name.hpp"
#include "integrations/llm/anthropic/batches.hpp"
#include "integrations/llm/batch/batch_provider.hpp"
#include "integrations/llm/openai/batches.hpp"

namespace conductorai::facade {

namespace {

/// The built-in prices are those of the providers' own services.
bool is_own_service(const std::string& base_url) {
  return base_url.empty() || base_url.starts_with("https://api.openai.com/") || base_url == "https://api.openai.com" ||
         base_url.starts_with("https://api.anthropic.com/") || base_url == "https://api.anthropic.com";
}

integrations::Service service_of(const LlmOptions& options, const std::string& base_url, std::string key, const std::string& model) {
  integrations::Service service{.base_url = base_url,
                                .api = options.api,
                                .stream = options.stream,
                                .key = std::move(key),
                                .organisation = options.organisation,
                                .model = model,
                                .template_request = {}};
  for (const auto& [name, value] : options.headers) service.template_request.headers.emplace_back(lower(name), value);
  service.template_request.proxy = options.proxy;
  service.template_request.ca_file = options.ca_file;
  service.template_request.timeout = options.timeout;
  service.template_request.connect_timeout = options.connect_timeout;
  // An answer that comes whole begins when it is done.
  service.template_request.first_byte_timeout = options.stream ? options.first_byte_timeout : options.timeout;
  service.template_request.idle_timeout = options.idle_timeout;
  return service;
}

std::unique_ptr<integrations::BatchService> batches_of(const std::string& provider, const integrations::ServiceCalls& calls) {
  if (provider == "openai") return std::make_unique<integrations::openai::Batches>(calls);
  return std::make_unique<integrations::anthropic::Batches>(calls);
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

Result<integrations::ServiceCalls> LlmServices::calls_to(const std::string& provider, const std::string& model) {
  if (!is_real_provider(provider))
    return fail(ErrorCode::unsupported, "no service answers for provider '" + provider + "'", {},
                "openai or anthropic; mock answers a run without any service");
  auto own_key = key(provider);
  if (!own_key) return fail(own_key.error());
  if (own_key->empty() && is_own_service(base_url(provider)))
    return fail(ErrorCode::invalid_argument, "provider " + provider + " needs a key", {},
                "set " + std::string(provider == "openai" ? "OPENAI_API_KEY" : "ANTHROPIC_API_KEY") + ", or llm." + provider +
                    "-key in conductorai.yaml");
  auto service = service_of(options_, base_url(provider), std::move(*own_key), model);
  service.on_head = [&pace = limiter(provider)](const integrations::WireHead& head) { pace.heed(head.status, head.headers); };
  auto protocol = provider == "openai" ? integrations::openai_protocol(service) : integrations::anthropic_protocol(service);
  return integrations::ServiceCalls(transport_, clock_, std::move(protocol), service);
}

Result<std::unique_ptr<integrations::WireProvider>> LlmServices::open(const std::string& provider, const std::string& model) {
  auto calls = calls_to(provider, model);
  if (!calls) return fail(calls.error());
  return std::make_unique<integrations::WireProvider>(std::move(*calls));
}

Result<std::unique_ptr<BaseLLMProvider>> LlmServices::open_model(const std::string& provider, const std::string& model, bool batched) {
  if (!batched) return open(provider, model);
  auto calls = calls_to(provider, model);
  if (!calls) return fail(calls.error());
  auto& desk = desks_[{provider, model}];
  if (!desk)
    desk =
        std::make_unique<integrations::BatchDesk>(integrations::BatchDesk::Ports{.executor = loop_, .clock = clock_, .entropy = entropy_},
                                                  batches_of(provider, *calls), options_.batch);
  return std::make_unique<integrations::BatchProvider>(std::move(*calls), *desk);
}

void LlmServices::leave_batches() {
  for (auto& [model, desk] : desks_) desk->leave();
}

task<void> LlmServices::close() {
  for (auto& [model, desk] : desks_) co_await desk->close();
  desks_.clear();
}

Result<std::string> LlmServices::key(const std::string& provider) const {
  if (!options_.key || !is_real_provider(provider)) return std::string();
  auto key = options_.key(provider);
  if (key && learned_) learned_(*key);
  return key;
}

Result<std::optional<integrations::Price>> LlmServices::price_of(const std::string& provider, const std::string& model,
                                                                 bool batched) const {
  if (!is_real_provider(provider)) return std::optional(integrations::Price{});
  integrations::PriceTable table;
  if (!options_.prices.empty()) {
    auto loaded = integrations::PriceTable::load(options_.prices);
    if (!loaded) return fail(loaded.error());
    table = std::move(*loaded);
  }
  auto price = table.find(model, is_own_service(base_url(provider)));
  return batched && price ? integrations::in_batches(*price) : price;
}

const std::string& LlmServices::base_url(const std::string& provider) const {
  const auto own = options_.base_urls.find(provider);
  return own == options_.base_urls.end() ? options_.base_url : own->second;
}

std::string LlmServices::describe(const LlmTarget& target) const {
  return target.provider + " " + target.model + " " + options_.api + " " + base_url(target.provider);
}

integrations::ModelBreaker& LlmServices::breaker(const std::string& provider, const std::string& model) {
  auto& breaker = breakers_[{provider, model}];
  if (!breaker)
    breaker = std::make_unique<integrations::ModelBreaker>(
        clock_, provider + " " + model,
        integrations::BreakerOptions{.failures_to_open = options_.breaker_failures, .open_for = options_.breaker_open});
  return *breaker;
}

integrations::RateLimiter& LlmServices::limiter(const std::string& provider) {
  auto& limiter = limiters_[provider];
  if (!limiter)
    limiter = std::make_unique<integrations::RateLimiter>(
        clock_, integrations::Pace{.requests_per_minute = options_.requests_per_minute, .tokens_per_minute = options_.tokens_per_minute});
  return *limiter;
}

Result<void> LlmServices::check_target(const LlmTarget& target, bool money) const {
  if (!is_real_provider(target.provider)) return {};
  if (target.model.empty())
    return fail(ErrorCode::invalid_argument, "provider " + target.provider + " needs the name of a model", {},
                "--model NAME, or model: in the llm section; conductorai llm models lists them");
  auto price = price_of(target.provider, target.model);
  if (!price) return fail(price.error());
  if (!*price && money) return fail(no_price(target.provider, target.model));
  return {};
}

Result<void> LlmServices::check(const WorkflowDefinition& definition) const {
  const LlmDefinition& llm = definition.llm;
  const bool money = core::limits_money(definition);
  if (core::parse_provider(llm.provider).kind == "replay") return {};  // it asks nobody, for the whole chain
  if (auto first = check_target({.provider = core::answering(llm.provider), .model = llm.model}, money); !first) return first;
  for (const LlmTarget& target : llm.fallback) {
    if (target.provider != "mock" && !is_real_provider(target.provider))
      return fail(ErrorCode::unsupported, "a model to fall back on cannot be '" + target.provider + "'", "llm.fallback",
                  "openai, anthropic or mock; a recording or replay holds for the whole chain");
    if (auto next = check_target(target, money); !next) {
      next.error().where = "llm.fallback";
      return next;
    }
  }
  return {};
}

}  // namespace conductorai::facade
