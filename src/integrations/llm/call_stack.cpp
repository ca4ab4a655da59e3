#include "integrations/llm/call_stack.hpp"

namespace conductorai::integrations {
namespace {

class CallStack final : public BaseLLMProvider {
 public:
  CallStack(LedgerProvider::Ports ports, Entropy& entropy, RetryOptions retries, CallAccount account)
      : ledger_(ports, std::move(account)), retrying_(ledger_, ports.clock, entropy, retries), structured_(retrying_) {}
  [[nodiscard]] std::string_view name() const override { return structured_.name(); }
  task<Result<LLMResponse>> chat(LLMRequest request) override { return structured_.chat(std::move(request)); }

 private:
  LedgerProvider ledger_;
  RetryingProvider retrying_;
  StructuredProvider structured_;
};

}  // namespace

std::unique_ptr<BaseLLMProvider> make_call_stack(LedgerProvider::Ports ports, Entropy& entropy, RetryOptions retries, CallAccount account) {
  return std::make_unique<CallStack>(ports, entropy, retries, std::move(account));
}

}  // namespace conductorai::integrations
