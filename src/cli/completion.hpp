#pragma once
// Completion scripts, made from the commands and options that the parser itself knows.

#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace conductorai::cli {

/// What may follow each command path ("" is the program, "artifacts list" a subcommand): subcommands, then options, sorted.
struct CompletionWord {
  std::string word;
  std::string help;
};
using CompletionWords = std::map<std::string, std::vector<CompletionWord>>;
CompletionWords completion_words(const CLI::App& app);

std::string bash_completion(const CompletionWords& words);
std::string zsh_completion(const CompletionWords& words);
std::string fish_completion(const CompletionWords& words);

}  // namespace conductorai::cli
