#include "integrations/llm/openai/openai.hpp"
#include "integrations/llm/wire/service.hpp"

namespace conductorai::integrations {

namespace {

constexpr std::string_view kOwnService = "https://api.openai.com/v1";

bool is_azure(std::string_view url) {
  return url.find(".azure.com") != std::string_view::npos;
}

}  // namespace

Protocol openai_protocol(const Service& service) {
  const std::string base = service.base_url.empty() ? std::string(kOwnService) : service.base_url;
  const bool responses = service.api == "responses";
  Protocol protocol{.provider = "openai",
                    .url = joined_url(base, responses ? "/responses" : "/chat/completions"),
                    .models_url = joined_url(base, "/models"),
                    .headers = {},
                    .write = {},
                    .reader = responses ? openai::read_responses : openai::read_chat};
  if (!service.key.empty()) protocol.headers.emplace_back("authorization", "Bearer " + service.key);
  if (!service.key.empty() && is_azure(base)) protocol.headers.emplace_back("api-key", service.key);
  if (!service.organisation.empty()) protocol.headers.emplace_back("openai-organization", service.organisation);
  const bool own = base.starts_with("https://api.openai.com") || is_azure(base);
  protocol.write = [own, responses](const LLMRequest& request, const std::string& model, bool stream) {
    const openai::WriteOptions options{.model = model, .stream = stream, .own_service = own};
    return responses ? openai::write_responses(request, options) : openai::write_chat(request, options);
  };
  return protocol;
}

}  // namespace conductorai::integrations
