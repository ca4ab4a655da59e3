#include "agents/devops/dockerfile.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "agents/devops/dockerfile_parser.hpp"
#include "base/lower.hpp"
#include "core/document/words.hpp"
#include "core/json.hpp"
#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

using core::document::quote;
using evidence::trimmed;

constexpr std::size_t kBytesMax = std::size_t{1} << 20;
constexpr std::size_t kImageBytesMax = 4096;
constexpr std::size_t kFindingsMax = 50;
constexpr int kLayersMax = 127;  // of an image on overlayfs

struct Known {
  std::string_view name;
  std::string_view flags;  // " name " each
};
constexpr std::array kInstructions{
    Known{"ADD", " chown chmod link checksum keep-git-dir exclude unpack "},
    Known{"ARG", ""},
    Known{"CMD", ""},
    Known{"COPY", " from chown chmod link parents exclude "},
    Known{"ENTRYPOINT", ""},
    Known{"ENV", ""},
    Known{"EXPOSE", ""},
    Known{"FROM", " platform "},
    Known{"HEALTHCHECK", " interval timeout start-period start-interval retries "},
    Known{"LABEL", ""},
    Known{"MAINTAINER", ""},
    Known{"ONBUILD", ""},
    Known{"RUN", " mount network security device "},
    Known{"SHELL", ""},
    Known{"STOPSIGNAL", ""},
    Known{"USER", ""},
    Known{"VOLUME", ""},
    Known{"WORKDIR", ""},
};

std::vector<std::string> known_names() {
  std::vector<std::string> names;
  names.reserve(kInstructions.size());
  for (const Known& known : kInstructions) names.emplace_back(known.name);
  return names;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 6 && std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

bool is_texts(std::string_view text) {
  const auto parsed = core::parse_json(text);
  const Array* items = parsed ? parsed->as_array() : nullptr;
  return items != nullptr && std::ranges::all_of(*items, [](const Value& item) { return item.as_string() != nullptr; });
}

class Checker {
 public:
  explicit Checker(FileCheck& out) : out_(out) {}

  void check(const ParsedDockerfile& parsed) {
    for (const Finding& finding : parsed.findings) error(finding.line, finding.message);
    for (const DockerInstruction& instruction : parsed.instructions) {
      if (errors_ >= kFindingsMax) return;
      check_instruction(instruction);
    }
    if (stages_ == 0) error(1, "there is no FROM: nothing is built");
  }

  // Bounded each for itself, so that warnings never hide an error.
  void add(int line, std::string message, Severity severity) {
    if (++(severity == Severity::error ? errors_ : warnings_) > kFindingsMax) return;
    out_.findings.push_back({.severity = severity, .file = out_.file, .line = line, .message = std::move(message), .source = "dockerfile"});
  }

 private:
  void error(int line, std::string message) { add(line, std::move(message), Severity::error); }
  void warn(int line, std::string message) { add(line, std::move(message), Severity::warning); }

  void check_instruction(const DockerInstruction& it) {
    const auto* known = std::ranges::find(kInstructions, it.name, &Known::name);
    if (known == kInstructions.end()) {
      const auto names = known_names();
      const auto near = core::document::closest(it.name, names);
      return error(it.line, "unknown instruction " + quote(it.name) + (near ? "; did you mean " + *near + "?" : ""));
    }
    for (const auto& [flag, value] : it.flags)
      if (known->flags.find(" " + flag + " ") == std::string_view::npos || flag.empty())
        error(it.line, it.name + " knows no flag --" + quote(flag));
    if (stages_ == 0 && it.name != "FROM" && it.name != "ARG") return error(it.line, it.name + " stands before the first FROM");
    if (it.rest.empty()) return error(it.line, it.name + " needs arguments");
    check_references(it);
    check_arguments(it);
  }

  void check_arguments(const DockerInstruction& it) {
    if (it.name == "FROM") return check_from(it);
    if (it.name == "ARG") return check_arg(it);
    if (it.name == "COPY" || it.name == "ADD") return check_copy(it);
    if (it.name == "ENV" || it.name == "LABEL") return check_pairs(it);
    if (it.name == "EXPOSE") return check_expose(it);
    if (it.name == "HEALTHCHECK") return check_health(it);
    if (it.name == "ONBUILD") return check_onbuild(it);
    if (it.name == "SHELL" && !is_texts(it.rest)) return error(it.line, "SHELL takes a JSON array of texts");
    if (it.name == "MAINTAINER") return warn(it.line, "MAINTAINER is deprecated: use LABEL");
    if ((it.name == "USER" || it.name == "STOPSIGNAL") && docker_words(it.rest).size() != 1)
      return error(it.line, it.name + " takes one argument");
    if (it.name == "CMD" || it.name == "ENTRYPOINT" || it.name == "RUN" || it.name == "VOLUME") check_exec_form(it.line, it.name, it.rest);
    if (it.name == "RUN") count_layer(it.line);
  }

  // An array that is no JSON is taken for a shell command that begins with "[": built, and broken when it runs.
  void check_exec_form(int line, const std::string& name, std::string_view rest) {
    const auto text = trimmed(rest);
    if (!text.starts_with('[') || is_texts(text)) return;
    const auto inner = trimmed(text.substr(1));
    const bool quoted = inner.starts_with('"') || inner.starts_with('\'');
    if (quoted || (name != "RUN" && text.ends_with(']')))
      error(line, name + " looks like the exec form and is no JSON array of texts (double quotes are needed)");
  }

  void check_from(const DockerInstruction& it) {
    const auto words = docker_words(it.rest);
    if (words.size() != 1 && (words.size() != 3 || lower(words[1]) != "as")) error(it.line, "FROM takes an image, or an image AS a name");
    check_variables(it.line, words.front());
    layers_ = 0;
    ++stages_;
    if (words.size() != 3) return;
    const std::string name = lower(words[2]);
    const bool good = std::isalpha(static_cast<unsigned char>(name.front())) != 0 && std::ranges::all_of(name, [](char c) {
                        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
                      });
    if (!good) error(it.line, "a stage cannot be named " + quote(words[2]));
    if (!names_.insert(name).second) error(it.line, "there is a stage " + quote(name) + " already");
    current_ = name;
  }

  // Only ARGs above the first FROM are known in FROM lines.
  void check_variables(int line, std::string_view image) {
    if (image.size() > kImageBytesMax) return error(line, "no image has so long a name");
    for (auto at = image.find('$'); at != std::string_view::npos; at = image.find('$', at + 1)) {
      auto name = image.substr(at + 1);
      const bool braced = name.starts_with('{');
      if (braced) name.remove_prefix(1);
      std::size_t size = 0;
      while (size < name.size() && evidence::is_word(name[size])) ++size;
      const bool has_default = braced && name.substr(size).starts_with(":-");
      if (braced && name.find('}') == std::string_view::npos) error(line, "a ${ is never closed");
      if (!has_default && !global_.contains(std::string(name.substr(0, size))) && !is_platform(name.substr(0, size)))
        error(line, "FROM uses $" + std::string(name.substr(0, size)) + ", which no ARG above declares");
    }
  }
  static bool is_platform(std::string_view name) { return name.starts_with("TARGET") || name.starts_with("BUILD"); }

  void check_arg(const DockerInstruction& it) {
    for (const std::string& word : docker_words(it.rest)) {
      const std::string name = word.substr(0, word.find('='));
      if (name.empty() || !std::ranges::all_of(name, evidence::is_word)) error(it.line, "ARG needs a name, found " + quote(word));
      if (stages_ == 0) global_.insert(name);
    }
  }

  void check_copy(const DockerInstruction& it) {
    count_layer(it.line);
    const auto text = trimmed(it.rest);
    std::size_t count = docker_words(text).size();
    if (text.starts_with('[')) {
      if (!is_texts(text)) return error(it.line, it.name + " looks like the array form and is no JSON array of texts");
      count = core::parse_json(text)->as_array()->size();
    }
    if (count < 2) error(it.line, it.name + " needs a source and a destination");
    if (it.name == "COPY" && !it.heredoc) check_context_path(it);
  }

  // Nothing outside the build context can be copied.
  void check_context_path(const DockerInstruction& it) {
    for (const auto& [flag, value] : it.flags)
      if (flag == "from") return;
    const auto words = docker_words(it.rest);
    for (std::size_t i = 0; i + 1 < words.size(); ++i)
      if (words[i] == ".." || words[i].starts_with("../")) error(it.line, "COPY reaches outside the build context: " + quote(words[i]));
  }

  void check_references(const DockerInstruction& it) {
    for (const auto& [flag, value] : it.flags) {
      if (flag == "from") check_stage(it.line, value);
      if (flag != "mount") continue;
      const std::string_view options = value;
      const auto at = options.starts_with("from=") ? 0 : options.find(",from=");
      if (at == std::string_view::npos) continue;
      const auto from = options.substr(options.find('=', at) + 1);
      check_stage(it.line, std::string(from.substr(0, from.find(','))));
    }
  }

  // A name that can only be an image (with a tag, a registry, a digest) is none of ours.
  void check_stage(int line, const std::string& reference) {
    const std::string name = lower(reference);
    if (name.empty()) return error(line, "--from names nothing");
    if (is_number(name)) {
      if (std::stoi(name) + 1 >= stages_) error(line, "--from=" + name + ": there is no such stage above");
      return;
    }
    if (name.find_first_of(":/@$") != std::string::npos) return;
    if (name == current_) return error(line, "--from=" + reference + " names its own stage");
    if (!names_.contains(name)) error(line, "--from=" + quote(reference) + ": no stage above has this name (an image needs its tag)");
  }

  void check_pairs(const DockerInstruction& it) {
    const auto words = docker_words(it.rest);
    const bool pairs = words.front().find('=') != std::string::npos;
    if (!pairs && words.size() < 2) return error(it.line, it.name + " needs a value: " + words.front() + "=…");
    for (const std::string& word : words) {
      if (!pairs) return;
      const auto equals = word.find('=');
      if (equals == std::string::npos || equals == 0) return error(it.line, it.name + " takes key=value, found " + quote(word));
    }
  }

  void check_expose(const DockerInstruction& it) {
    for (const std::string& word : docker_words(it.rest)) {
      if (word.find('$') != std::string::npos) continue;
      const std::string_view text = word;
      const auto slash = text.find('/');
      const auto ports = text.substr(0, slash);
      const auto dash = ports.find('-');
      const std::string protocol = slash == std::string_view::npos ? "tcp" : lower(text.substr(slash + 1));
      const bool range = dash == std::string_view::npos || is_port(ports.substr(dash + 1));
      if (!is_port(ports.substr(0, dash)) || !range || (protocol != "tcp" && protocol != "udp" && protocol != "sctp"))
        error(it.line, "EXPOSE takes a port like 8080 or 53/udp, found " + quote(word));
    }
  }
  static bool is_port(std::string_view text) {
    return is_number(text) && std::stoi(std::string(text)) >= 1 && std::stoi(std::string(text)) <= 65535;
  }

  void check_health(const DockerInstruction& it) {
    const auto words = docker_words(it.rest);
    const std::string kind = lower(words.front());
    if (kind == "none" && words.size() == 1) return;
    if (kind != "cmd" || words.size() < 2) return error(it.line, "HEALTHCHECK takes NONE, or CMD and a command");
    check_exec_form(it.line, "HEALTHCHECK CMD", it.rest.substr(words.front().size()));
  }

  void check_onbuild(const DockerInstruction& it) {
    const auto parsed = parse_dockerfile(it.rest);
    if (parsed.instructions.empty()) return error(it.line, "ONBUILD needs an instruction");
    const std::string& name = parsed.instructions.front().name;
    if (name == "ONBUILD" || name == "FROM" || name == "MAINTAINER") return error(it.line, "ONBUILD cannot hold " + name);
    if (std::ranges::find(kInstructions, name, &Known::name) == kInstructions.end())
      error(it.line, "ONBUILD holds the unknown instruction " + quote(name));
  }

  void count_layer(int line) {
    if (++layers_ == kLayersMax + 1)
      error(line, "the stage has more than " + std::to_string(kLayersMax) + " layers; no engine can build it");
  }

  FileCheck& out_;
  std::size_t errors_ = 0, warnings_ = 0;
  int stages_ = 0;
  int layers_ = 0;
  std::string current_;
  std::set<std::string> names_, global_;
};

}  // namespace

FileCheck check_dockerfile(std::string path, std::string_view content) {
  FileCheck out{.file = std::move(path),
                .kind = DeliveryKind::dockerfile,
                .depth = "checked for syntax only: no container engine used",
                .findings = {}};
  Checker checker(out);
  if (content.size() > kBytesMax) {
    checker.add(1, "it has " + std::to_string(content.size()) + " bytes; a Dockerfile may have 1 MiB", Severity::error);
    return out;
  }
  checker.check(parse_dockerfile(content));
  return out;
}

}  // namespace conductorai::agents
