#include "infrastructure/sandbox/text_cleaner.hpp"

#include <gtest/gtest.h>

namespace conductorai::infrastructure {
namespace {

TEST(CleanText, KeepsWordsAndLosesEscapeSequences) {
  EXPECT_EQ(clean_text("\x1b[31mred\x1b[0m plain\n"), "red plain\n");
  EXPECT_EQ(clean_text("\x1b]0;title\x07shown"), "shown");
  EXPECT_EQ(clean_text("\x1b]52;c;aGk=\x1b\\shown"), "shown");
  EXPECT_EQ(clean_text("\x1bPq#0;2\x1b\\shown\x1b(B!"), "shown!");
  EXPECT_EQ(clean_text("a\bb\x07\x7f\x01"
                       "c\td"),
            "abc\td");
}

TEST(CleanText, AnUnfinishedSequenceHidesNothingBehindTheNextLine) {
  EXPECT_EQ(clean_text("\x1b]0;never ended\nFAILED 3 tests\n"), "\nFAILED 3 tests\n");
  EXPECT_EQ(clean_text("\x1b[12;\nFAILED\n"), "\nFAILED\n");
  const std::string after = clean_text("\x1b]" + std::string(10'000, 'x') + "FAILED");
  EXPECT_TRUE(after.ends_with("FAILED"));
}

TEST(CleanText, TakesEightBitControlsAndReorderingAway) {
  EXPECT_EQ(clean_text("a\xc2\x9b"
                       "31mb"),
            "a31mb");
  EXPECT_EQ(clean_text("a\xe2\x80\xae"
                       "b\xe2\x81\xa6"
                       "c"),
            "abc");
}

TEST(CleanText, MakesAnyBytesValidUtf8) {
  EXPECT_EQ(clean_text("gr\xc3\xbc\xc3\x9f \xe2\x9c\x93 \xf0\x9f\x98\x80"), "gr\xc3\xbc\xc3\x9f \xe2\x9c\x93 \xf0\x9f\x98\x80");
  EXPECT_EQ(clean_text("\xff\xfe"), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(clean_text("\xe2\x82"
                       "A"),
            "\xef\xbf\xbd"
            "A");                                                 // cut short
  EXPECT_EQ(clean_text("\xed\xa0\x80"), "\xef\xbf\xbd");          // surrogate
  EXPECT_EQ(clean_text("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");  // overlong
  EXPECT_EQ(clean_text("end\xf0\x9f"), "end\xef\xbf\xbd");
}

TEST(CleanText, TurnsCarriageReturnsIntoNewlines) {
  EXPECT_EQ(clean_text("one\r\ntwo\rthree"), "one\ntwo\nthree");
}

TEST(TextCleaner, SeesSequencesAcrossPieces) {
  TextCleaner cleaner;
  std::string out;
  for (const char* piece : {"a\x1b", "[3", "1", "mb\xe2", "\x9c", "\x93\r", "\nc"}) out += cleaner.feed(piece);
  out += cleaner.finish();
  EXPECT_EQ(out, "ab\xe2\x9c\x93\nc");
}

}  // namespace
}  // namespace conductorai::infrastructure
