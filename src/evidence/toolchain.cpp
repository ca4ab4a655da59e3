#include "evidence/toolchain.hpp"

#include <algorithm>

#include "core/json.hpp"
#include "evidence/integrity.hpp"
#include "evidence/known_runner.hpp"
#include "evidence/text.hpp"

namespace conductorai::evidence {
namespace {

constexpr std::string_view kPython = "/usr/bin/python3 -I -B \"$CONDUCTORAI_SHIMS/";

struct Project {
  const std::vector<std::string>& files;
  const ReadFile& read;

  [[nodiscard]] bool has(std::string_view path) const { return std::ranges::find(files, path) != files.end(); }
  [[nodiscard]] std::string text(const std::string& path) const { return has(path) ? read(path).value_or("") : std::string(); }
  template <class Wanted>
  [[nodiscard]] bool any(Wanted wanted) const {
    return std::ranges::any_of(files, wanted);
  }
};

bool ends_with_any(std::string_view path, std::initializer_list<std::string_view> endings) {
  return std::ranges::any_of(endings, [&](std::string_view ending) { return path.ends_with(ending); });
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

bool is_python_test(const std::string& path) {
  const auto name = name_of(path);
  return name.ends_with(".py") && (name.starts_with("test") || name.ends_with("_test.py") || name.ends_with("_tests.py"));
}

/// Test functions outside of TestCase classes, fixtures and marks are pytest's alone; everything else unittest runs too.
bool needs_pytest(std::string_view source) {
  for (auto line : lines_of(source)) {
    if (line.starts_with("def test") || line.starts_with("async def test") || line.starts_with("@pytest.")) return true;
    if (line.starts_with("import pytest") || line.starts_with("from pytest")) return true;
    if (line.starts_with("class Test")) {
      const auto open = line.find_first_of("(:");
      if (open != std::string_view::npos && (line[open] == ':' || line.substr(open).starts_with("()"))) return true;
    }
  }
  return false;
}

Toolchain python_unittest(const std::string& arguments) {
  const std::string shim = std::string(kPython) + "python_tests.py\" ";
  return {.name = "python-unittest",
          .language = "python",
          .build = shim + "check",
          .discover = shim + "unittest discover" + arguments,
          .test = shim + "unittest run" + arguments,
          .discovery_format = "shim",
          .report_format = "shim",
          .environment = {{"PYTHONDONTWRITEBYTECODE", "1"}},
          .programs = {"/usr/bin/python3"},
          .install_hint = "apt-get install python3"};
}

Toolchain python_pytest(const std::string& arguments) {
  auto toolchain = python_unittest("");
  const std::string shim = std::string(kPython) + "python_tests.py\" ";
  toolchain.name = "python-pytest";
  toolchain.discover = shim + "pytest discover" + arguments;
  toolchain.test = shim + "pytest run" + arguments;
  toolchain.install_hint = "apt-get install python3-pytest";
  return toolchain;
}

Toolchain python(const Project& project) {
  bool pytest = false;
  for (const auto& file : project.files)
    if (is_python_test(file) && !pytest) pytest = needs_pytest(project.read(file).value_or(""));
  return pytest ? python_pytest("") : python_unittest("");
}

Toolchain node_test(const std::string& arguments) {
  const std::string report = " --test-reporter=\"$CONDUCTORAI_SHIMS/node_tests.mjs\" --test-reporter-destination=\"$CONDUCTORAI_REPORT\"";
  return {.name = "node-test",
          .language = "javascript",
          // A name pattern that nothing matches: files are loaded, tests are named and not run. Their exit codes say nothing here.
          .discover = "CONDUCTORAI_MODE=discover node --test --test-name-pattern='/^(?!)/'" + report + arguments + " || true",
          .test = "node --test" + report + arguments,
          .discovery_format = "shim",
          .report_format = "shim",
          .programs = {"node"},
          .install_hint = "apt-get install nodejs"};
}

Toolchain node(const Project& project) {
  Value package;
  if (auto parsed = core::parse_json(project.text("package.json"))) package = std::move(*parsed);
  const auto* scripts = package.find("scripts");
  const auto script = [&](std::string_view name) -> std::string {
    const auto* value = scripts != nullptr ? scripts->find(name) : nullptr;
    return value != nullptr && value->as_string() != nullptr ? *value->as_string() : "";
  };
  const bool dependencies = package.find("dependencies") != nullptr || package.find("devDependencies") != nullptr;
  const auto test = script("test");
  auto toolchain = node_test("");
  if (auto known = known_runner(test); known && known->runner == "node-test") {
    toolchain = node_test(known->arguments);
    if (!known->before.empty()) toolchain.test = known->before + toolchain.test;
  } else if (!test.empty() && test.find("no test specified") == std::string::npos) {
    toolchain = {
        .name = "npm", .language = "javascript", .test = "npm test --silent", .programs = {"npm"}, .install_hint = "apt-get install npm"};
  }
  toolchain.environment = {{"npm_config_update_notifier", "false"}, {"npm_config_fund", "false"}, {"npm_config_audit", "false"}};
  if (dependencies && project.has("package-lock.json")) {
    toolchain.prepare = "npm ci";
    toolchain.builds_in_workspace = true;
  }
  if (!script("build").empty()) {
    toolchain.build = "npm run build --silent";
    toolchain.builds_in_workspace = true;
  } else if (!dependencies)  // with a bundler, .js may hold what node itself does not read
    toolchain.build =
        "find . -name node_modules -prune -o \\( -name '*.js' -o -name '*.mjs' -o -name '*.cjs' \\) -print | sort | "
        "while read -r file; do node --check \"$file\" || exit 1; done";
  return toolchain;
}

Toolchain cmake() {
  const std::string build = "cmake -S . -B \"$CONDUCTORAI_BUILD/cmake\" -Wno-dev && cmake --build \"$CONDUCTORAI_BUILD/cmake\" -j 2";
  // A file of that name among the products leaves tests out of ctest's list and of its run alike.
  const std::string again =
      "{ " + build + " && rm -f \"$CONDUCTORAI_BUILD/cmake/CTestCustom.cmake\" \"$CONDUCTORAI_BUILD/cmake/CTestCustom.ctest\"; } >&2 && ";
  return {
      .name = "cmake",
      .language = "c++",
      .build = build,
      .discover = again + "ctest --test-dir \"$CONDUCTORAI_BUILD/cmake\" --show-only=json-v1 > \"$CONDUCTORAI_REPORT\"",
      .test = again +
              "ctest --test-dir \"$CONDUCTORAI_BUILD/cmake\" --output-on-failure --no-tests=error --output-junit \"$CONDUCTORAI_REPORT\"",
      .discovery_format = "ctest",
      .report_format = "ctest",
      .programs = {"cmake", "ctest"},
      .install_hint = "apt-get install cmake make g++"};
}

std::optional<std::string> make_target(std::string_view makefile) {
  for (const std::string_view target : {"check", "test"})
    for (auto line : lines_of(makefile)) {
      if (!line.starts_with(target)) continue;
      const auto rest = trimmed(line.substr(target.size()));
      if (rest.starts_with(':') && !rest.starts_with(":=")) return std::string(target);
    }
  return std::nullopt;
}

std::optional<Toolchain> make(const Project& project) {
  for (const std::string name : {"GNUmakefile", "makefile", "Makefile"}) {
    if (!project.has(name)) continue;
    Toolchain toolchain{.name = "make",
                        .language = "c++",
                        .build = "make",
                        .builds_in_workspace = true,
                        .programs = {"make"},
                        .install_hint = "apt-get install make"};
    if (auto target = make_target(project.text(name))) toolchain.test = "make " + *target;
    return toolchain;
  }
  return std::nullopt;
}

Toolchain go(const Project& project) {
  const std::string shim = std::string(kPython) + "go_tests.py\" ";
  return {.name = "go",
          .language = "go",
          .prepare = project.has("go.sum") ? "go mod download" : "",
          .build = "go build ./...",
          .discover = shim + "discover",
          .test = shim + "run",
          .discovery_format = "shim",
          .report_format = "go",
          .environment = {{"GOTOOLCHAIN", "local"}, {"GOFLAGS", "-buildvcs=false -modcacherw"}},
          // With the build products: HOME may be another one, or read-only, in the sandbox.
          .folders = {{"GOCACHE", "go-cache"}, {"GOMODCACHE", "go-modules"}},
          .programs = {"go", "/usr/bin/python3"},
          .install_hint = "apt-get install golang-go"};
}

Toolchain cargo(const Project& project) {
  const bool fetches = project.text("Cargo.lock").find("\nsource = \"") != std::string::npos;
  std::map<std::string, std::string> folders{{"CARGO_TARGET_DIR", "cargo"}};
  if (fetches) folders["CARGO_HOME"] = "cargo-home";
  const std::string shim = std::string(kPython) + "cargo_tests.py\" ";
  return {.name = "cargo",
          .language = "rust",
          .prepare = fetches ? "CARGO_NET_OFFLINE=false cargo fetch --locked" : "",
          .build = "cargo build --quiet --offline",
          .discover = shim + "discover",
          .test = shim + "run",
          .discovery_format = "shim",
          .report_format = "shim",
          .environment = {{"CARGO_NET_OFFLINE", "true"}, {"CARGO_TERM_COLOR", "never"}},
          .folders = std::move(folders),
          .programs = {"cargo", "/usr/bin/python3"},
          .install_hint = "apt-get install cargo, or rustup with sandbox.read: [~/.cargo, ~/.rustup]"};
}

/// The build description that rules the whole project comes first; loose Python files last.
Toolchain detect(const Project& project) {
  if (project.has("CMakeLists.txt")) return cmake();
  if (project.has("Cargo.toml")) return cargo(project);
  if (project.has("go.mod")) return go(project);
  if (project.has("package.json")) return node(project);
  const bool native = project.any([](const std::string& path) { return ends_with_any(path, {".c", ".cc", ".cpp", ".cxx"}); });
  auto made = make(project);
  if (made && native) return *made;
  if (project.any(is_python_test)) return python(project);
  if (project.any([](const std::string& path) { return is_test_path(path) && ends_with_any(path, {".js", ".mjs", ".cjs"}); }))
    return node(project);
  if (made) return *made;
  if (project.any([](const std::string& path) { return path.ends_with(".py"); })) return python(project);
  if (project.any([](const std::string& path) { return ends_with_any(path, {".js", ".mjs", ".cjs"}); })) return node(project);
  return {.name = "command"};
}

/// The program that the user's command begins with; none where it is a file of the project or shell text.
std::vector<std::string> first_program(std::string_view command) {
  const auto word = command.substr(0, command.find_first_of(" \t\n;&|"));
  const bool plain = !word.empty() && std::ranges::all_of(word, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' || c == '+';
  });
  return plain ? std::vector<std::string>{std::string(word)} : std::vector<std::string>{};
}

/// The user's test command. A runner we know is run under our shim, so that a report can be believed; else the report the user names, else
/// the exit code.
void use_command(Toolchain& toolchain, const std::string& command, const Project& project) {
  const auto known = known_runner(command);
  Toolchain own{.name = "command", .language = toolchain.language, .test = command, .programs = first_program(command)};
  if (known && known->runner == "python-unittest")
    own = python_unittest(known->arguments);
  else if (known && known->runner == "python-pytest")
    own = python_pytest(known->arguments);
  else if (known && known->runner == "node-test")
    own = node_test(known->arguments);
  else if (known && known->runner == "npm")
    own = node(project);
  else if (known && known->runner == "go")
    own = go(project);
  else if (known && known->runner == "cargo")
    own = cargo(project);
  else if (known && known->runner == "ctest")
    own = {.name = "cmake",
           .language = "c++",
           .discover = known->command + " --show-only=json-v1 > \"$CONDUCTORAI_REPORT\"",
           .test = known->command + " --no-tests=error --output-junit \"$CONDUCTORAI_REPORT\"",
           .discovery_format = "ctest",
           .report_format = "ctest",
           .programs = {"cmake", "ctest"},
           .install_hint = "apt-get install cmake make g++"};
  if (known && !known->before.empty()) {
    if (!own.discover.empty()) own.discover = "{ " + known->before + "true; } >&2 && " + own.discover;
    own.test = known->before + own.test;
  }
  own.prepare = toolchain.prepare;
  own.build = toolchain.build;
  own.builds_in_workspace = toolchain.builds_in_workspace;
  toolchain = std::move(own);
}

/// A report of the project's own runner. One that was there before the run is not a report of it.
Result<void> use_report(Toolchain& toolchain, const ReportDefinition& report, const std::string& command) {
  if (report.format != "junit" && report.format != "tap" && report.format != "gtest" && report.format != "go")
    return fail(ErrorCode::invalid_argument, "unknown report format '" + report.format + "'", "toolchain.report.format",
                "known: junit, tap, gtest, go");
  if (report.path.empty() || report.path.starts_with('/') || ("/" + report.path + "/").find("/../") != std::string::npos)
    return fail(ErrorCode::invalid_argument, "the report's path must be relative and inside the workspace", "toolchain.report.path");
  const auto run = command.empty() ? toolchain.test : command;
  if (!command.empty()) {
    toolchain.name = "command";
    toolchain.programs = first_program(command);
    toolchain.install_hint.clear();
  }
  toolchain.test = "rm -f \"$CONDUCTORAI_PROJECT_REPORT\"\n(" + run +
                   "\n)\nstatus=$?\n[ -f \"$CONDUCTORAI_PROJECT_REPORT\" ] && cp \"$CONDUCTORAI_PROJECT_REPORT\" \"$CONDUCTORAI_REPORT\" "
                   "2>/dev/null\nexit $status";
  toolchain.environment["CONDUCTORAI_PROJECT_REPORT"] = "./" + report.path;
  toolchain.discover.clear();
  toolchain.discovery_format.clear();
  toolchain.report_format = report.format;
  toolchain.report_path = report.path;
  return {};
}

}  // namespace

std::vector<std::string> files_to_read(const std::vector<std::string>& files) {
  std::vector<std::string> wanted;
  for (const auto& file : files)
    if (wanted.size() < 200 && (is_python_test(file) || file == "package.json" || file == "Cargo.lock" || file == "Makefile" ||
                                file == "makefile" || file == "GNUmakefile"))
      wanted.push_back(file);
  return wanted;
}

Result<Toolchain> detect_toolchain(const std::vector<std::string>& files, const ReadFile& read, const ToolchainDefinition& definition) {
  const Project project{files, read};
  auto toolchain = detect(project);
  if (definition.report) {
    if (auto used = use_report(toolchain, *definition.report, definition.test); !used) return fail(used.error());
  } else if (!definition.test.empty()) {
    use_command(toolchain, definition.test, project);
  }
  if (!definition.prepare.empty()) toolchain.prepare = definition.prepare;
  if (!definition.build.empty()) toolchain.build = definition.build;
  if (!definition.prepare.empty() || !definition.build.empty()) toolchain.builds_in_workspace = true;
  toolchain.run = definition.run;
  return toolchain;
}

Error missing_program(const Toolchain& toolchain, std::string program) {
  return {.code = ErrorCode::unavailable,
          .message = "the toolchain " + toolchain.name + " needs " + program + ", which is not installed",
          .where = program,
          .hint = toolchain.install_hint.empty() ? "install " + program : toolchain.install_hint};
}

}  // namespace conductorai::evidence
