#include "agents/base/secret_mask.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace conductorai::agents {
namespace {

const std::string kSecret = "hunter2-hunter2";

TEST(SecretMask, KnowsSecretsByTheNamesOfTheirVariables) {
  for (const char* name : {"OPENAI_API_KEY", "github_token", "DB_PASSWORD", "ClientSecret", "MYSQL_PASSWD", "GOOGLE_CREDENTIALS"})
    EXPECT_TRUE(names_a_secret(name)) << name;
  for (const char* name : {"HOME", "PATH", "GIT_AUTHOR_NAME", "LANG"}) EXPECT_FALSE(names_a_secret(name)) << name;
  EXPECT_EQ(secrets_in({{"A_KEY", "one"}, {"B", "two"}, {"C_TOKEN", "three"}}, {"A_KEY", "B", "MISSING_KEY"}),
            std::vector<std::string>{"one"});
}

TEST(SecretMask, TakesOutEveryOccurrenceTheLongestFirst) {
  const SecretMask mask({kSecret, kSecret + "-long", "short"});
  EXPECT_EQ(mask.text("a " + kSecret + "-long b " + kSecret + kSecret + " short"), "a *** b ****** short");
  EXPECT_EQ(mask.text("hunter2-hunter"), "hunter2-hunter");
}

TEST(SecretMask, TakesOutTheLinesOfAKeyFile) {
  const SecretMask mask({"-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ\n"});
  EXPECT_EQ(mask.text("line: MIIEvQIBADANBg."), "line: ***.");
  EXPECT_EQ(mask.text("-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ"), "***");
}

TEST(SecretMask, HoldsBackOfAStreamOnlyWhatMayBeASecret) {
  const SecretMask mask({kSecret, "hunter2-hunter2-long"});
  SecretMask::Stream stream(mask);
  EXPECT_EQ(stream.feed("first", false), "first");
  EXPECT_EQ(stream.feed(" hunt", false), " ");
  EXPECT_EQ(stream.feed("ers ", false), "hunters ");
  EXPECT_EQ(stream.feed("hunter2-", false), "");
  EXPECT_EQ(stream.feed("hunter2", false), "") << "the longer one may follow";
  EXPECT_EQ(stream.feed(". h", false), "***. ");
  EXPECT_EQ(stream.feed("", true), "h");
}

TEST(SecretMask, ReachesIntoValues) {
  const SecretMask mask({kSecret});
  EXPECT_EQ(mask.value(Object{{"log", Array{"x " + kSecret, 3}}}), Value(Object{{"log", Array{"x ***", 3}}}));
}

TEST(SecretMask, LeavesNoHalvesWhereOutputWasCut) {
  const SecretMask mask({kSecret});
  CapturedOutput cut{.head = "start hunter2-h", .tail = "unter2 end", .total_bytes = 1'000'000, .truncated = false, .file = {}};
  mask.output(cut);
  EXPECT_EQ(cut.head, "start ***");
  EXPECT_EQ(cut.tail, "*** end");
  CapturedOutput whole{.head = "start hunter2-h", .tail = {}, .total_bytes = 15, .truncated = false, .file = {}};
  mask.output(whole);
  EXPECT_EQ(whole.head, "start hunter2-h");
}

TEST(SecretMask, FindsSecretsInFilesAcrossTheBordersOfItsPieces) {
  const SecretMask mask({kSecret, "another-secret"});
  const auto path = std::filesystem::temp_directory_path() / ("conductorai-mask-" + std::to_string(::getpid()));
  for (std::size_t shift = 0; shift <= kSecret.size(); ++shift) {
    const std::string before((std::size_t{1} << 20) - shift, '.');
    std::ofstream(path, std::ios::binary) << before << kSecret << std::string(2 << 20, 'y') << "another-secret" << kSecret.substr(0, 9);
    ASSERT_TRUE(mask.file(path, true));
    std::ifstream in(path, std::ios::binary);
    const std::string now{std::istreambuf_iterator<char>(in), {}};
    ASSERT_EQ(now, before + "***" + std::string(2 << 20, 'y') + "******") << shift;
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace conductorai::agents
