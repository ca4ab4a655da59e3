#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"

namespace conductorai::cli {

namespace {

/// Becomes `conductorai-bench`, which stands beside this program: what measures is no part of what is measured.
int become_bench(std::vector<std::string> words) {
  std::error_code error;
  const std::filesystem::path bench = std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "conductorai-bench";
  words.insert(words.begin(), bench.filename().string());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execv(bench.c_str(), arguments.data());
  return report({.code = ErrorCode::not_found,
                 .message = std::string("the benchmarks cannot be started: ") + std::strerror(errno),
                 .where = bench.string(),
                 .hint = "they are built as the target conductorai_bench and installed beside conductorai"});
}

}  // namespace

void add_bench(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("bench", "Measure the speed of this machine's conductorai beside bare limits: bench --help");
  command->fallthrough(false)->prefix_command();  // all words after it are the benchmarks' own
  command->set_help_flag();
  command->callback([command, &line] { line.action = [command] { return become_bench(command->remaining()); }; });
}

}  // namespace conductorai::cli
