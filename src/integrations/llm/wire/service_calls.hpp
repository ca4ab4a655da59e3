#pragma once
// ServiceCalls: what all exchanges with one service have alike, be they chats, lists of models or batches.

#include <string>

#include "conductorai/clock.hpp"
#include "integrations/llm/reservation.hpp"
#include "integrations/llm/wire/service.hpp"

namespace conductorai::integrations {

class ServiceCalls {
 public:
  ServiceCalls(HttpTransport& transport, Clock& clock, Protocol protocol, Service service)
      : transport_(transport), clock_(clock), protocol_(std::move(protocol)), service_(std::move(service)) {}

  [[nodiscard]] const Protocol& protocol() const { return protocol_; }
  [[nodiscard]] const Service& service() const { return service_; }
  [[nodiscard]] Timestamp now() const { return clock_.now(); }
  [[nodiscard]] HttpTransport& transport() const { return transport_; }

  [[nodiscard]] WireRequest request(std::string method, std::string url) const;
  /// A request with a JSON body.
  [[nodiscard]] WireRequest posted(std::string url, std::string body) const;
  /// The error with its place, and without the key.
  [[nodiscard]] std::unexpected<Error> failed(Error error, const std::string& url) const;
  /// The name of the model a request goes to. Errors: invalid_argument when nobody names one.
  [[nodiscard]] Result<std::string> model_of(const LLMRequest& request) const;
  /// An answer that was read, if it is one.
  [[nodiscard]] Result<LLMResponse> judged(const RequestSize& request, LLMResponse answer, const std::string& model) const;
  /// The body of an answer with a status of success. Errors: those of the transport and of status_error; invalid_answer (larger than that).
  task<Result<std::string>> body(WireRequest request, std::size_t bytes_max);
  /// The same as JSON.
  task<Result<Value>> json(WireRequest request, std::size_t bytes_max);

 private:
  HttpTransport& transport_;
  Clock& clock_;
  Protocol protocol_;
  Service service_;
};

[[nodiscard]] inline bool is_success(int status) {
  return status >= 200 && status < 300;
}

}  // namespace conductorai::integrations
