#include "definition/config.hpp"

#include <unistd.h>

#include <fstream>

#include "core/document/words.hpp"
#include "definition/config_sections.hpp"
#include "definition/test_support.hpp"

namespace conductorai::definition {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

class ConfigFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("config-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_ / "home" / ".config" / "conductorai");
    request_.project_root = folder_;
    request_.environment["HOME"] = (folder_ / "home").string();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void project(const std::string& text) const { std::ofstream(folder_ / "conductorai.yaml") << text; }
  void user(const std::string& text) const { std::ofstream(folder_ / "home/.config/conductorai/config.yaml") << text; }
  [[nodiscard]] std::string problems() const {
    const auto config = load_config(request_);
    std::string text;
    if (!config)
      for (const Error& error : config.error()) text += to_string(error) + "\n";
    return text;
  }
  std::filesystem::path folder_;
  ConfigRequest request_;
};

TEST_F(ConfigFiles, FlagsBeatEnvironmentBeatsProjectBeatsUser) {
  user("llm: { provider: openai, model: user, base-url: http://u }\nruntime: { log-level: info }\n");
  project("llm:\n  provider: anthropic\n  model: project\n");
  request_.environment["CONDUCTORAI_LLM__MODEL"] = "environment";
  request_.environment["CONDUCTORAI_RUNTIME__MAX_CONCURRENT_TASKS"] = "7";
  request_.environment["CONDUCTORAI_LLM__STREAM"] = "false";
  auto config = load_config(request_);
  ASSERT_TRUE(config) << problems();
  EXPECT_FALSE(config->llm.stream);
  EXPECT_EQ(config->llm.model, "environment");
  EXPECT_EQ(config->llm.provider, "anthropic");
  EXPECT_EQ(config->llm.base_url, "http://u");
  EXPECT_EQ(config->runtime.log_level, "info");
  EXPECT_EQ(config->runtime.max_concurrent_tasks, 7);
  EXPECT_EQ(config->sources.at("llm.model"), "CONDUCTORAI_LLM__MODEL");
  EXPECT_EQ(config->sources.at("llm.provider"), (folder_ / "conductorai.yaml").string() + ":2:13");
  EXPECT_EQ(config->sources.at("redis.pool"), "default");
  request_.flags["llm.model"] = "4.1";
  config = load_config(request_);
  ASSERT_TRUE(config) << problems();
  EXPECT_EQ(config->llm.model, "4.1");
  EXPECT_EQ(config->sources.at("llm.model"), "--model");
}

TEST_F(ConfigFiles, OfLimitsTheStricterWins) {
  user("budget: { usd: 2, calls: 100, calls-per-day: 30, usd-per-day: 7 }\nruntime: { task-timeout: 5m }\n");
  project("budget: { usd: 5, calls: 50, calls-per-day: 40 }\nruntime: { task-timeout: 10m }\n");
  const auto config = load_config(request_);
  ASSERT_TRUE(config) << problems();
  EXPECT_EQ(config->budget.usd_micros, 2'000'000);
  EXPECT_EQ(config->budget.calls, 50);
  EXPECT_EQ(config->budget.per_day, (BudgetDefinition{.usd_micros = 7'000'000, .calls = 30}));
  EXPECT_EQ(config->runtime.task_timeout, std::chrono::minutes(5));
  EXPECT_THAT(config->sources.at("budget.usd"), HasSubstr("config.yaml"));
  WorkflowDefinition definition;
  definition.budget.calls = 20;
  definition.tasks.resize(1);
  apply_config(*config, definition);
  EXPECT_EQ(definition.budget.calls, 20);
  EXPECT_EQ(definition.budget.usd_micros, 2'000'000);
  EXPECT_EQ(definition.tasks[0].timeout, std::chrono::minutes(5));
}

TEST_F(ConfigFiles, RetentionIsOffUntilItIsConfigured) {
  EXPECT_EQ(load_config(request_)->retention, RetentionRule{});
  user("retention: { older-than: 90d, keep: 5 }\n");
  project("retention: { keep: 0 }\n");
  EXPECT_EQ(load_config(request_)->retention, (RetentionRule{.older_than = std::chrono::days(90), .keep = 0}));
  request_.flags["retention.keep"] = "7";
  const auto config = load_config(request_);
  ASSERT_TRUE(config) << problems();
  EXPECT_EQ(config->retention.keep, 7);
  EXPECT_EQ(config->sources.at("retention.keep"), "--keep");
}

TEST_F(ConfigFiles, TheWorkflowFileStandsBetweenEnvironmentAndProject) {
  project("llm: { provider: openai, model: project }\n");
  WorkflowDefinition named, open;
  named.llm = {.provider = "anthropic", .model = "workflow"};
  apply_config(*load_config(request_), named);
  EXPECT_EQ(named.llm.provider, "anthropic");
  EXPECT_EQ(named.llm.model, "workflow");
  apply_config(*load_config(request_), open);
  EXPECT_EQ(open.llm.model, "project");
  request_.environment["CONDUCTORAI_LLM__PROVIDER"] = "mock";
  apply_config(*load_config(request_), named);
  EXPECT_EQ(named.llm.provider, "mock");
  EXPECT_NE(named.llm.model, "workflow") << "a model is one of a provider";
}

TEST_F(ConfigFiles, ARecordingIsOfWhoeverWouldAnswerWithoutIt) {
  project("llm: { provider: openai, model: project }\n");
  request_.flags["llm.provider"] = "record:/tmp/c.jsonl";
  WorkflowDefinition named, open;
  named.llm = {.provider = "anthropic", .model = "workflow"};
  apply_config(*load_config(request_), named);
  EXPECT_EQ(named.llm.provider, "record:anthropic:/tmp/c.jsonl");
  EXPECT_EQ(named.llm.model, "workflow");
  apply_config(*load_config(request_), open);
  EXPECT_EQ(open.llm.provider, "record:openai:/tmp/c.jsonl");
  EXPECT_EQ(open.llm.model, "project");
  request_.flags["llm.provider"] = "replay:/tmp/c.jsonl";
  apply_config(*load_config(request_), named);
  EXPECT_EQ(named.llm.provider, "replay:/tmp/c.jsonl");
}

TEST_F(ConfigFiles, SaysWhetherAgentsWorkByToolsWhereTheWorkflowDoesNot) {
  project("llm: { tools: off, context-tokens: 8192 }\n");
  WorkflowDefinition open, said;
  said.llm.tools = ToolUse::on;
  said.llm.context_tokens = 200'000;
  apply_config(*load_config(request_), open);
  apply_config(*load_config(request_), said);
  EXPECT_EQ(open.llm.tools, ToolUse::off);
  EXPECT_EQ(open.llm.context_tokens, 8'192);
  EXPECT_EQ(said.llm.tools, ToolUse::on);
  EXPECT_EQ(said.llm.context_tokens, 200'000);
}

TEST_F(ConfigFiles, SecretsAreNeverShown) {
  project("llm: { anthropic-key: sk-ant-hidden1 }\nredis: { url: \"redis://u:hidden2@h:1/0\" }\ns3: { secret-key: { value: hidden3 } }\n");
  request_.environment["OPENAI_API_KEY"] = "hidden4";
  const auto config = load_config(request_);
  ASSERT_TRUE(config) << problems();
  const std::string shown = show_config(*config);
  EXPECT_THAT(shown, Not(HasSubstr("hidden")));
  EXPECT_THAT(shown, HasSubstr("redis://***@h:1/0"));
  EXPECT_EQ(reveal(config->llm.openai_key).value(), "hidden4");
  EXPECT_EQ(reveal(config->s3.secret_key).value(), "hidden3");
  project("llm: { openai-key: 12345678, anthropic-key: { value: 99887766 } }\n");
  EXPECT_THAT(problems(), Not(HasSubstr("12345678")));
  EXPECT_THAT(problems(), Not(HasSubstr("99887766")));
}

TEST_F(ConfigFiles, WhatIsWrongWithASecretDoesNotShowIt) {
  for (const char* wrong :
       {"openai-key: \"SECRET\\x01\"", "openai-key: { SECRET: x }", "openai-key: { SECRET }", "openai-key: { value: \"SEC\\nRET\" }",
        "headers: { X-Auth: \"tok\\nSECRET\" }", "headers: { X-Auth: [ SECRET ] }", "proxy: \"http://u:SECRET#x@h:1\"",
        "proxy: \"socks9://u:SECRET@h:1\"", "base-url: \"http://\\tSECRET\"", "base-url: \"u:SECRET@host/v1\"",
        "proxy: \"http://u:SECRET@h:abc\"", "proxy: \"http://u:SECRET x@h:1\""}) {
    project(std::string("llm: { ") + wrong + " }\n");
    EXPECT_FALSE(load_config(request_)) << wrong;
    EXPECT_THAT(problems(), Not(HasSubstr("SECRET"))) << wrong;
  }
  project("llm: { headers: { Content-Length: \"5\" } }\n");
  EXPECT_THAT(problems(), HasSubstr("cannot be set"));
  project("");
  for (const char* wrong : {"{SECRET", "SEC\x01SECRET"}) {
    request_.environment["OPENAI_API_KEY"] = wrong;
    EXPECT_THAT(problems(), Not(HasSubstr("SECRET"))) << wrong;
    EXPECT_FALSE(load_config(request_)) << wrong;
  }
}

TEST_F(ConfigFiles, ASecretMayEndWithItsLine) {
  project("llm:\n  openai-key: |\n    sk-block\n");
  request_.environment["ANTHROPIC_API_KEY"] = "sk-shell\r\n";
  const auto config = load_config(request_);
  ASSERT_TRUE(config) << problems();
  EXPECT_EQ(reveal(config->llm.openai_key).value(), "sk-block");
  EXPECT_EQ(reveal(config->llm.anthropic_key).value(), "sk-shell");
}

TEST_F(ConfigFiles, PasswordsOfUrlsAndKeysInThemAreSecrets) {
  project(
      "llm: { proxy: \"http://me:pass%23word@proxy:3128\", base-url: \"https://llm.example.org/v1?api-key=in-the-query&v=2\", "
      "headers: { X-Auth: of-a-header, X-Team: tools } }\n");
  const auto config = load_config(request_);
  ASSERT_TRUE(config) << problems();
  EXPECT_THAT(readable_secrets(*config), UnorderedElementsAre("me:pass%23word", "pass%23word", "in-the-query", "of-a-header"));
}

TEST_F(ConfigFiles, WhoIsToAnswerInsteadOfAllOthersFallsBackOnNone) {
  WorkflowDefinition definition;
  definition.llm = {.provider = "openai", .model = "m", .fallback = {{.provider = "anthropic", .model = "n"}}};
  WorkflowDefinition asked = definition;
  apply_config(*load_config(request_), asked);
  EXPECT_EQ(asked.llm.fallback.size(), 1U);
  request_.flags["llm.provider"] = "mock";
  apply_config(*load_config(request_), definition);
  EXPECT_EQ(definition.llm.fallback.size(), 0U);
}

TEST_F(ConfigFiles, SecretsComeFromFilesAndCommands) {
  std::ofstream(folder_ / "key") << "first line\nsecond\n";
  EXPECT_EQ(reveal({Secret::Kind::file, (folder_ / "key").string()}).value(), "first line");
  EXPECT_EQ(reveal({Secret::Kind::command, "printf 'from command\\n'"}).value(), "from command");
  EXPECT_EQ(reveal({Secret::Kind::command, "exit 3"}).error().message, "the command failed with exit code 3");
  EXPECT_EQ(reveal({Secret::Kind::file, "/nonexistent"}).error().code, ErrorCode::not_found);
  EXPECT_FALSE(reveal({}));
}

TEST_F(ConfigFiles, MistakesAreNamed) {
  project("llm: { modle: x }\nruntime: { log-level: loud }\n");
  EXPECT_THAT(problems(), HasSubstr("llm: unknown key 'modle'"));
  EXPECT_THAT(problems(), HasSubstr("conductorai.yaml:2:23"));
  project("");
  request_.environment["CONDUCTORAI_REDIS__POOL"] = "many";
  EXPECT_EQ(problems(), "redis.pool: expected a whole number from 1 to 1000, found the text 'many' (CONDUCTORAI_REDIS__POOL)\n");
  request_.environment.erase("CONDUCTORAI_REDIS__POOL");
  request_.environment["CONDUCTORAI_LLM__MODLE"] = "x";
  EXPECT_THAT(problems(), HasSubstr("unknown key 'modle' (CONDUCTORAI_LLM__MODLE)"));
  request_.environment.erase("CONDUCTORAI_LLM__MODLE");
  request_.environment["CONDUCTORAI_CRASH_AT"] = "x";  // no configuration: it has no section
  EXPECT_EQ(problems(), "");
  request_.file = folder_ / "none.yaml";
  EXPECT_THAT(problems(), HasSubstr("no such file"));
}

TEST_F(ConfigFiles, TheTemplateShowsEveryKeyAndChangesNothing) {
  const std::string text = config_template();
  project(text);
  const auto config = load_config(request_);
  ASSERT_TRUE(config) << problems();
  for (const ConfigKey& key : config_keys()) {
    EXPECT_EQ(config->sources.at(key.path), "default") << key.path;
    EXPECT_THAT(text, HasSubstr(key.path.substr(key.path.find('.') + 1) + ":"));
  }
  // With every '#' taken away it is a configuration too.
  std::string all;
  for (std::size_t start = text.find("# llm:"); start < text.size();) {
    const std::size_t end = text.find('\n', start);
    const std::string line = text.substr(start, end - start);
    all += (line.starts_with("# ") ? line.substr(2) : line) + "\n";
    start = end + 1;
  }
  project(all);
  ASSERT_TRUE(load_config(request_)) << problems() << all;
  EXPECT_EQ(load_config(request_)->llm.anthropic_key, (Secret{Secret::Kind::command, "pass show anthropic"}));
}

}  // namespace
}  // namespace conductorai::definition
