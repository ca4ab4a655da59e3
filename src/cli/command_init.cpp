#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/files.hpp"
#include "cli/project.hpp"
#include "cli/terminal.hpp"
#include "definition/template.hpp"

namespace conductorai::cli {

namespace fs = std::filesystem;

namespace {

struct InitOptions {
  std::string file = "workflow.yaml", name, language, requirement;
  bool force = false;
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

/// The answer of the person at the terminal; an empty line takes what was found.
std::string ask(const std::string& question, const std::string& found) {
  std::cerr << question << (found.empty() ? "" : " [" + found + "]") << ": " << std::flush;
  std::string line;
  if (!std::getline(std::cin, line) || line.empty()) return found;
  return line;
}

/// On a terminal what the options leave open is asked; elsewhere it is what was found.
void ask_what_is_open(const InitOptions& options, definition::TemplateRequest& request) {
  if (!can_ask() || options.file == "-") return;
  if (options.name.empty()) request.name = ask("Name of the workflow", request.name);
  if (options.requirement.empty()) request.requirement = ask("What do you want, in a sentence (or later, in the file)", "");
  if (options.language.empty()) request.language = ask("Language (python, node, cpp, go, rust)", request.language);
}

Result<void> write(const InitOptions& options, const std::string& text) {
  if (!options.force) {
    auto written = write_new_file(options.file, text);
    if (!written && written.error().code == ErrorCode::already_exists) written.error().hint = "--force replaces it";
    return written;
  }
  const fs::path aside = options.file + ".new";
  std::error_code error;
  fs::remove(aside, error);
  if (auto written = write_new_file(aside, text); !written) return written;
  fs::rename(aside, options.file, error);
  if (error) return fail(ErrorCode::unavailable, error.message(), options.file);
  return {};
}

/// What goes on from here, with what was found out about the project.
void tell(const InitOptions& options, const definition::TemplateRequest& request) {
  std::cerr << "wrote " << options.file << (request.language.empty() ? "" : " for " + request.language)
            << (request.has_repository ? ", on this repository" : ", no repository here: an empty one will be made") << "\n";
  std::cerr << (request.requirement.empty() ? "say in it what you want, then: " : "next: ") << "conductorai plan " << options.file
            << "; conductorai run " << options.file << " --llm mock\n";
}

int init(const Globals&, const InitOptions& options) {
  definition::TemplateRequest request{.name = options.name.empty() ? default_name() : options.name,
                                      .requirement = options.requirement,
                                      .language = options.language.empty() ? definition::detect_language(".") : options.language,
                                      .has_repository = in_repository()};
  ask_what_is_open(options, request);
  const std::string text = definition::write_template(request);
  if (options.file == "-") {
    std::cout << text << std::flush;
    return kOk;
  }
  if (auto written = write(options, text); !written) return report(written.error());
  tell(options, request);
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
        command.add_flag("--force", o.force, "Replace FILE where it exists");
      },
      init);
}

}  // namespace conductorai::cli
