#include "agents/tools/tool.hpp"

#include <gmock/gmock.h>

#include "agents/tools/glob.hpp"
#include "core/json.hpp"

namespace conductorai::agents {
namespace {

using ::testing::HasSubstr;

std::string told(std::string_view tool, const Value& arguments) {
  auto checked = check_arguments(*find_tool(tool), arguments);
  return checked ? "" : checked.error().message;
}

TEST(Tools, AreTheSix) {
  std::vector<std::string_view> names;
  for (const Tool& tool : all_tools()) names.push_back(tool.name);
  EXPECT_THAT(names, ::testing::ElementsAre("list_files", "read_file", "search", "write_file", "apply_patch", "run_command"));
}

TEST(Tools, HaveSchemasThatServicesCanHoldAModelTo) {
  for (const Tool& tool : all_tools()) {
    auto schema = core::parse_json(schema_of(tool));
    ASSERT_TRUE(schema) << tool.name;
    EXPECT_EQ(schema->find("additionalProperties")->as_bool() != nullptr && *schema->find("additionalProperties")->as_bool(), false);
    EXPECT_EQ(schema->find("required")->as_array()->size(), schema->find("properties")->as_object()->size()) << tool.name;
    EXPECT_FALSE(tool.description.empty());
  }
}

TEST(Tools, TakeOnlyWhatTheirSchemaSays) {
  EXPECT_EQ(told("read_file", Object{{"path", "a"}}), "");
  EXPECT_EQ(told("read_file", Object{{"path", "a"}, {"first_line", nullptr}, {"lines", nullptr}}), "");
  EXPECT_THAT(told("read_file", Object{}), HasSubstr("`path` is missing"));
  EXPECT_THAT(told("read_file", Object{{"path", nullptr}}), HasSubstr("`path` is missing"));
  EXPECT_THAT(told("read_file", Object{{"path", 3}}), HasSubstr("must be a text"));
  EXPECT_THAT(told("read_file", Object{{"path", "a"}, {"lines", 0}}), HasSubstr("must be from 1"));
  EXPECT_THAT(told("read_file", Object{{"path", "a"}, {"file", "b"}}),
              HasSubstr("`file` is no argument; there are path, first_line, lines"));
  EXPECT_THAT(told("read_file", Object{{"path", std::string(5'000, 'a')}}), HasSubstr("5000 bytes"));
  EXPECT_THAT(told("read_file", Value("{\"path\": ")), HasSubstr("no JSON object"));
  EXPECT_EQ(told("write_file", Object{{"path", "a"}, {"content", nullptr}}), "");
  EXPECT_THAT(told("write_file", Object{{"path", "a"}}), HasSubstr("`content` is missing"));
  EXPECT_THAT(told("run_command", Object{{"command", "x"}, {"keep_changes", "yes"}}), HasSubstr("true or false"));
}

TEST(Glob, MatchesPathsAsGitDoes) {
  EXPECT_TRUE(glob_matches("*.py", "src/deep/a.py"));
  EXPECT_TRUE(glob_matches("src/*.py", "src/a.py"));
  EXPECT_FALSE(glob_matches("src/*.py", "src/deep/a.py"));
  EXPECT_TRUE(glob_matches("src/**/*.py", "src/deep/er/a.py"));
  EXPECT_TRUE(glob_matches("src/**/*.py", "src/a.py"));
  EXPECT_TRUE(glob_matches("src/**", "src/deep/a.py"));
  EXPECT_TRUE(glob_matches("a?c", "abc"));
  EXPECT_FALSE(glob_matches("a/b?c", "a/b/c"));
  EXPECT_FALSE(glob_matches(std::string(200, '*') + "b", std::string(2'000, 'a')));
}

TEST(Glob, KnowsWhatLiesInAFolder) {
  EXPECT_TRUE(lies_in("", "a.py"));
  EXPECT_TRUE(lies_in(".", "a.py"));
  EXPECT_TRUE(lies_in("./src/", "src/a.py"));
  EXPECT_FALSE(lies_in("src", "src2/a.py"));
}

TEST(Glob, KnowsWhatLiesOutside) {
  for (const char* folder : {"..", "../", "src/../..", "/etc", "//etc"}) EXPECT_TRUE(lies_outside(folder)) << folder;
  for (const char* folder : {"", ".", "/", "src", "./src/", "..src", "a..b"}) EXPECT_FALSE(lies_outside(folder)) << folder;
}

}  // namespace
}  // namespace conductorai::agents
