#pragma once
// LlmTransport: the HTTP client as the providers' way to their services, with patience of its own for each stage of an exchange.

#include "infrastructure/http/http_client.hpp"
#include "integrations/llm/wire/http_transport.hpp"

namespace conductorai::facade {

class LlmTransport final : public integrations::HttpTransport {
 public:
  LlmTransport(runtime::Loop& loop, int connections)
      : loop_(loop), client_(loop, {.connections_per_host = connections, .connections_kept = connections}) {}
  task<Result<integrations::WireHead>> exchange(integrations::WireRequest request, Sink sink) override;

 private:
  struct Exchange;
  static task<Result<integrations::WireHead>> ended(std::unique_ptr<Exchange> exchange, task<Result<infrastructure::HttpResponse>> work);

  runtime::Loop& loop_;
  infrastructure::HttpClient client_;
};

}  // namespace conductorai::facade
