#include "agents/devops/dependencies.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/json.hpp"
#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

using evidence::lines_of;
using evidence::trimmed;
using List = std::vector<Dependency>;

std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

std::string_view unquoted(std::string_view text) {
  text = trimmed(text);
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front())
    return text.substr(1, text.size() - 2);
  return text;
}

// PEP 503: one spelling a project.
std::string python_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool separator = c == '-' || c == '_' || c == '.';
    if (separator && !out.empty() && out.back() == '-') continue;
    out += separator ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

// "Flask[async] >= 2, < 3 ; python_version > '3'" (PEP 508); nothing for options, paths and URLs.
void add_python(std::string_view requirement, const std::string& source, List& out) {
  requirement = trimmed(requirement.substr(0, requirement.find(';')));
  const auto end = requirement.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
  const auto name = requirement.substr(0, end);
  if (name.empty() || !std::isalnum(static_cast<unsigned char>(name.front()))) return;
  std::string_view rest = end == std::string_view::npos ? std::string_view{} : trimmed(requirement.substr(end));
  if (rest.starts_with('['))
    rest = rest.find(']') == std::string_view::npos ? std::string_view{} : trimmed(rest.substr(rest.find(']') + 1));
  if (!rest.empty() && std::string_view("=<>!~(@").find(rest.front()) == std::string_view::npos) return;
  rest = trimmed(rest.substr(0, rest.find(" --")));
  const bool exact = rest.starts_with("==") && rest.find_first_of(",*") == std::string_view::npos;
  const std::string version(exact ? trimmed(rest.substr(rest.starts_with("===") ? 3 : 2)) : std::string_view{});
  out.push_back({.ecosystem = "pypi",
                 .name = python_name(name),
                 .version = version,
                 .wanted = exact ? std::string() : std::string(rest),
                 .source = source});
}

List requirements_txt(std::string_view text, const std::string& source) {
  List out;
  for (auto line : lines_of(text)) {
    if (const auto comment = line.find(" #"); comment != std::string_view::npos) line = line.substr(0, comment);
    line = trimmed(line);
    if (line.empty() || line.front() == '#' || line.front() == '-') continue;
    if (line.ends_with('\\')) line = trimmed(line.substr(0, line.size() - 1));
    add_python(line, source, out);
  }
  return out;
}

// The quoted texts of `dependencies = [ … ]` below [project]; the two are all of TOML that is needed here.
List pyproject_toml(std::string_view text, const std::string& source) {
  List out;
  bool project = false, inside = false;
  for (const auto raw : lines_of(text)) {
    auto line = trimmed(raw);
    if (!inside && line.starts_with('[')) project = line == "[project]";
    if (!inside && project && line.starts_with("dependencies") && line.find('[') != std::string_view::npos) {
      inside = true;
      line = line.substr(line.find('[') + 1);
    }
    if (!inside) continue;
    while (!line.empty() && line.front() != ']' && line.front() != '#') {
      const auto open = line.find_first_of("\"']#");
      if (open == std::string_view::npos || line[open] == ']' || line[open] == '#') {
        line = open == std::string_view::npos ? std::string_view{} : line.substr(open);
        continue;
      }
      const auto close = line.find(line[open], open + 1);
      if (close == std::string_view::npos) break;
      add_python(line.substr(open + 1, close - open - 1), source, out);
      line = line.substr(close + 1);
    }
    if (line.starts_with(']')) inside = false;
  }
  return out;
}

// Cargo.lock, poetry.lock and uv.lock: [[package]] tables with name and version.
List package_tables(std::string_view text, const std::string& source, const std::string& ecosystem) {
  List out;
  bool package = false;
  for (const auto raw : lines_of(text)) {
    const auto line = trimmed(raw);
    if (line.starts_with('[')) {
      package = line == "[[package]]";
      if (package) out.push_back({.ecosystem = ecosystem, .name = {}, .version = {}, .wanted = {}, .source = source});
      continue;
    }
    const auto equals = line.find('=');
    if (!package || equals == std::string_view::npos) continue;
    const auto key = trimmed(line.substr(0, equals));
    if (key == "name") out.back().name = std::string(unquoted(line.substr(equals + 1)));
    if (key == "version") out.back().version = std::string(unquoted(line.substr(equals + 1)));
  }
  if (ecosystem == "pypi")
    for (Dependency& dependency : out) dependency.name = python_name(dependency.name);
  return out;
}

List package_json(std::string_view text, const std::string& source) {
  List out;
  auto parsed = core::parse_json(text);
  const Value* wanted = parsed ? parsed->find("dependencies") : nullptr;
  if (wanted == nullptr || wanted->as_object() == nullptr) return out;
  for (const auto& [name, version] : *wanted->as_object())
    out.push_back({.ecosystem = "npm",
                   .name = name,
                   .version = {},
                   .wanted = version.as_string() != nullptr ? *version.as_string() : std::string(),
                   .source = source});
  return out;
}

std::string text_at(const Value& object, std::string_view key) {
  const Value* found = object.find(key);
  return found != nullptr && found->as_string() != nullptr ? *found->as_string() : std::string();
}

// Lock file versions 2 and 3: "packages" by folder; the one without a name is the project itself.
List package_lock(std::string_view text, const std::string& source) {
  List out;
  auto parsed = core::parse_json(text);
  const Value* packages = parsed ? parsed->find("packages") : nullptr;
  if (packages == nullptr || packages->as_object() == nullptr) return out;
  constexpr std::string_view kFolder = "node_modules/";
  for (const auto& [folder, package] : *packages->as_object()) {
    const auto at = folder.rfind(kFolder);
    if (at == std::string::npos) continue;
    std::string name = text_at(package, "name");
    if (name.empty()) name = folder.substr(at + kFolder.size());
    out.push_back({.ecosystem = "npm", .name = std::move(name), .version = text_at(package, "version"), .wanted = {}, .source = source});
  }
  return out;
}

// "require example.org/m v1.2.3" and the lines of "require ( … )".
List go_mod(std::string_view text, const std::string& source) {
  List out;
  bool block = false;
  for (const auto raw : lines_of(text)) {
    auto line = trimmed(raw.substr(0, raw.find("//")));
    if (line.starts_with("require")) {
      line = trimmed(line.substr(std::string_view("require").size()));
      if (line == "(") {
        block = true;
        continue;
      }
    } else if (line == ")") {
      block = false;
    }
    const auto space = line.find_first_of(" \t");
    if (space == std::string_view::npos || (!block && !trimmed(raw).starts_with("require"))) continue;
    out.push_back({.ecosystem = "golang",
                   .name = std::string(line.substr(0, space)),
                   .version = std::string(trimmed(line.substr(space))),
                   .wanted = {},
                   .source = source});
  }
  return out;
}

struct Reader {
  std::string_view name;
  std::string_view instead;  // a lock file that, beside it, makes it superfluous
  List (*read)(std::string_view text, const std::string& source);
};
constexpr std::array kReaders{
    Reader{"requirements.txt", {}, requirements_txt},
    Reader{"poetry.lock", {}, [](std::string_view text, const std::string& source) { return package_tables(text, source, "pypi"); }},
    Reader{"uv.lock", {}, [](std::string_view text, const std::string& source) { return package_tables(text, source, "pypi"); }},
    Reader{"pyproject.toml", "poetry.lock", pyproject_toml},
    Reader{"package-lock.json", {}, package_lock},
    Reader{"package.json", "package-lock.json", package_json},
    Reader{"go.mod", {}, go_mod},
    Reader{"Cargo.lock", {}, [](std::string_view text, const std::string& source) { return package_tables(text, source, "cargo"); }},
};

const Reader* reader_of(std::string_view path) {
  const auto* found = std::ranges::find(kReaders, name_of(path), &Reader::name);
  return found == kReaders.end() ? nullptr : found;
}

std::string percent_encoded(std::string_view text, std::string_view kept) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view("-._~").find(c) != std::string_view::npos || kept.find(c) != std::string_view::npos)
      out += c;
    else
      (((out += '%') += kHex[byte >> 4]) += kHex[byte & 15]);
  }
  return out;
}

}  // namespace

bool is_dependency_list(std::string_view path) {
  return reader_of(path) != nullptr;
}

std::vector<Dependency> dependencies_of(const std::vector<std::string>& lists,
                                        const std::function<std::optional<std::string>(const std::string&)>& read) {
  List all;
  for (const std::string& path : lists) {
    const Reader* reader = reader_of(path);
    if (reader == nullptr) continue;
    const std::string folder = path.substr(0, path.size() - name_of(path).size());
    if (!reader->instead.empty() && std::ranges::find(lists, folder + std::string(reader->instead)) != lists.end()) continue;
    if (const auto text = read(path)) std::ranges::move(reader->read(*text, path), std::back_inserter(all));
  }
  std::erase_if(all, [](const Dependency& dependency) { return dependency.name.empty(); });
  std::ranges::sort(all);
  const auto twice = std::ranges::unique(
      all, [](const Dependency& a, const Dependency& b) { return package_url(a) == package_url(b) && a.wanted == b.wanted; });
  all.erase(twice.begin(), twice.end());
  return all;
}

std::string package_url(const Dependency& dependency) {
  std::string url = "pkg:" + dependency.ecosystem + "/" + percent_encoded(dependency.name, "/");
  return dependency.version.empty() ? url : url + "@" + percent_encoded(dependency.version, "+");
}

}  // namespace conductorai::agents
