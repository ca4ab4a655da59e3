#include "cli/completion.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "cli/command.hpp"
#include "cli/files.hpp"

namespace conductorai::cli {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::Not;

/// A parser of the same make as the real one, small.
class CompletionTest : public ::testing::Test {
 protected:
  CompletionTest() : app_("test", "conductorai") {
    app_.add_flag("--json", json_, "it's JSON");
    auto* run = app_.add_subcommand("run", "Start");
    run->add_option("--llm", text_, "Which model");
    auto* artifacts = app_.add_subcommand("artifacts", "Look");
    artifacts->add_subcommand("list", "List")->add_option("-t,--task", text_, "Task");
  }
  CLI::App app_;
  bool json_ = false;
  std::string text_;
};

TEST_F(CompletionTest, KnowsWhatMayFollowEachCommand) {
  const auto words = completion_words(app_);
  const auto named = [](const char* word) { return Contains(Field(&CompletionWord::word, word)); };
  EXPECT_THAT(words.at(""), named("run"));
  EXPECT_THAT(words.at(""), named("--json"));
  EXPECT_THAT(words.at("run"), named("--llm"));
  EXPECT_THAT(words.at("run"), named("--json"));
  EXPECT_THAT(words.at(""), Not(named("--llm")));
  EXPECT_THAT(words.at("artifacts list"), named("--task"));
  EXPECT_THAT(words.at("artifacts list"), named("-t"));
}

TEST_F(CompletionTest, CompletesInARealBash) {
  const auto file = std::filesystem::temp_directory_path() / ("conductorai-completion-" + std::to_string(::getpid()));
  std::ofstream(file) << bash_completion(completion_words(app_)) << R"(
ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _conductorai; echo "${COMPREPLY[*]}"; }
ask conductorai r
ask conductorai run --l
ask conductorai artifacts l
ask conductorai --json artifacts list --ta
)";
  auto printed = run_tool({"bash", file.string()});
  std::filesystem::remove(file);
  ASSERT_TRUE(printed) << printed.error().message;
  EXPECT_EQ(*printed, "run\n--llm\nlist\n--task\n");
}

}  // namespace
}  // namespace conductorai::cli
