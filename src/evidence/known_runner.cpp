#include "evidence/known_runner.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "evidence/text.hpp"

namespace conductorai::evidence {
namespace {

using Words = std::vector<std::string>;

Words words_of(std::string_view text) {
  Words words;
  while (!(text = trimmed(text)).empty()) {
    const auto end = std::min(text.find_first_of(" \t"), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

bool takes_prefix(Words& words, std::initializer_list<std::string_view> prefix) {
  if (words.size() < prefix.size() || !std::equal(prefix.begin(), prefix.end(), words.begin())) return false;
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(prefix.size()));
  return true;
}

std::string joined(const Words& words) {
  std::string out;
  for (const auto& word : words) out += " " + word;
  return out;
}

bool is_python(const std::string& word) {
  return word == "python3" || word == "python" || word == "/usr/bin/python3";
}

/// `discover` options that choose tests are passed on; those about output are ours to ignore; anything else chooses in its own way.
std::optional<std::string> unittest_arguments(Words words) {
  takes_prefix(words, {"discover"});
  std::string out;
  static constexpr std::array kQuiet{"-v", "--verbose", "-q", "--quiet", "-b", "--buffer"};
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (std::ranges::find(kQuiet, words[i]) != kQuiet.end()) continue;
    const bool start = words[i] == "-s" || words[i] == "--start-directory";
    const bool pattern = words[i] == "-p" || words[i] == "--pattern";
    const bool top = words[i] == "-t" || words[i] == "--top-level-directory";
    if ((!start && !pattern && !top) || i + 1 == words.size()) return std::nullopt;
    ++i;
    if (!top) out += std::string(start ? " --start " : " --pattern ") + words[i];
  }
  return out;
}

bool only_of(const Words& words, std::initializer_list<std::string_view> allowed) {
  return std::ranges::all_of(words, [&](const std::string& word) { return std::ranges::find(allowed, word) != allowed.end(); });
}

std::optional<KnownRunner> recognise(Words words) {
  if (words.empty()) return std::nullopt;
  if (is_python(words.front())) {
    words.front() = "python";
    if (takes_prefix(words, {"python", "-m", "unittest"})) {
      auto arguments = unittest_arguments(std::move(words));
      if (!arguments) return std::nullopt;
      return KnownRunner{.runner = "python-unittest", .arguments = std::move(*arguments)};
    }
    if (takes_prefix(words, {"python", "-m", "pytest"})) return KnownRunner{.runner = "python-pytest", .arguments = joined(words)};
    return std::nullopt;
  }
  if (takes_prefix(words, {"pytest"})) return KnownRunner{.runner = "python-pytest", .arguments = joined(words)};
  if (takes_prefix(words, {"node", "--test"})) {
    // A reporter or pattern of the user's would stand against ours.
    const bool clash =
        std::ranges::any_of(words, [](const std::string& w) { return w.starts_with("--test-reporter") || w.starts_with("--test-name"); });
    if (clash) return std::nullopt;
    return KnownRunner{.runner = "node-test", .arguments = joined(words)};
  }
  if ((takes_prefix(words, {"npm", "test"}) || takes_prefix(words, {"npm", "run", "test"})) && only_of(words, {"--silent", "-s"}))
    return KnownRunner{.runner = "npm"};
  if (takes_prefix(words, {"go", "test"}) && only_of(words, {"-v", "./..."})) return KnownRunner{.runner = "go"};
  if (takes_prefix(words, {"cargo", "test"}) && only_of(words, {"--quiet", "-q", "--verbose", "-v", "--workspace"}))
    return KnownRunner{.runner = "cargo"};
  if (takes_prefix(words, {"ctest"})) {
    const bool clash = std::ranges::any_of(
        words, [](const std::string& w) { return w.starts_with("--output-junit") || w.starts_with("--show-only") || w == "-N"; });
    if (!clash) return KnownRunner{.runner = "ctest"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<KnownRunner> known_runner(std::string_view command) {
  command = trimmed(command);
  const auto split = command.rfind("&&");
  const auto last = trimmed(split == std::string_view::npos ? command : command.substr(split + 2));
  // Quotes, expansions and redirections are the shell's to read, not ours.
  if (last.find_first_of("|;&<>`$()'\"\\{}\n#") != std::string_view::npos) return std::nullopt;
  auto known = recognise(words_of(last));
  if (!known) return std::nullopt;
  known->command = std::string(last);
  if (split != std::string_view::npos) known->before = std::string(command.substr(0, split + 2)) + " ";
  return known;
}

}  // namespace conductorai::evidence
