#pragma once
// What models cost. The built-in table is dated; a file of the user's comes before it.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "conductorai/llm_provider.hpp"
#include "conductorai/state_manager.hpp"

namespace conductorai::integrations {

/// Millionths of a US dollar for a million tokens: "2.50" of a price list is 2'500'000.
struct Price {
  std::int64_t input = 0;
  std::int64_t output = 0;
  std::int64_t cached_input = 0;
  std::int64_t cache_write = 0;
  int batch_percent = 100;              // of these, for a call in a batch …
  bool cache_counts_in_batches = true;  // … where input from a cache is as dear as any other if this is false
  friend bool operator==(const Price&, const Price&) = default;
};

/// The day the built-in table was written down.
inline constexpr std::string_view kPricesDate = "2026-01-01";

/// What a call in a batch costs.
Price in_batches(Price price);
/// Millionths of a dollar, each part rounded up.
std::int64_t cost(const Price& price, const LLMResponse& answer);
/// All input at the dearest rate of input, and all of the output there may be.
std::int64_t worst_cost(const Price& price, std::int64_t input_tokens, std::int64_t output_tokens_max);

class PriceTable {
 public:
  PriceTable() = default;
  /// A file `models: { NAME: { input: 2.50, output: 10.00, cached-input: 1.25, cache-write: 3.10, batch: 0.5 } }`, in dollars for a million
  /// tokens. What it leaves out of a model costs as its input; `batch`, the part of it that a call in a batch costs, is 1. Errors:
  /// not_found, invalid_argument.
  static Result<PriceTable> load(const std::filesystem::path& file);

  /// The user's price for the model, on whatever service; else, on the provider's own (`own_service`), the built-in one. A name with a date
  /// at its end ("gpt-4.1-2025-04-14") is the model without it.
  [[nodiscard]] std::optional<Price> find(std::string_view model, bool own_service) const;

 private:
  std::map<std::string, Price, std::less<>> users_;
};

}  // namespace conductorai::integrations
