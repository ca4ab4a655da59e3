#include <iostream>

#include "base/human.hpp"
#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_lines.hpp"
#include "cli/llm_options.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"

namespace conductorai::cli {

namespace {

struct LlmCommandOptions {
  std::string provider, model;
};

struct Asked {
  Project project;
  definition::Config config;
};

Result<Asked> configuration_of(const Globals& globals, const LlmCommandOptions& options) {
  std::map<std::string, std::string> flags;
  if (!options.provider.empty()) flags["llm.provider"] = options.provider;
  if (!options.model.empty()) flags["llm.model"] = options.model;
  Project project = find_project(".", globals.state_dir);
  auto config = load_configuration(globals, project, flags);
  if (!config) return fail(config.error());
  if (config->llm.provider.empty())
    return fail(ErrorCode::invalid_argument, "no provider is named", {}, "conductorai llm models openai, or set llm.provider");
  return Asked{std::move(project), std::move(*config)};
}

int models(const Globals& globals, const LlmCommandOptions& options) {
  auto asked = configuration_of(globals, options);
  if (!asked) return report(asked.error());
  const std::string& provider = asked->config.llm.provider;
  auto done = with_models(asked->config, asked->project, [&](ConductorAI& ai) -> Result<void> {
    auto names = ai.list_models(provider);
    if (!names) return fail(names.error());
    for (const std::string& name : *names) {
      if (globals.json)
        std::cout << JsonLine().text("type", "model").text("provider", provider).text("model", name).str() << "\n";
      else
        std::cout << clean_line(name) << "\n";
    }
    return {};
  });
  return done ? kOk : report(done.error());
}

void print_check(const LlmCheck& check) {
  std::cout << "provider  " << check.provider << "\nmodel     " << clean_line(check.model) << "\nanswer    " << clean_line(check.answer)
            << (check.finish == FinishReason::stop ? "" : "\nended by  " + std::string(to_string(check.finish))) << "\ntime      "
            << duration_text(check.duration_ms) << "\ntokens    " << check.usage.input_tokens << " in, " << check.usage.output_tokens
            << " out\n";
}

int check(const Globals& globals, const LlmCommandOptions& options) {
  auto asked = configuration_of(globals, options);
  if (!asked) return report(asked.error());
  const LlmDefinition llm{.provider = asked->config.llm.provider, .model = asked->config.llm.model};
  auto done = with_models(asked->config, asked->project, [&](ConductorAI& ai) -> Result<void> {
    auto answered = ai.check_model(llm);
    if (!answered) return fail(answered.error());
    if (!globals.json) {
      print_check(*answered);
      return {};
    }
    std::cout << JsonLine()
                     .text("type", "llm_check")
                     .text("provider", answered->provider)
                     .text("model", answered->model)
                     .text("answer", answered->answer)
                     .text("finish", to_string(answered->finish))
                     .number("input_tokens", answered->usage.input_tokens)
                     .number("output_tokens", answered->usage.output_tokens)
                     .number("duration_ms", answered->duration_ms)
                     .str()
              << "\n";
    return {};
  });
  return done ? kOk : report(done.error());
}

}  // namespace

void add_llm(CLI::App& app, CommandLine& line) {
  CLI::App* llm = app.add_subcommand("llm", "Providers of models: what they offer, and whether they answer");
  llm->require_subcommand(1);
  llm->fallthrough();
  add_command<LlmCommandOptions>(
      *llm, line, "models", "List the models a provider offers",
      [](CLI::App& command, LlmCommandOptions& o) {
        command.add_option("PROVIDER", o.provider, "openai or anthropic (default: llm.provider)");
      },
      models);
  add_command<LlmCommandOptions>(
      *llm, line, "check", "Ask a model one short question: checks key, address, proxy and name",
      [](CLI::App& command, LlmCommandOptions& o) {
        command.add_option("PROVIDER", o.provider, "openai or anthropic (default: llm.provider)");
        command.add_option("--model", o.model, "Model of the provider")->type_name("NAME");
      },
      check);
}

}  // namespace conductorai::cli
