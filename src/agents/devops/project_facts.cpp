#include "agents/devops/project_facts.hpp"

#include <algorithm>
#include <cctype>

#include "core/json.hpp"
#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

using evidence::lines_of;
using evidence::trimmed;

bool has(const std::vector<std::string>& files, std::string_view path) {
  return std::ranges::find(files, path) != files.end();
}

std::string text_of(const std::vector<std::string>& files, const ReadText& read, const std::string& path) {
  return has(files, path) ? read(path).value_or("") : std::string();
}

// Letters, digits, dots and dashes: what may stand in a file name and in an image tag.
bool is_plain(std::string_view version) {
  return !version.empty() && version.size() <= 64 && std::isalnum(static_cast<unsigned char>(version.front())) != 0 &&
         std::ranges::all_of(version, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-'; });
}

std::string toml_version(std::string_view text, std::string_view table) {
  bool inside = false;
  for (const auto raw : lines_of(text)) {
    const auto line = trimmed(raw);
    if (line.starts_with('[')) inside = line == table;
    const auto equals = line.find('=');
    if (!inside || equals == std::string_view::npos || trimmed(line.substr(0, equals)) != "version") continue;
    const auto open = line.find_first_of("\"'", equals);
    const auto close = open == std::string_view::npos ? open : line.find(line[open], open + 1);
    if (close != std::string_view::npos) return std::string(line.substr(open + 1, close - open - 1));
  }
  return {};
}

std::string member_of(const Value* value, std::string_view key) {
  const Value* found = value == nullptr ? nullptr : value->find(key);
  return found != nullptr && found->as_string() != nullptr ? *found->as_string() : std::string();
}

bool is_main(std::string_view path) {
  return path.ends_with("/__main__.py") && std::ranges::count(path, '/') == 1;
}

std::string procfile_web(std::string_view text) {
  constexpr std::string_view kWeb = "web:";
  for (const auto line : lines_of(text))
    if (line.starts_with(kWeb)) return std::string(trimmed(line.substr(kWeb.size())));
  return {};
}

// A package that is run as a module and speaks of a port is a service; without one it is a tool.
std::string python_module(const std::vector<std::string>& files, const ReadText& read) {
  std::string command;
  for (const std::string& path : files) {
    if (!is_main(path)) continue;
    const std::string text = read(path).value_or("");
    const bool option = text.find("--port") != std::string::npos;
    if (!option && text.find("PORT") == std::string::npos) continue;
    if (!command.empty()) return {};  // two services: which one is not ours to guess
    command = "python3 -m " + path.substr(0, path.find('/')) + (option ? " --port \"$PORT\"" : "");
  }
  return command;
}

}  // namespace

std::vector<std::string> fact_files(const std::vector<std::string>& files) {
  std::vector<std::string> out;
  for (const std::string& path : files)
    if (path == "package.json" || path == "pyproject.toml" || path == "Cargo.toml" || path == "Procfile" || is_main(path))
      out.push_back(path);
  return out;
}

std::string declared_version(const std::vector<std::string>& files, const ReadText& read) {
  std::string version;
  if (auto package = core::parse_json(text_of(files, read, "package.json"))) version = member_of(&*package, "version");
  if (version.empty()) version = toml_version(text_of(files, read, "pyproject.toml"), "[project]");
  if (version.empty()) version = toml_version(text_of(files, read, "pyproject.toml"), "[tool.poetry]");
  if (version.empty()) version = toml_version(text_of(files, read, "Cargo.toml"), "[package]");
  return is_plain(version) ? version : "0.0.0";
}

std::string run_command(const std::vector<std::string>& files, const ReadText& read) {
  if (auto web = procfile_web(text_of(files, read, "Procfile")); !web.empty()) return web;
  if (auto package = core::parse_json(text_of(files, read, "package.json")))
    if (!member_of(package->find("scripts"), "start").empty()) return "npm start --silent";
  return python_module(files, read);
}

}  // namespace conductorai::agents
