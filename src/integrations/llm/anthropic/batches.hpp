#pragma once
// Message Batches of Anthropic: requests in, one file of results out. Batches have no names, so one whose id was lost cannot be found.
// Source: docs.anthropic.com/en/api/creating-message-batches (version 2023-06-01).

#include "integrations/llm/batch/batch_service.hpp"
#include "integrations/llm/wire/service_calls.hpp"

namespace conductorai::integrations::anthropic {

class Batches final : public BatchService {
 public:
  explicit Batches(ServiceCalls calls) : calls_(std::move(calls)) {}
  [[nodiscard]] std::string_view provider() const override { return "anthropic"; }
  [[nodiscard]] std::string custom_id(const std::string& step) const override;
  task<Result<std::string>> submit(std::string name, std::vector<BatchEntry> entries) override;
  task<Result<std::string>> find(std::string name) override;
  task<Result<BatchLook>> look(std::string id) override;
  task<Result<BatchLines>> results(BatchLook ended) override;
  task<Result<void>> cancel(std::string id) override;

 private:
  [[nodiscard]] std::string url(const std::string& path) const;

  ServiceCalls calls_;
};

}  // namespace conductorai::integrations::anthropic
