#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "cli/command.hpp"
#include "cli/completion.hpp"
#include "cli/exit_code.hpp"

namespace conductorai::cli {

namespace {

void collect(const CLI::App& app, const std::string& path, const std::vector<CompletionWord>& inherited, CompletionWords& out) {
  std::vector<CompletionWord> options = inherited;
  for (const CLI::Option* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) options.push_back({"--" + name, option->get_description()});
    for (const auto& name : option->get_snames()) options.push_back({"-" + name, option->get_description()});
  }
  auto& words = out[path];
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    words.push_back({command->get_name(), command->get_description()});
    collect(*command, path.empty() ? command->get_name() : path + " " + command->get_name(), options, out);
  }
  words.insert(words.end(), options.begin(), options.end());
  std::ranges::sort(words, {}, &CompletionWord::word);
  const auto repeated = std::ranges::unique(words, {}, &CompletionWord::word);
  words.erase(repeated.begin(), repeated.end());
}

/// For single quotes of all three shells.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string joined(const std::vector<CompletionWord>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : " ") + word.word;
  return out;
}

/// One that needs a subcommand: files are no answer there.
bool is_group(const std::vector<CompletionWord>& following) {
  return std::ranges::any_of(following, [](const CompletionWord& word) { return !word.word.starts_with('-'); });
}

/// The command path of a line, for bash and zsh: words that lead from one known path to the next.
std::string case_arms(const CompletionWords& words) {
  std::string out;
  for (const auto& [path, following] : words) out += fmt::format("    {}) words={} ;;\n", quoted(path), quoted(joined(following)));
  return out;
}

struct CompletionOptions {
  std::string shell;
};

}  // namespace

CompletionWords completion_words(const CLI::App& app) {
  CompletionWords out;
  collect(app, "", {}, out);
  return out;
}

std::string bash_completion(const CompletionWords& words) {
  std::string paths;
  for (const auto& [path, following] : words) paths += " " + quoted(path);
  return "# bash completion of conductorai: eval \"$(conductorai completion bash)\"\n"
         "_conductorai() {\n"
         "  local path='' word words paths=(" +
         paths +
         " )\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    local known\n"
         "    for known in \"${paths[@]}\"; do\n"
         "      [ \"$known\" = \"${path:+$path }$word\" ] && { path=$known; break; }\n"
         "    done\n"
         "  done\n"
         "  case \"$path\" in\n" +
         case_arms(words) +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "}\n"
         "complete -o default -F _conductorai conductorai\n";
}

std::string zsh_completion(const CompletionWords& words) {
  std::string paths;
  std::string groups;
  for (const auto& [path, following] : words) {
    paths += " " + quoted(path);
    if (is_group(following)) groups += (groups.empty() ? "" : "|") + quoted(path);
  }
  return "#compdef conductorai\n"
         "# zsh completion of conductorai: eval \"$(conductorai completion zsh)\"\n"
         "_conductorai() {\n"
         "  local at='' word known list; local -a paths; paths=(" +
         paths +
         " )\n"
         "  for word in ${words[2,CURRENT-1]}; do\n"
         "    for known in $paths; do\n"
         "      [[ $known == \"${at:+$at }$word\" ]] && { at=$known; break }\n"
         "    done\n"
         "  done\n"
         "  case \"$at\" in\n" +
         [&] {
           std::string arms = case_arms(words);
           for (std::size_t at = 0; (at = arms.find(") words=", at)) != std::string::npos; at += 7) arms.replace(at, 8, ") list=");
           return arms;
         }() +
         "  esac\n"
         "  compadd -- ${=list}\n"
         "  case \"$at\" in " +
         groups +
         ") ;; *) _files ;; esac\n"
         "}\n"
         "compdef _conductorai conductorai\n";
}

std::string fish_completion(const CompletionWords& words) {
  std::string out =
      "# fish completion of conductorai: conductorai completion fish | source\n"
      "function __conductorai_at\n"
      "  set -l at ''\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    contains -- (string trim \"$at $word\") $argv[2..-1]; and set at (string trim \"$at $word\")\n"
      "  end\n"
      "  test \"$at\" = \"$argv[1]\"\n"
      "end\n";
  std::string paths;
  for (const auto& [path, following] : words) paths += " " + quoted(path);
  out += "set -g __conductorai_paths" + paths + "\n";
  for (const auto& [path, following] : words) {
    if (is_group(following))
      out += fmt::format("complete -c conductorai -n \"__conductorai_at {} \\$__conductorai_paths\" -f\n", quoted(path));
    for (const auto& word : following) {
      const std::string kind = word.word.starts_with("--")  ? "-l " + word.word.substr(2)
                               : word.word.starts_with("-") ? "-s " + word.word.substr(1)
                                                            : "-a " + quoted(word.word);
      out += fmt::format("complete -c conductorai -n \"__conductorai_at {} \\$__conductorai_paths\" {} -d {}\n", quoted(path), kind,
                         quoted(word.help));
    }
  }
  return out;
}

void add_completion(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<CompletionOptions>();
  CLI::App* command = app.add_subcommand("completion", "Print a completion script for a shell");
  command->add_option("SHELL", options->shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&app, &line, options] {
    line.action = [&app, options] {
      const auto words = completion_words(app);
      std::cout << (options->shell == "bash"  ? bash_completion(words)
                    : options->shell == "zsh" ? zsh_completion(words)
                                              : fish_completion(words))
                << std::flush;
      return int{kOk};
    };
  });
}

}  // namespace conductorai::cli
