#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/files.hpp"
#include "cli/project.hpp"
#include "definition/template.hpp"

namespace conductorai::cli {

namespace fs = std::filesystem;

namespace {

struct InitOptions {
  std::string file = "workflow.yaml", name, language, requirement;
};

std::string default_name() {
  std::error_code error;
  std::string out;
  for (char c : fs::current_path(error).filename().string()) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain)
      out += c;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out.empty() ? "my-workflow" : out;
}

bool in_repository() {
  std::error_code error;
  for (fs::path at = fs::current_path(error);; at = at.parent_path()) {
    if (fs::exists(at / ".git", error)) return true;
    if (at == at.parent_path()) return false;
  }
}

int init(const Globals&, const InitOptions& options) {
  definition::TemplateRequest request{.name = options.name.empty() ? default_name() : options.name,
                                      .requirement = options.requirement,
                                      .language = options.language.empty() ? definition::detect_language(".") : options.language,
                                      .has_repository = in_repository()};
  const std::string text = definition::write_template(request);
  if (options.file == "-") {
    std::cout << text << std::flush;
    return kOk;
  }
  if (auto written = write_new_file(options.file, text); !written) return report(written.error());
  std::cerr << "wrote " << options.file << (request.language.empty() ? "" : " for " + request.language)
            << "; say in it what you want, then: conductorai run " << options.file << " --llm mock\n";
  return kOk;
}

}  // namespace

void add_init(CLI::App& app, CommandLine& line) {
  add_command<InitOptions>(
      app, line, "init", "Write a commented workflow file for the project in this folder",
      [](CLI::App& command, InitOptions& o) {
        command.add_option("FILE", o.file, "New file to write, - for standard output");
        command.add_option("--name", o.name, "Name of the workflow (default: the folder's)")->type_name("NAME");
        command.add_option("--language", o.language, "Language (default: by the files that are there)")
            ->check(CLI::IsMember({"python", "node", "cpp", "go", "rust"}));
        command.add_option("--requirement", o.requirement, "What is wanted, in a sentence")->type_name("TEXT");
      },
      init);
}

}  // namespace conductorai::cli
