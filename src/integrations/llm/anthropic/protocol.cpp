#include "integrations/llm/anthropic/anthropic.hpp"
#include "integrations/llm/wire/service.hpp"

namespace conductorai::integrations {

namespace {

constexpr std::string_view kOwnService = "https://api.anthropic.com";
constexpr const char* kVersion = "2023-06-01";

/// The base URL is given with and without its version.
std::string versioned(const std::string& base) {
  std::string plain = base.substr(0, base.find('?'));
  while (plain.ends_with('/')) plain.pop_back();
  return plain.ends_with("/v1") ? base : joined_url(base, "/v1");
}

}  // namespace

Protocol anthropic_protocol(const Service& service) {
  const std::string base = versioned(service.base_url.empty() ? std::string(kOwnService) : service.base_url);
  Protocol protocol{.provider = "anthropic",
                    .url = joined_url(base, "/messages"),
                    .models_url = joined_url(base, "/models"),
                    .headers = {{"anthropic-version", kVersion}},
                    .write = {},
                    .reader = anthropic::read_messages};
  if (!service.key.empty()) protocol.headers.emplace_back("x-api-key", service.key);
  protocol.write = [](const LLMRequest& request, const std::string& model, bool stream) {
    return anthropic::write_messages(request, {.model = model, .stream = stream});
  };
  return protocol;
}

}  // namespace conductorai::integrations
