#include "definition/template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/json.hpp"

namespace conductorai::definition {

namespace {

struct Language {
  std::string_view name;
  std::array<std::string_view, 4> marks;  // files that tell it; a leading '*' stands for any name
  std::string_view toolchain;             // as comments: found from the files where left out
};

constexpr std::array kLanguages{
    Language{
        "python",
        {"pyproject.toml", "setup.py", "requirements.txt", "*.py"},
        "#   build: python3 -m compileall -q .\n#   test: python3 -m unittest discover -v\n#   run: python3 -m service --port ${PORT}\n"},
    Language{"node",
             {"package.json", "*.mjs", "*.js", "*.ts"},
             "#   prepare: npm ci\n#   test: npm test\n#   run: node server.js --port ${PORT}\n"},
    Language{"cpp",
             {"CMakeLists.txt", "Makefile", "*.cpp", "*.c"},
             "#   build: cmake -S . -B build && cmake --build build\n#   test: ctest --test-dir build --output-on-failure\n"},
    Language{"go", {"go.mod", "*.go", "", ""}, "#   build: go build ./...\n#   test: go test ./...\n"},
    Language{"rust", {"Cargo.toml", "*.rs", "", ""}, "#   build: cargo build\n#   test: cargo test\n"}};

bool has_file(const std::filesystem::path& folder, std::string_view mark) {
  std::error_code error;
  if (mark.empty()) return false;
  if (!mark.starts_with('*')) return std::filesystem::is_regular_file(folder / mark, error);
  for (auto it = std::filesystem::directory_iterator(folder, error); !error && it != std::filesystem::directory_iterator();
       it.increment(error))
    if (it->path().filename().string().ends_with(mark.substr(1))) return true;
  return false;
}

std::string indented(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.empty()) out += "  " + std::string(line);
    out += '\n';
  }
  return out;
}

/// A block text wherever it can hold the requirement; in quotes where it cannot (control characters, blanks that lead it).
std::string requirement_text(const std::string& requirement) {
  if (requirement.empty()) return "requirement: |\n  Say here what you want: what it does, for whom, how one can tell that it works.\n";
  const bool plain = std::all_of(requirement.begin(), requirement.end(),
                                 [](char c) { return static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t'; });
  const char first = requirement.front();
  if (!plain || first == ' ' || first == '\n' || first == '\t') {
    std::string quoted;
    core::append_json_string(quoted, requirement);
    return "requirement: " + quoted + "\n";
  }
  const bool ends = requirement.ends_with('\n');
  const bool more = requirement.ends_with("\n\n");
  return fmt::format("requirement: |{}\n{}", more ? "+" : ends ? "" : "-", indented(requirement));
}

}  // namespace

std::string detect_language(const std::filesystem::path& folder) {
  for (std::size_t mark = 0; mark < 4; ++mark)  // project files first, then loose sources
    for (const Language& language : kLanguages)
      if (has_file(folder, language.marks[mark])) return std::string(language.name);
  return {};
}

std::string write_template(const TemplateRequest& request) {
  const auto* language =
      std::find_if(kLanguages.begin(), kLanguages.end(), [&](const Language& one) { return one.name == request.language; });
  std::string name;
  core::append_json_string(name, request.name);
  std::string text = "# A ConductorAI workflow. Check it with `conductorai validate`, see what it would do with `conductorai plan`.\n";
  text += "# Lines behind '#' show what else can be said. All keys: docs/formats/workflow.md, `conductorai schema`.\n";
  text += fmt::format("name: {}\n", name);
  text += "# description: One line for people\n" + requirement_text(request.requirement) +
          "# requirement-file: docs/requirement.md   # instead\n\n";
  text += language == kLanguages.end()
              ? "# inputs: { language: python }   # read as ${{ inputs.language }}; --input language=node overrides\n"
              : fmt::format("inputs: {{ language: {} }}   # read as ${{{{ inputs.language }}}}; --input language=… overrides\n",
                            language->name);
  text += "# env: [TZ]                    # variables of this machine that commands get\n# timeout: 2h\n\n";
  text += request.has_repository
              ? "workspace:\n  repo: .                      # this repository; the work goes to a branch of its own\n"
              : "# workspace:\n#   repo: .                    # an existing git repository; left out: an empty one is made\n";
  text += request.has_repository ? "  # base: main\n  # protected: [tests/acceptance/**]   # no agent may change these\n\n"
                                 : "#   base: main\n#   protected: [tests/acceptance/**]   # no agent may change these\n\n";
  text += "# Found from the files where left out:\n# toolchain:\n";
  text += language == kLanguages.end() ? "#   build: make\n#   test: make test\n" : std::string(language->toolchain);
  text += "# sandbox: { network: none, memory: 1GiB, processes: 128, disk: 1GiB, wall: 10m }   # network: none | prepare | full\n\n";
  text += "# Left out, the tasks are these, and package, deploy and monitor after them:\n# tasks:\n";
  text +=
      "#   code:      { agent: coding }\n#   review:    { agent: review, needs: [code] }\n#   test-data: { agent: test_data, needs: [code] "
      "}\n";
  text += "#   test:      { agent: test, needs: [code, test-data] }\n\n";
  text +=
      "# gates:    { development: { min-success-rate: 1.0, approval: false } }\n# rework:   { max-rounds: 3 }\n# feedback: { max-loops: 3, "
      "on-exhausted: fail }\n";
  text += "# policies: { max-concurrent-tasks: 4, approvals: [deploy] }\nbudget: { calls: 200, wall-minutes: 60 }\n\n";
  text += "# llm: { provider: anthropic, model: NAME, retries: 2 }   # or in conductorai.yaml, for all workflows\n";
  return text;
}

}  // namespace conductorai::definition
