#include "integrations/llm/prices.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/document/document.hpp"

namespace conductorai::integrations {

namespace document = core::document;

namespace {

constexpr std::int64_t kMillion = 1'000'000;
constexpr double kDollarsMax = 1'000'000;

struct Row {
  std::string_view model;
  double input, output, cached_input, cache_write;
};
constexpr int kBatchPercent = 50;  // with both providers

// Dollars for a million tokens, as the providers' pages had them on kPricesDate. Models with a dearer rate for long prompts have that one.
constexpr std::array kOpenAi{
    Row{"gpt-4o", 2.50, 10.00, 1.25, 2.50},      Row{"gpt-4o-mini", 0.15, 0.60, 0.075, 0.15},  Row{"gpt-4.1", 2.00, 8.00, 0.50, 2.00},
    Row{"gpt-4.1-mini", 0.40, 1.60, 0.10, 0.40}, Row{"gpt-4.1-nano", 0.10, 0.40, 0.025, 0.10}, Row{"o3", 2.00, 8.00, 0.50, 2.00},
    Row{"o4-mini", 1.10, 4.40, 0.275, 1.10},     Row{"gpt-5", 1.25, 10.00, 0.125, 1.25},       Row{"gpt-5-mini", 0.25, 2.00, 0.025, 0.25},
    Row{"gpt-5-nano", 0.05, 0.40, 0.005, 0.05},
};
constexpr std::array kAnthropic{
    Row{"claude-opus-4", 15.00, 75.00, 1.50, 30.00},    Row{"claude-opus-4-1", 15.00, 75.00, 1.50, 30.00},
    Row{"claude-opus-4-5", 5.00, 25.00, 0.50, 10.00},   Row{"claude-sonnet-4", 6.00, 22.50, 0.60, 12.00},
    Row{"claude-sonnet-4-5", 6.00, 22.50, 0.60, 12.00}, Row{"claude-3-7-sonnet", 3.00, 15.00, 0.30, 6.00},
    Row{"claude-haiku-4-5", 1.00, 5.00, 0.10, 2.00},    Row{"claude-3-5-haiku", 0.80, 4.00, 0.08, 1.60},
};

std::int64_t micros(double dollars) {
  return std::llround(dollars * 1e6);
}

/// Of openai, what a batch takes off is all that is taken off; of anthropic both are.
std::optional<Price> built_in(std::string_view model) {
  const auto price_in = [&](const auto& table, bool cache_counts_in_batches) -> std::optional<Price> {
    const auto* const row = std::ranges::find(table, model, &Row::model);
    if (row == table.end()) return std::nullopt;
    return Price{micros(row->input),       micros(row->output), micros(row->cached_input),
                 micros(row->cache_write), kBatchPercent,       cache_counts_in_batches};
  };
  auto price = price_in(kOpenAi, false);
  return price ? price : price_in(kAnthropic, true);
}

std::int64_t rounded_up(std::int64_t tokens, std::int64_t rate) {
  return (std::max<std::int64_t>(tokens, 0) * rate + kMillion - 1) / kMillion;
}

/// "gpt-4.1-2025-04-14" and "claude-sonnet-4-5-20250929" without their dates.
std::string_view undated(std::string_view model) {
  const auto digits = [](std::string_view text) { return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }); };
  const auto tail = [&](std::size_t size) { return model.substr(model.size() - size); };
  if (model.size() > 9 && tail(9).front() == '-' && digits(tail(8))) return model.substr(0, model.size() - 9);
  if (model.size() > 11 && tail(11).front() == '-' && digits(tail(10).substr(0, 4)) && tail(6).front() == '-' && tail(3).front() == '-' &&
      digits(tail(5).substr(0, 2)) && digits(tail(2)))
    return model.substr(0, model.size() - 11);
  return model;
}

Result<Price> price_of(const document::Member& member, const std::string& file) {
  const auto where = [&](const document::Position& at) { return file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column); };
  if (!member.value.is(document::Node::Kind::map))
    return fail(ErrorCode::invalid_argument, "expected the prices of " + member.key + " as a mapping", where(member.value.at));
  Price price;
  bool input = false;
  bool output = false;
  std::optional<std::int64_t> cached, write;
  for (const document::Member& rate : member.value.members) {
    if (rate.key == "batch") {
      if (!rate.value.is_number() || rate.value.number < 0 || rate.value.number > 1)
        return fail(ErrorCode::invalid_argument, "expected a part from 0 to 1, found " + document::describe(rate.value),
                    where(rate.value.at));
      price.batch_percent = static_cast<int>(std::ceil(rate.value.number * 100 - 1e-9));
      continue;
    }
    if (!rate.value.is_number() || rate.value.number < 0 || rate.value.number > kDollarsMax)
      return fail(ErrorCode::invalid_argument, "expected dollars for a million tokens, found " + document::describe(rate.value),
                  where(rate.value.at));
    const std::int64_t value = micros(rate.value.number);
    if (rate.key == "input") {
      price.input = value;
      input = true;
    } else if (rate.key == "output") {
      price.output = value;
      output = true;
    } else if (rate.key == "cached-input") {
      cached = value;
    } else if (rate.key == "cache-write") {
      write = value;
    } else {
      return fail(ErrorCode::invalid_argument, "unknown key '" + rate.key + "'", where(rate.key_at),
                  "known: input, output, cached-input, cache-write, batch");
    }
  }
  if (!input || !output)
    return fail(ErrorCode::invalid_argument, "the price of " + member.key + " lacks input or output", where(member.key_at));
  price.cached_input = cached.value_or(price.input);
  price.cache_write = write.value_or(price.input);
  return price;
}

}  // namespace

Price in_batches(Price price) {
  if (!price.cache_counts_in_batches) price.cached_input = price.input;
  for (std::int64_t* rate : {&price.input, &price.output, &price.cached_input, &price.cache_write})
    *rate = (*rate * price.batch_percent + 99) / 100;
  return price;
}

std::int64_t cost(const Price& price, const LLMResponse& answer) {
  const std::int64_t fresh = answer.usage.input_tokens - answer.cached_input_tokens - answer.cache_write_tokens;
  return rounded_up(fresh, price.input) + rounded_up(answer.cached_input_tokens, price.cached_input) +
         rounded_up(answer.cache_write_tokens, price.cache_write) + rounded_up(answer.usage.output_tokens, price.output);
}

std::int64_t worst_cost(const Price& price, std::int64_t input_tokens, std::int64_t output_tokens_max) {
  const std::int64_t dearest = std::max({price.input, price.cached_input, price.cache_write});
  return rounded_up(input_tokens, dearest) + 2 + rounded_up(output_tokens_max, price.output);  // each part of `cost` is rounded by itself
}

Result<PriceTable> PriceTable::load(const std::filesystem::path& file) {
  auto loaded = document::load(file);
  if (!loaded) return fail(loaded.error());
  const document::Node* models = loaded->root.find("models");
  if (models == nullptr || !models->is(document::Node::Kind::map))
    return fail(ErrorCode::invalid_argument, "expected `models:` with a price for each name", file.string());
  PriceTable table;
  for (const document::Member& member : models->members) {
    auto price = price_of(member, file.string());
    if (!price) return fail(price.error());
    table.users_[member.key] = *price;
  }
  return table;
}

std::optional<Price> PriceTable::find(std::string_view model, bool own_service) const {
  for (const std::string_view name : {model, undated(model)}) {
    if (const auto found = users_.find(name); found != users_.end()) return found->second;
    if (!own_service) continue;
    if (auto price = built_in(name)) return price;
  }
  return std::nullopt;
}

}  // namespace conductorai::integrations
