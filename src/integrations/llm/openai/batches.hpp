#pragma once
// The Batch API of OpenAI: a file of requests is uploaded, a batch made of it, and its results are files again.
// Source: platform.openai.com/docs/api-reference/batch.

#include "integrations/llm/batch/batch_service.hpp"
#include "integrations/llm/wire/service_calls.hpp"

namespace conductorai::integrations::openai {

class Batches final : public BatchService {
 public:
  explicit Batches(ServiceCalls calls);
  [[nodiscard]] std::string_view provider() const override { return "openai"; }
  [[nodiscard]] std::string custom_id(const std::string& step) const override { return step; }
  task<Result<std::string>> submit(std::string name, std::vector<BatchEntry> entries) override;
  task<Result<std::string>> find(std::string name) override;
  task<Result<BatchLook>> look(std::string id) override;
  task<Result<BatchLines>> results(BatchLook ended) override;
  task<Result<void>> cancel(std::string id) override;

 private:
  task<Result<std::string>> upload(std::string name, std::vector<BatchEntry> entries);
  task<void> remove_files(std::vector<std::string> urls);
  [[nodiscard]] std::string url(std::string_view path) const;

  ServiceCalls calls_;
  std::string base_, endpoint_;
};

}  // namespace conductorai::integrations::openai
