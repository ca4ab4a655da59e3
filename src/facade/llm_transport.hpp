#pragma once
// LlmTransport: the HTTP client as the providers' way to their services, with patience of its own for each stage of an exchange.

#include "infrastructure/http/http_client.hpp"
#include "integrations/llm/wire/http_transport.hpp"

namespace conductorai::facade {

class LlmTransport final : public integrations::HttpTransport {
 public:
  explicit LlmTransport(runtime::Loop& loop) : loop_(loop), client_(loop) {}
  task<Result<integrations::WireHead>> exchange(integrations::WireRequest request, Sink sink) override;

 private:
  runtime::Loop& loop_;
  infrastructure::HttpClient client_;
};

}  // namespace conductorai::facade
