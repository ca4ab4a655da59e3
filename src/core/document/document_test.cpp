#include "core/document/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "core/document/reader.hpp"
#include "core/document/stream.hpp"
#include "core/json.hpp"

namespace conductorai::core::document {
namespace {

using testing::HasSubstr;

std::string yaml(std::string_view text) {
  const auto node = parse(text, "f", Format::yaml);
  return node ? to_json(to_value(*node)) : to_string(node.error());
}

TEST(Yaml, ReadsWhatPeopleWrite) {
  EXPECT_EQ(yaml("a: 1\nb: [x, 'y', \"z\\n\"]\nc:\n- 1\n- d: 2\n  e: ~\n"), R"({"a":1,"b":["x","y","z\n"],"c":[1,{"d":2,"e":null}]})");
  EXPECT_EQ(yaml("a: |\n  x\n   y\n\n  z\n\nb: >-\n  p\n  q\n\n  r\n"), R"({"a":"x\n y\n\nz\n","b":"p q\nr"})");
  EXPECT_EQ(yaml("a: |\n  no newline"), R"({"a":"no newline"})");
  EXPECT_EQ(yaml("a: # c\n  b # d\nc: http://x:80/#y\n"), R"({"a":"b","c":"http://x:80/#y"})");
  EXPECT_EQ(yaml("{\n\t\"a\": [1,\n\t\t2]\n}"), R"({"a":[1,2]})");
  EXPECT_EQ(yaml("a: 1\r\nb: 2\r\n"), R"({"a":1,"b":2})");
}

TEST(Yaml, KnowsTheCoreSchemaOnly) {
  EXPECT_EQ(yaml("[yes, on, 0777, 0o17, 0x1F, 1_000, 12:30, 1., .5, -3, +4, True, NULL, .inf, 1e3]"),
            R"(["yes","on",777,15,31,"1_000","12:30",1.0,0.5,-3,4,true,null,".inf",1000.0])");
  EXPECT_EQ(yaml("[!!str 1, !!int \"2\", ! 3]"), R"(["1",2,"3"])");
  EXPECT_THAT(yaml("a: !!python/object:os.system x"), HasSubstr("unknown tag '!!python/object:os.system'"));
  EXPECT_THAT(yaml("a: !ref x"), HasSubstr("unknown tag '!ref' (f:1:4)"));
}

TEST(Yaml, FollowsAnchorsAndMerges) {
  EXPECT_EQ(yaml("base: &b { x: 1, y: 2 }\nthis:\n  <<: *b\n  y: 3\nlist: [*b]\n"),
            R"({"base":{"x":1,"y":2},"list":[{"x":1,"y":2}],"this":{"x":1,"y":3}})");
  EXPECT_THAT(yaml("a: *nowhere"), HasSubstr("unknown alias 'nowhere' (f:1:4)"));
  EXPECT_THAT(yaml("a: &a [*a]"), HasSubstr("unknown alias"));
}

TEST(Yaml, SaysWhereAndWhy) {
  EXPECT_EQ(yaml("a: 1\n\tb: 2\n"), "a tab cannot indent (f:2:1)");
  EXPECT_EQ(yaml("a: b: c\n"), "a mapping cannot begin on this line (f:1:5)");
  EXPECT_EQ(yaml("a:\n  b: 1\n c: 2\n"), "this line is indented more than the key it would stand beside (f:3:2)");
  EXPECT_EQ(yaml("a: 1\na: 2\n"), "the key 'a' stands here a second time; the first is on line 1 (f:2:1)");
  EXPECT_EQ(yaml("a: [1, 2\nb: 3\n"), "inside brackets, every line must be indented more than the key they belong to (f:2:1)");
  EXPECT_EQ(yaml("a: {b: 1"), "the bracket '{' is never closed (f:1:4)");
  EXPECT_EQ(yaml("a: \"x\nb: 2\n"), "the lines of a quoted text must be indented more than the key they belong to (f:2:1)");
  EXPECT_EQ(yaml("a: @x\n"), "a text cannot begin with '@' (f:1:4)");
  EXPECT_EQ(yaml("a:1\nb: 2\n"), "a mapping value is not allowed here (f:2:2)");
  EXPECT_EQ(yaml("- a\nb: 1\n"), "this line belongs to nothing before it (f:2:1)");
  EXPECT_EQ(yaml("a: 1\n---\nb: 2\n"), "a second document begins here (f:2:1)");
  EXPECT_EQ(yaml("? a\n: b\n"), "keys written with '?' are not supported (f:1:1)");
  EXPECT_EQ(yaml("é: \"\\q\"\n"), "unknown escape in a quoted text (f:1:5)");
  EXPECT_EQ(yaml(std::string_view("a: \0", 4)), "a NUL byte cannot stand in a document (f:1:4)");
  EXPECT_EQ(yaml("a: \xC3\x28"), "the byte 0xC3 is not valid UTF-8 (f:1:4)");
  EXPECT_EQ(yaml("a: \x1B[31m"), "the control character 0x1B cannot stand in a document (f:1:4)");
}

TEST(Yaml, BoundsWhatATextMayCost) {
  std::string laughs = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c <= 'i'; ++c) {
    laughs += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 9; ++i) laughs += std::string(i ? ",*" : "*") + static_cast<char>(c - 1);
    laughs += "]\n";
  }
  EXPECT_THAT(yaml(laughs), HasSubstr("more than 100000 values"));
  EXPECT_THAT(yaml(std::string(100, '[')), HasSubstr("nested more than 64 levels deep (f:1:64)"));
  EXPECT_THAT(yaml(std::string(5 << 20, 'x')), HasSubstr("more than 4MiB (f:1:1)"));
  std::string long_text = "a: &a \"" + std::string(1 << 20, 'x') + "\"\nb: [*a, *a, *a, *a, *a, *a, *a, *a]\n";
  EXPECT_THAT(yaml(long_text), HasSubstr("longer than 8MiB together"));
}

Milliseconds processor_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + Milliseconds(used.tv_nsec / 1'000'000);
}

/// Long texts that invite quadratic work: what takes milliseconds takes seconds when it is done wrong, however busy the machine is.
TEST(Yaml, TakesNoLongerThanTheTextIsLong) {
  const auto repeat = [](std::string_view unit) {
    std::string text;
    while (text.size() + unit.size() <= (std::size_t{1} << 18)) text += unit;
    return text;
  };
  for (const std::string_view unit :
       {"[",      "{",  "- ",    "a: ", "\n", " ",   "#",     "# \n", "x\n", "\"", "'",   "\"\n\n",  "&a ",
        "!!str ", "*a", "- x\n", "[a,", "? ", "|\n", "a:\n ", ",",    "\\",  "é",  "[é,", "a\n\n\n", "'a\n"}) {
    const std::string text = repeat(unit);
    for (const std::string& whole : {text, "k: \"" + text.substr(16), "k: [" + text.substr(16), "k: |\n " + text.substr(16)}) {
      const Milliseconds before = processor_time();
      (void)parse(whole, "f", Format::yaml);
      (void)parse(whole, "f", Format::json);
      EXPECT_LT(processor_time() - before, std::chrono::seconds(2)) << quote(whole);
    }
  }
}

TEST(Json, SaysWhereAndWhy) {
  const auto json = [](std::string_view text) {
    const auto node = parse(text, "f.json", Format::json);
    return node ? to_json(to_value(*node)) : to_string(node.error());
  };
  EXPECT_EQ(json(R"( {"a": [1, -2.5e1, "\u00e9\ud83d\ude00", null]} )"), R"({"a":[1,-25.0,"é😀",null]})");
  EXPECT_EQ(json("{\"a\": 1,\n \"a\": 2}"), "the key 'a' stands here a second time (f.json:2:2)");
  EXPECT_EQ(json("[1,]"), "expected a JSON value, found ']' (f.json:1:4)");
  EXPECT_EQ(json("{a: 1}"), "expected a key in double quotes (f.json:1:2)");
  EXPECT_EQ(json("[01]"), "expected a JSON value, found '01' (f.json:1:2)");
  EXPECT_EQ(json("[\"a\n\"]"), "the text is not closed on its line (f.json:1:2)");
  EXPECT_EQ(json("[1] x"), "expected nothing more after the value (f.json:1:5)");
}

TEST(Words, ReadUnits) {
  EXPECT_EQ(parse_duration("250ms"), Milliseconds(250));
  EXPECT_EQ(parse_duration("30d"), std::chrono::days(30));
  EXPECT_EQ(format_duration(std::chrono::days(30)), "30d");
  EXPECT_EQ(format_duration(std::chrono::days(1)), "24h");
  EXPECT_EQ(parse_duration("1.5h"), std::chrono::minutes(90));
  for (const char* wrong : {"", "5", "-5s", "5 s", "5w", "s", "1e3s", "0x10s", "999999999h", ".5s", "5.s", "nans", "1.0001ms"})
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  EXPECT_EQ(parse_size("64KiB"), 65'536);
  EXPECT_EQ(parse_size("1.5GiB"), 1'610'612'736);
  for (const char* wrong : {"", "1GB", "1 GiB", "-1B", "99999999TiB", "KiB"}) EXPECT_FALSE(parse_size(wrong)) << wrong;
  EXPECT_EQ(format_duration(Milliseconds(90'000)), "90s");
  EXPECT_EQ(format_size(std::int64_t{3} << 30), "3GiB");
}

TEST(Stream, PartsAFileAtItsMarkerLinesAndKeepsItsPlaces) {
  const auto parts = split_documents("# nothing\n---\na: 1\n--- # second\nb: |\n  ---\n---x: no marker\n---\n\n# nor here\n---\r\nc: [");
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].text, "---\na: 1\n");
  EXPECT_EQ(parts[1].line, 3U);
  EXPECT_THAT(std::string(parts[1].text), HasSubstr("---x"));
  const auto wrong = parse_part(parts[2], "f");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().where, "f:12:4");
  EXPECT_TRUE(split_documents("").empty());
}

TEST(Words, SuggestSlipsOfThePen) {
  const std::vector<std::string> words{"agent", "needs", "timeout-minutes", "if"};
  EXPECT_EQ(closest("agnet", words), "agent");
  EXPECT_EQ(closest("Timeout_Minutes", words), "timeout-minutes");
  EXPECT_EQ(closest("xyz", words), std::nullopt);
  EXPECT_EQ(closest("", words), std::nullopt);
  EXPECT_EQ(quote("a\x1B[31m\n"), "'a\\x1b[31m\\n'");
}

}  // namespace
}  // namespace conductorai::core::document
