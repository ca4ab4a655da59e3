#include "tests/support/fake_workspace.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <system_error>

namespace conductorai::testing {

namespace fs = std::filesystem;

FakeWorkspace::FakeWorkspace(FileMap files) {
  for (const auto& [path, bytes] : files) write_file(root() / path, bytes);
  commits[base_] = std::move(files);
}

FileMap FakeWorkspace::present() const {
  FileMap files;
  for (const auto& entry : fs::recursive_directory_iterator(root()))
    if (entry.is_regular_file()) files[fs::relative(entry.path(), root()).generic_string()] = read_file(entry.path());
  return files;
}

Result<fs::path> FakeWorkspace::inside(const std::string& path) const {
  const auto normal = fs::path(path).lexically_normal();
  const bool outside = path.empty() || normal.is_absolute() || *normal.begin() == "..";
  const bool git = std::ranges::any_of(normal, [](const fs::path& part) { return part == ".git"; });
  if (outside || git) return fail(ErrorCode::permission_denied, "the path leaves the workspace", path);
  return root() / normal;
}

task<Result<std::vector<std::string>>> FakeWorkspace::list_files() {
  std::vector<std::string> names;
  for (const auto& [path, bytes] : present()) names.push_back(path);
  co_return names;
}

task<Result<std::string>> FakeWorkspace::read(std::string path) {
  auto file = inside(path);
  if (!file) co_return fail(file.error());
  if (!fs::is_regular_file(*file)) co_return fail(ErrorCode::not_found, "no such file", path);
  co_return read_file(*file);
}

task<Result<void>> FakeWorkspace::write(std::string path, std::string bytes) {
  auto file = inside(path);
  if (!file) co_return fail(file.error());
  if (std::ranges::find(protected_paths, path) != protected_paths.end())
    co_return fail(ErrorCode::permission_denied, "a protected path", path);
  write_file(*file, bytes);
  co_return Result<void>{};
}

task<Result<void>> FakeWorkspace::remove(std::string path) {
  auto file = inside(path);
  if (!file) co_return fail(file.error());
  if (std::ranges::find(protected_paths, path) != protected_paths.end())
    co_return fail(ErrorCode::permission_denied, "a protected path", path);
  std::error_code error;
  if (!fs::remove(*file, error)) co_return fail(ErrorCode::not_found, "no such file", path);
  co_return Result<void>{};
}

task<Result<std::map<std::string, char>>> FakeWorkspace::changes() {
  std::map<std::string, char> out;
  const auto now = present();
  const auto& then = commits[base_];
  for (const auto& [path, bytes] : now) {
    auto it = then.find(path);
    if (it == then.end())
      out[path] = 'A';
    else if (it->second != bytes)
      out[path] = 'M';
  }
  for (const auto& [path, bytes] : then)
    if (!now.contains(path)) out[path] = 'D';
  co_return out;
}

task<Result<std::vector<std::string>>> FakeWorkspace::protected_changes() {
  auto changed = co_await changes();
  std::vector<std::string> out;
  for (const auto& [path, kind] : *changed)
    if (std::ranges::find(protected_paths, path) != protected_paths.end()) out.push_back(path);
  co_return out;
}

/// One line a changed path with the new content below: enough to see what an agent was told.
namespace {

// Every line of the old file taken away, every line of the new one added: a valid unified diff, if no short one.
std::string hunk(const std::string& path, const std::string* before, const std::string* after) {
  std::string old_lines, new_lines;
  const auto marked = [](const std::string* text, char mark, std::string& out) {
    int count = 0;
    if (text == nullptr) return count;
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line); ++count) out += mark + line + "\n";
    return count;
  };
  const int removed = marked(before, '-', old_lines);
  const int added = marked(after, '+', new_lines);
  return "--- " + (before ? "a/" + path : "/dev/null") + "\n+++ " + (after ? "b/" + path : "/dev/null") + "\n@@ -" +
         (removed > 0 ? "1," : "0,") + std::to_string(removed) + " +" + (added > 0 ? "1," : "0,") + std::to_string(added) + " @@\n" +
         old_lines + new_lines;
}

}  // namespace

task<Result<std::string>> FakeWorkspace::diff(std::string from) {
  const FileMap now = present();
  const FileMap& then = commits[from.empty() ? base_ : from];
  std::set<std::string> paths;
  for (const auto& [path, bytes] : now) paths.insert(path);
  for (const auto& [path, bytes] : then) paths.insert(path);
  std::string out;
  for (const std::string& path : paths) {
    const auto old_file = then.find(path);
    const auto new_file = now.find(path);
    const std::string* before = old_file == then.end() ? nullptr : &old_file->second;
    const std::string* after = new_file == now.end() ? nullptr : &new_file->second;
    if (before == nullptr || after == nullptr || *before != *after) out += hunk(path, before, after);
  }
  co_return out;
}

task<Result<std::optional<std::string>>> FakeWorkspace::file_at(std::string commit, std::string path) {
  const auto& files = commits[commit];
  const auto it = files.find(path);
  co_return it == files.end() ? std::nullopt : std::optional(it->second);
}

task<Result<std::string>> FakeWorkspace::snapshot() {
  auto files = present();
  const auto it = std::ranges::find(trees_, files);
  const auto index = it - trees_.begin();
  if (it == trees_.end()) trees_.push_back(std::move(files));
  co_return "tree-" + std::to_string(index);
}

task<Result<void>> FakeWorkspace::restore(std::string tree) {
  if (!tree.starts_with("tree-")) co_return fail(ErrorCode::not_found, "no such tree", tree);
  const auto files = trees_.at(static_cast<std::size_t>(std::stoul(tree.substr(5))));
  for (const auto& entry : fs::directory_iterator(root())) fs::remove_all(entry.path());
  for (const auto& [path, bytes] : files) write_file(root() / path, bytes);
  co_return Result<void>{};
}

task<Result<std::string>> FakeWorkspace::commit(std::string subject, CommitTrailers, Timestamp) {
  auto changed = co_await changes();
  if (changed->empty()) co_return std::string();
  const auto id = "commit-" + std::to_string(commits.size()) + ": " + subject;
  commits[id] = present();
  co_return id;
}

}  // namespace conductorai::testing
