#include "integrations/llm/wire/api_error.hpp"

#include <gtest/gtest.h>

#include "integrations/llm/wire/service.hpp"

namespace conductorai::integrations {
namespace {

constexpr Timestamp kNow{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}.time_since_epoch()};

std::optional<Milliseconds> wait(std::string name, std::string value) {
  return retry_after({{std::move(name), std::move(value)}}, kNow);
}

TEST(RetryAfter, IsReadInAllItsForms) {
  EXPECT_EQ(wait("retry-after", "2"), Milliseconds(2'000));
  EXPECT_EQ(wait("retry-after", "0.25"), Milliseconds(250));
  EXPECT_EQ(wait("retry-after-ms", "1500"), Milliseconds(1'500));
  EXPECT_EQ(wait("retry-after", "Thu, 01 Jan 2026 00:00:09 GMT"), Milliseconds(9'000));
}

TEST(RetryAfter, ADateCountsByTheServicesOwnClock) {
  const WireHeaders headers{{"date", "Sat, 01 Mar 2025 12:00:00 GMT"}, {"retry-after", "Sat, 01 Mar 2025 12:00:07 GMT"}};
  EXPECT_EQ(retry_after(headers, kNow), Milliseconds(7'000));
  EXPECT_EQ(retry_after({{"date", "no date"}, {"retry-after", "Thu, 01 Jan 2026 00:00:09 GMT"}}, kNow), Milliseconds(9'000));
}

TEST(RetryAfter, IsNoneWhenItIsPastOrMakesNoSense) {
  for (const char* value : {"", "soon", "-1", "nan", "inf", "1e300", "1 2", "Sun, 22 Nov 2020 00:00:00 GMT", "Thu, 99 Jan"})
    EXPECT_EQ(wait("retry-after", value), std::nullopt) << value;
}

TEST(StatusErrors, AreTriedAgainOnlyWhereThatCanHelp) {
  for (const int status : {408, 409, 429, 500, 502, 503, 529}) EXPECT_NE(status_error(status, {}, "", kNow).retry, Retry::never) << status;
  for (const int status : {301, 400, 401, 403, 404, 413, 422}) EXPECT_EQ(status_error(status, {}, "", kNow).retry, Retry::never) << status;
  EXPECT_EQ(status_error(503, {{"x-should-retry", "false"}}, "", kNow).retry, Retry::never);
}

TEST(StatusErrors, SayWhatCameWhenItWasNoJson) {
  const Error error = status_error(502, {}, "<html>\x1b[31m Bad Gateway", kNow);
  EXPECT_NE(error.message.find("Bad Gateway"), std::string::npos);
  EXPECT_EQ(error.message.find('\x1b'), std::string::npos);
}

TEST(Keys, AreHiddenInAllTextsOfAnError) {
  Error error{.message = "wrong key: my-secret-key and sk-proj-abc***xyz, not task-list-of-things",
              .where = "http://my-secret-key@x",
              .hint = "my-secret-key"};
  hide_key(error, "my-secret-key");
  EXPECT_EQ(error.message, "wrong key: *** and sk-***, not task-list-of-things");
  EXPECT_EQ(error.where, "http://***@x");
  EXPECT_EQ(error.hint, "***");
}

TEST(Urls, KeepTheirQueryBehindThePath) {
  EXPECT_EQ(joined_url("https://x.azure.com/openai/?api-version=1", "/models"), "https://x.azure.com/openai/models?api-version=1");
  EXPECT_EQ(anthropic_protocol({.base_url = "http://h/v1/"}).url, "http://h/v1/messages");
  EXPECT_EQ(anthropic_protocol({.base_url = "http://h"}).url, "http://h/v1/messages");
}

}  // namespace
}  // namespace conductorai::integrations
