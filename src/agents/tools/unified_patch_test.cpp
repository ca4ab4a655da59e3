#include "agents/tools/unified_patch.hpp"

#include <gmock/gmock.h>

namespace conductorai::agents {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kFile = "one\ntwo\nthree\nfour\nfive\n";

Result<std::optional<std::string>> patched(std::string_view patch, std::optional<std::string> before = std::string(kFile)) {
  auto files = parse_patch(patch);
  if (!files) return fail(files.error());
  return apply_patch(files->front(), before);
}
std::string text_of(const Result<std::optional<std::string>>& result) {
  return result ? result->value_or("(deleted)") : "(" + result.error().message + ")";
}

TEST(UnifiedPatch, ReplacesLinesInTheirContext) {
  EXPECT_EQ(text_of(patched("--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n")), "one\nTWO\nthree\nfour\nfive\n");
}

TEST(UnifiedPatch, FindsItsPlaceWhereTheLineNumberIsWrong) {
  EXPECT_EQ(text_of(patched("--- a/x\n+++ b/x\n@@ -40,2 +40,2 @@\n four\n-five\n+FIVE\n")), "one\ntwo\nthree\nfour\nFIVE\n");
}

TEST(UnifiedPatch, CountsInItsHeadersAreNotReliedOn) {
  EXPECT_EQ(text_of(patched("--- a/x\n+++ b/x\n@@ -1,99 +1,1 @@\n one\n-two\n+TWO\n")), "one\nTWO\nthree\nfour\nfive\n");
}

TEST(UnifiedPatch, TakesTheNearestOfEqualPlaces) {
  const std::string twice = "a\nx\nb\nx\nc\n";
  EXPECT_EQ(text_of(patched("--- a/x\n+++ b/x\n@@ -4 +4 @@\n-x\n+y\n", twice)), "a\nx\nb\ny\nc\n");
}

TEST(UnifiedPatch, RefusesAPlaceItCannotTell) {
  EXPECT_THAT(text_of(patched("--- a/x\n+++ b/x\n@@\n-x\n+y\n", "a\nx\nb\nx\nc\n")), HasSubstr("fits at 2 places"));
}

TEST(UnifiedPatch, LaterHunksMoveWithWhatEarlierOnesAdded) {
  EXPECT_EQ(text_of(patched("--- a/x\n+++ b/x\n@@ -1,1 +1,3 @@\n one\n+1a\n+1b\n@@ -5,1 +7,1 @@\n-five\n+FIVE\n")),
            "one\n1a\n1b\ntwo\nthree\nfour\nFIVE\n");
}

TEST(UnifiedPatch, SaysWhatItExpectedAndWhatStandsThere) {
  const std::string told = text_of(patched("--- a/x\n+++ b/x\n@@ -2,1 +2,1 @@\n-zwei\n+deux\n"));
  EXPECT_THAT(told, HasSubstr("hunk 1 of x does not fit"));
  EXPECT_THAT(told, HasSubstr("  zwei\n"));
  EXPECT_THAT(told, HasSubstr("  2: two\n"));
}

TEST(UnifiedPatch, AddsAndDeletesFiles) {
  EXPECT_EQ(text_of(patched("--- /dev/null\n+++ b/new/x\n@@ -0,0 +1,2 @@\n+one\n+two\n", std::nullopt)), "one\ntwo\n");
  EXPECT_EQ(text_of(patched("--- a/x\n+++ /dev/null\n@@ -1,5 +0,0 @@\n-one\n-two\n-three\n-four\n-five\n")), "(deleted)");
  EXPECT_THAT(text_of(patched("--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+one\n")), HasSubstr("is there already"));
  EXPECT_THAT(text_of(patched("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n+two\n", std::nullopt)), HasSubstr("is not there"));
  EXPECT_THAT(text_of(patched("--- a/x\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-one\n")), HasSubstr("does not take all its lines away"));
}

TEST(UnifiedPatch, KeepsHowAFileEnds) {
  EXPECT_EQ(text_of(patched("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n+ONE\n", "one\ntwo")), "ONE\ntwo");
  EXPECT_EQ(text_of(patched("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n\\ No newline at end of file\n+one\n", "one")), "one\n");
  EXPECT_EQ(text_of(patched("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n+one\n\\ No newline at end of file\n", "one\n")), "one");
}

TEST(UnifiedPatch, FitsFilesOfOtherLineEnds) {
  EXPECT_EQ(text_of(patched("--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n", "one\r\ntwo\r\nthree\r\n")), "one\r\n2\r\nthree\r\n");
}

TEST(UnifiedPatch, AnEmptyLineOfAHunkIsAnEmptyLineOfTheFile) {
  EXPECT_EQ(text_of(patched("--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n one\n\n-two\n+2\n\n", "one\n\ntwo\n")), "one\n\n2\n");
}

TEST(UnifiedPatch, LinesThatLookLikeHeadersAreLinesWithinTheirHunk) {
  EXPECT_EQ(text_of(patched("--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- old\n+++ new\n end\n", "-- old\nend\n")), "++ new\nend\n");
}

TEST(UnifiedPatch, ReadsManyFilesAndProseAround) {
  auto files = parse_patch(
      "Here it is:\n\ndiff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n\n--- a/./y\t2024\n+++ b/./y\n"
      "@@ -1 +1 @@\n-a\n+b\n");
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ((*files)[0].path, "x");
  EXPECT_EQ((*files)[0].hunks.front().lines.size(), 2u);
  EXPECT_EQ((*files)[1].path, "y");
}

TEST(UnifiedPatch, RefusesWhatItDoesNotTake) {
  const auto told = [](std::string_view patch) {
    auto files = parse_patch(patch);
    return files ? std::string("accepted") : files.error().message;
  };
  EXPECT_THAT(told(""), HasSubstr("no patch in it"));
  EXPECT_THAT(told("@@ -1 +1 @@\n-a\n+b\n"), HasSubstr("before any"));
  EXPECT_THAT(told("diff --git a/x b/y\nrename from x\nrename to y\n"), HasSubstr("renames"));
  EXPECT_THAT(told("--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n"), HasSubstr("two paths"));
  EXPECT_THAT(told("GIT binary patch\nliteral 3\n"), HasSubstr("binary"));
  EXPECT_THAT(told("--- a/x\n+++ b/x\n"), HasSubstr("no hunk follows"));
  EXPECT_THAT(told("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"), HasSubstr("twice"));
  EXPECT_THAT(told("*** Begin Patch\n*** Update File: x\n"), HasSubstr("no unified diff"));
}

}  // namespace
}  // namespace conductorai::agents
