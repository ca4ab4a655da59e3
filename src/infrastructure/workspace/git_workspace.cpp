#include "infrastructure/workspace/git_workspace.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <ranges>

#include "infrastructure/workspace/git_text.hpp"
#include "infrastructure/workspace/workspace_path.hpp"
#include "infrastructure/workspace/worktree_files.hpp"

namespace conductorai::infrastructure {

namespace {

/// One line: a line break in a subject or trailer would forge further trailers.
std::string one_line(std::string_view text) {
  std::string out;
  for (char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  auto start = out.find_first_not_of(' ');
  auto end = out.find_last_not_of(' ');
  return start == std::string::npos ? "" : out.substr(start, end - start + 1);
}

std::string commit_message(const std::string& subject, const CommitTrailers& trailers) {
  std::string line = one_line(subject);
  std::string out = (line.empty() ? "Change files" : line) + "\n\n";
  auto trailer = [&out](std::string_view key, std::string_view value) {
    out += "Conductorai-" + std::string(key) + ": " + one_line(value) + "\n";
  };
  trailer("Task", trailers.attempt.task.str());
  trailer("Agent", trailers.agent.str());
  trailer("Round", std::to_string(trailers.attempt.round));
  trailer("Attempt", std::to_string(trailers.attempt.attempt));
  for (const auto& artifact : trailers.artifacts) trailer("Artifact", artifact.str());
  return out;
}

/// "<mode> <object> <stage>\t<path>" of ls-files, or "<mode> <type> <object>\t<path>" of ls-tree.
struct TreeLine {
  std::string mode, second, third, path;
};
std::optional<TreeLine> parse_tree_line(const std::string& line) {
  auto tab = line.find('\t');
  if (tab == std::string::npos) return std::nullopt;
  TreeLine out{.path = line.substr(tab + 1)};
  std::string* fields[] = {&out.mode, &out.second, &out.third};
  std::size_t at = 0;
  for (auto part : std::views::split(std::string_view(line).substr(0, tab), ' '))
    if (at < 3) fields[at++]->assign(part.begin(), part.end());
  return out;
}

std::map<std::string, char> parse_changes(std::string_view text) {
  std::map<std::string, char> out;
  auto fields = nul_separated(text);
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    const char status = fields[i].empty() ? 'M' : fields[i].front();
    out[fields[i + 1]] = status == 'A' || status == 'D' ? status : 'M';  // a changed type is a modification too
  }
  return out;
}

/// Which file it is and in which state; all zero where there is none. Git replaces an index as a whole.
FileIdentity file_identity(const std::filesystem::path& path) {
  struct stat found = {};
  if (::stat(path.c_str(), &found) != 0) return {};
  return {found.st_ino, found.st_size, found.st_ctim.tv_sec, found.st_ctim.tv_nsec};
}

std::unexpected<Error> no_object(const std::string& id) {
  return fail(ErrorCode::invalid_argument, "this is no object id", id.substr(0, 80));
}

}  // namespace

GitWorkspace::GitWorkspace(runtime::Loop& loop, runtime::Worker& files, GitWorkspaceParts parts)
    : loop_(loop), files_(files), parts_(std::move(parts)) {}

template <class T>
task<Result<T>> GitWorkspace::in_turn(task<Result<T>> work) {
  auto turn = co_await turn_.acquire();
  if (!turn) co_return fail(turn.error());
  auto result = co_await std::move(work);
  turn_.release();
  co_return result;
}

task<Result<std::string>> GitWorkspace::git(std::vector<std::string> arguments) {
  // A git that was cancelled leaves its lock behind; whoever holds the turn is alone on this index.
  std::error_code ignored;
  std::filesystem::remove(parts_.index.string() + ".lock", ignored);
  auto result = co_await run_git(loop_, worktree_call(parts_.store, parts_.root, parts_.index, std::move(arguments)));
  if (!result) co_return fail(result.error());
  co_return std::move(result->out);
}

/// A `.git` that generated code left: git would take its folder for a submodule, read its configuration and so run its programs.
/// Inside ignored folders git never looks.
task<Result<void>> GitWorkspace::refuse_planted_repositories() {
  auto found = co_await files_.run([root = parts_.root] { return find_git_entries(root); });
  if (!found) co_return fail(found.error());
  if (found->empty()) co_return Result<void>{};
  std::string folders;
  for (const auto& entry : *found) {
    auto slash = entry.rfind('/');
    if (slash == std::string::npos) co_return fail(ErrorCode::permission_denied, "the workspace holds a .git of its own", entry);
    folders += entry.substr(0, slash + 1) + '\0';
  }
  GitCall call = worktree_call(parts_.store, parts_.root, parts_.index, {"check-ignore", "-z", "--stdin"});
  call.environment["GIT_LITERAL_PATHSPECS"] = "0";  // this command refuses it
  call.stdin_text = std::move(folders);
  call.answers = {0, 1, 128};  // 128: a path inside a submodule of the base
  auto ignored = co_await run_git(loop_, std::move(call));
  if (!ignored) co_return fail(ignored.error());
  const auto covered = ignored->exit_code == 0 ? nul_separated(ignored->out) : std::vector<std::string>{};
  auto planted = std::ranges::find_if(
      *found, [&](const std::string& entry) { return std::ranges::count(covered, entry.substr(0, entry.rfind('/') + 1)) == 0; });
  if (planted == found->end()) co_return Result<void>{};
  co_return fail(ErrorCode::permission_denied, "the workspace holds a .git of its own", *planted,
                 "nested repositories are neither run nor recorded");
}

task<Result<void>> GitWorkspace::record_present_files() {
  auto clean = co_await refuse_planted_repositories();
  if (!clean) co_return fail(clean.error());
  auto added = co_await git({"add", "-A", "--", "."});
  if (!added) co_return fail(added.error());
  co_return Result<void>{};
}

task<Result<std::string>> GitWorkspace::with_present_files(std::vector<std::string> arguments) {
  auto recorded = co_await record_present_files();
  if (!recorded) co_return fail(recorded.error());
  co_return co_await git(std::move(arguments));
}

task<Result<std::vector<std::string>>> GitWorkspace::list_files() {
  auto listed = co_await in_turn(with_present_files({"ls-files", "-z", "--stage"}));
  if (!listed) co_return fail(listed.error());
  std::vector<std::string> out;
  for (const auto& line : nul_separated(*listed))
    if (auto entry = parse_tree_line(line); entry && entry->mode != "160000") out.push_back(std::move(entry->path));
  std::ranges::sort(out);
  co_return out;
}

task<Result<std::string>> GitWorkspace::read(std::string path) {
  auto parts = split_workspace_path(path);
  if (!parts) co_return fail(parts.error());
  co_return read_below(parts_.root, *parts);
}

task<Result<void>> GitWorkspace::write(std::string path, std::string bytes) {
  auto parts = split_workspace_path(path);
  if (!parts) co_return fail(parts.error());
  if (is_protected(parts_.protected_paths, joined(*parts)))
    co_return fail(ErrorCode::permission_denied, "this path is protected", joined(*parts));
  co_return write_below(parts_.root, *parts, bytes, parts_.area);
}

task<Result<void>> GitWorkspace::remove(std::string path) {
  auto parts = split_workspace_path(path);
  if (!parts) co_return fail(parts.error());
  if (is_protected(parts_.protected_paths, joined(*parts)))
    co_return fail(ErrorCode::permission_denied, "this path is protected", joined(*parts));
  co_return remove_below(parts_.root, *parts);
}

task<Result<std::map<std::string, char>>> GitWorkspace::changes() {
  auto listed = co_await in_turn(with_present_files(
      {"diff-index", "--cached", "--no-renames", "--no-ext-diff", "--ignore-submodules=all", "--name-status", "-z", parts_.base}));
  if (!listed) co_return fail(listed.error());
  co_return parse_changes(*listed);
}

task<Result<std::vector<std::string>>> GitWorkspace::protected_changes() {
  auto all = co_await changes();
  if (!all) co_return fail(all.error());
  std::vector<std::string> out;
  for (const auto& [path, status] : *all)
    if (is_protected(parts_.protected_paths, path)) out.push_back(path);
  co_return out;
}

task<Result<std::string>> GitWorkspace::diff(std::string from) {
  const std::string start = from.empty() ? parts_.base : from;
  if (!is_object_id(start)) co_return no_object(start);
  co_return co_await in_turn(
      with_present_files({"diff-index", "--cached", "--patch", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color",
                          "--unified=3", "--src-prefix=a/", "--dst-prefix=b/", "--ignore-submodules=all", start}));
}

task<Result<std::optional<std::string>>> GitWorkspace::file_at(std::string commit, std::string path) {
  if (!is_object_id(commit)) co_return no_object(commit);
  auto parts = split_workspace_path(path);
  if (!parts) co_return fail(parts.error());
  auto listed = co_await run_git(loop_, store_call(parts_.store, {"ls-tree", "-z", "--full-tree", commit, "--", joined(*parts)}));
  if (!listed) co_return fail(listed.error());
  const auto lines = nul_separated(listed->out);
  auto entry = lines.empty() ? std::nullopt : parse_tree_line(lines.front());
  if (!entry || entry->second != "blob") co_return std::optional<std::string>{};
  auto size = co_await run_git(loop_, store_call(parts_.store, {"cat-file", "-s", entry->third}));
  if (!size) co_return fail(size.error());
  if (std::strtoll(size->out.c_str(), nullptr, 10) > kReadBytesMax)
    co_return fail(ErrorCode::resource_exhausted, "the file is larger than 8 MiB", joined(*parts));
  auto bytes = co_await run_git(loop_, store_call(parts_.store, {"cat-file", "blob", entry->third}));
  if (!bytes) co_return fail(bytes.error());
  co_return std::optional(std::move(bytes->out));
}

task<Result<std::string>> GitWorkspace::snapshot() {
  co_return co_await in_turn(write_tree());
}

/// An index that nobody has replaced since the last time holds the same tree.
task<Result<std::string>> GitWorkspace::write_tree() {
  auto recorded = co_await record_present_files();
  if (!recorded) co_return fail(recorded.error());
  if (written_ && written_->index == file_identity(parts_.index)) co_return written_->tree;
  auto tree = co_await git({"write-tree"});
  if (!tree) co_return fail(tree.error());
  written_ = Written{file_identity(parts_.index), trimmed(std::move(*tree))};
  co_return written_->tree;
}

task<Result<void>> GitWorkspace::fill(std::string tree) {
  auto emptied = co_await files_.run([root = parts_.root] { return empty_folder(root); });
  if (!emptied) co_return fail(emptied.error());
  std::error_code ignored;
  std::filesystem::remove(parts_.index, ignored);
  written_.reset();
  if (tree != kRootCommit && tree != kEmptyTree) {
    auto checked_out = co_await git({"read-tree", "--reset", "-u", tree});
    if (!checked_out) co_return fail(checked_out.error());
  }
  co_return co_await files_.run([area = parts_.area, root = parts_.root] { return give_to(area, root); });
}

task<Result<void>> GitWorkspace::restore(std::string tree) {
  if (!is_object_id(tree)) co_return no_object(tree);
  co_return co_await in_turn(fill(std::move(tree)));
}

task<Result<std::string>> GitWorkspace::commit(std::string subject, CommitTrailers trailers, Timestamp at) {
  auto tree = co_await snapshot();
  if (!tree) co_return fail(tree.error());
  auto before = co_await run_git(loop_, store_call(parts_.store, {"rev-parse", "--verify", "--quiet", parts_.base + "^{tree}"}));
  if (!before) co_return fail(before.error());
  if (trimmed(before->out) == *tree) co_return std::string{};
  NewCommit made{.tree = *tree, .parents = {parts_.base}, .message = commit_message(subject, trailers), .at = at};
  co_return co_await make_commit(loop_, parts_.store, std::move(made));
}

}  // namespace conductorai::infrastructure
