// The parser-torture fixtures (CONDUCTORAI_FIXTURES): nothing accepted that must be refused, each refusal says where, values as published.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <set>

#include "core/document/document.hpp"
#include "core/json.hpp"

namespace conductorai::core::document {
namespace {

std::string decode_base64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (const char c : text) {
    const auto digit = kDigits.find(c);
    if (digit == std::string_view::npos) continue;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    if ((count += 6) >= 8) out += static_cast<char>(bits >> (count -= 8) & 0xFF);
  }
  return out;
}

struct Case {
  std::string name, title, expect, text;
  std::optional<std::string> json;
};

std::vector<Case> read_cases(const std::string& file) {
  std::vector<Case> cases;
  std::ifstream stream(std::string(std::getenv("CONDUCTORAI_FIXTURES")) + "/parser-torture/" + file);
  for (std::string line; std::getline(stream, line);) {
    const Value value = parse_json(line).value();
    const auto text = [&value](const char* key) { return value.find(key) ? *value.find(key)->as_string() : std::string(); };
    Case one{text("name"), text("title"), text("expect"), decode_base64(text("b64")), std::nullopt};
    if (value.find("json")) one.json = text("json");
    if (value.find("repeat_unit")) {
      for (std::int64_t i = 0; i < *value.find("repeat_count")->as_int(); ++i) one.text += text("repeat_unit");
      one.text += text("suffix");
    }
    cases.push_back(std::move(one));
  }
  return cases;
}

#define NEED_FIXTURES() \
  if (std::getenv("CONDUCTORAI_FIXTURES") == nullptr) GTEST_SKIP() << "CONDUCTORAI_FIXTURES is not set"

Result<Node> timed_parse(const Case& one, Format format) {
  const auto start = std::chrono::steady_clock::now();
  auto result = parse(one.text, "case", format);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1)) << one.name;
  if (!result) EXPECT_THAT(result.error().where, testing::MatchesRegex("case:[0-9]+:[0-9]+")) << one.name;
  return result;
}

TEST(Torture, RefusesAllYamlThatMustBeRefusedAndReadsTheRest) {
  NEED_FIXTURES();
  // The subset: several documents, keys that are not texts, empty keys, %TAG. Refused with a reason, never misread.
  const std::set<std::string> beyond_the_subset{"JHB9", "PUW8",    "NKF9", "2JQS", "GH63", "L94M",
                                                "M5DY", "M2N8/01", "U3C3", "PW8X", "FH7J", "9MMW"};
  int accepted = 0;
  for (const Case& one : read_cases("yaml.jsonl")) {
    const auto result = timed_parse(one, Format::yaml);
    if (one.expect == "reject" || beyond_the_subset.contains(one.name)) {
      EXPECT_FALSE(result) << one.name << " " << one.title;
      continue;
    }
    EXPECT_TRUE(result) << one.name << " " << one.title << ": " << (result ? "" : to_string(result.error()));
    if (!result) continue;
    ++accepted;
    if (one.json && !one.json->empty())
      EXPECT_EQ(to_value(*result), parse_json(*one.json).value()) << one.name << " " << to_json(to_value(*result));
  }
  EXPECT_GE(accepted, 31);
}

TEST(Torture, ReadsJsonToTheLetter) {
  NEED_FIXTURES();
  for (const Case& one : read_cases("json.jsonl")) {
    const auto result = timed_parse(one, Format::json);
    if (one.expect == "reject") EXPECT_FALSE(result) << one.name;
    if (one.expect == "accept") EXPECT_TRUE(result) << one.name << ": " << (result ? "" : to_string(result.error()));
  }
}

TEST(Torture, EveryPrefixOfEveryCaseIsReadOrRefused) {
  NEED_FIXTURES();
  for (const char* file : {"yaml.jsonl", "json.jsonl"}) {
    for (const Case& one : read_cases(file)) {
      if (one.text.size() > 1'000) continue;
      for (std::size_t size = 0; size <= one.text.size(); ++size) {
        (void)parse(std::string_view(one.text).substr(0, size), "case", Format::yaml);
        (void)parse(std::string_view(one.text).substr(0, size), "case", Format::json);
      }
    }
  }
}

}  // namespace
}  // namespace conductorai::core::document
