#include "integrations/llm/prices.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_folder.hpp"

namespace conductorai::integrations {
namespace {

TEST(Prices, AreThoseOfTheModelWithoutItsDate) {
  const PriceTable table;
  const auto plain = table.find("gpt-4.1", true);
  ASSERT_TRUE(plain);
  EXPECT_EQ(table.find("gpt-4.1-2025-04-14", true), plain);
  EXPECT_EQ(table.find("claude-sonnet-4-5-20250929", true), table.find("claude-sonnet-4-5", true));
  EXPECT_FALSE(table.find("gpt-4.1-turbo", true));
}

TEST(Prices, OfTheTableHoldOnlyOnTheProvidersOwnService) {
  EXPECT_FALSE(PriceTable().find("gpt-4.1", false));
}

TEST(Prices, OfTheUserComeFirstAndHoldEverywhere) {
  const testing::TempFolder folder;
  std::ofstream(folder.path() / "p.yaml") << "models: { gpt-4.1: { input: 1.5, output: 2 } }\n";
  const auto table = PriceTable::load(folder.path() / "p.yaml");
  ASSERT_TRUE(table) << to_string(table.error());
  EXPECT_EQ(table->find("gpt-4.1-2025-04-14", false), (Price{1'500'000, 2'000'000, 1'500'000, 1'500'000}));
}

TEST(Prices, ThatMakeNoSenseAreRefusedWithTheirPlace) {
  const testing::TempFolder folder;
  for (const char* text : {"models: { m: { input: -1, output: 2 } }", "models: { m: { input: 1 } }", "models: { m: { inptu: 1 } }", "[]",
                           "models: { m: { input: 1, output: 2, batch: 2 } }"}) {
    std::ofstream(folder.path() / "p.yaml") << text << "\n";
    const auto table = PriceTable::load(folder.path() / "p.yaml");
    ASSERT_FALSE(table) << text;
    EXPECT_EQ(table.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(table.error().where.find("p.yaml"), std::string::npos);
  }
}

TEST(Prices, InBatchesAreHalf) {
  const Price openai = in_batches(*PriceTable().find("gpt-4.1", true));
  EXPECT_EQ(openai.input, 1'000'000);
  EXPECT_EQ(openai.output, 4'000'000);
  EXPECT_EQ(openai.cached_input, 1'000'000) << "nothing more is taken off for a cache";
  EXPECT_EQ(in_batches(*PriceTable().find("claude-haiku-4-5", true)).cached_input, 50'000);
}

TEST(Prices, OfTheUserAreTheSameInBatchesUnlessTheySayOtherwise) {
  const testing::TempFolder folder;
  std::ofstream(folder.path() / "p.yaml") << "models: { a: { input: 1, output: 3 }, b: { input: 1, output: 3, batch: 0.25 } }\n";
  const auto table = PriceTable::load(folder.path() / "p.yaml");
  ASSERT_TRUE(table) << to_string(table.error());
  EXPECT_EQ(in_batches(*table->find("a", false)).output, 3'000'000);
  EXPECT_EQ(in_batches(*table->find("b", false)).output, 750'000);
}

TEST(Prices, NeverCostMoreThanTheWorstCase) {
  const Price price = *PriceTable().find("claude-sonnet-4-5", true);
  LLMResponse answer;
  answer.usage.input_tokens = 1'001;
  answer.cached_input_tokens = 333;
  answer.cache_write_tokens = 335;
  answer.usage.output_tokens = 77;
  EXPECT_LE(cost(price, answer), worst_cost(price, 1'001, 77));
  answer.cached_input_tokens = answer.cache_write_tokens = 0;
  EXPECT_EQ(cost(price, answer), (1'001 * 6) + (77 * 45 + 1) / 2);
}

}  // namespace
}  // namespace conductorai::integrations
