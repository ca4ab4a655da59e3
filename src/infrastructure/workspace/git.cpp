#include "infrastructure/workspace/git.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <ranges>

namespace conductorai::infrastructure {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kIdentity = "ConductorAI";
constexpr std::string_view kMail = "conductorai@localhost";
constexpr Milliseconds kGitTimeout{300'000};

/// Only absolute folders: git runs inside worktrees, where a relative entry would find generated programs.
std::string safe_path() {
  const char* inherited = std::getenv("PATH");
  std::string out;
  for (auto part : std::views::split(std::string_view(inherited == nullptr ? "" : inherited), ':')) {
    std::string_view folder(part.begin(), part.end());
    if (!folder.starts_with('/')) continue;
    out += out.empty() ? "" : ":";
    out += folder;
  }
  return out.empty() ? "/usr/local/bin:/usr/bin:/bin" : out;
}

std::map<std::string, std::string> base_environment() {
  return {{"PATH", safe_path()},
          {"HOME", "/nonexistent"},
          {"LC_ALL", "C"},
          {"TZ", "UTC"},
          {"GIT_CONFIG_NOSYSTEM", "1"},
          {"GIT_CONFIG_SYSTEM", "/dev/null"},
          {"GIT_CONFIG_GLOBAL", "/dev/null"},
          {"GIT_ATTR_NOSYSTEM", "1"},
          {"GIT_NO_REPLACE_OBJECTS", "1"},
          {"GIT_OPTIONAL_LOCKS", "0"},
          {"GIT_LITERAL_PATHSPECS", "1"},
          {"GIT_TERMINAL_PROMPT", "0"},
          {"GIT_ASKPASS", "/bin/false"},
          {"SSH_ASKPASS", "/bin/false"},
          {"GIT_EDITOR", "/bin/false"},
          {"GIT_PAGER", "cat"},
          {"GIT_ALLOW_PROTOCOL", "none"}};
}

/// On every call; they win over the configuration of the repository.
const std::vector<std::string>& base_options() {
  static const std::vector<std::string> options = [] {
    std::vector<std::string> out{"git", "--no-pager"};
    for (const char* setting : {"core.hooksPath=/dev/null",
                                "core.fsmonitor=false",
                                "core.untrackedCache=false",
                                "core.autocrlf=false",
                                "core.safecrlf=false",
                                "core.attributesFile=/dev/null",
                                "core.excludesFile=/dev/null",
                                "core.protectNTFS=true",
                                "core.protectHFS=true",
                                "core.quotePath=false",
                                "core.sshCommand=/bin/false",
                                "core.pager=cat",
                                "core.filesRefLockTimeout=5000",
                                "core.fsync=committed,loose-object,reference",
                                "core.fsyncMethod=batch",
                                "credential.helper=",
                                "commit.gpgSign=false",
                                "gpg.program=/bin/false",
                                "protocol.allow=never",
                                "protocol.ext.allow=never",
                                "submodule.recurse=false",
                                "maintenance.auto=false",
                                "gc.auto=0",
                                "i18n.commitEncoding=UTF-8",
                                "safe.directory=*"}) {
      out.emplace_back("-c");
      out.emplace_back(setting);
    }
    return out;
  }();
  return options;
}

std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  auto start = text.rfind('\n');
  return start == std::string::npos ? text : text.substr(start + 1);
}

Error classify(const ProcessResult& result, const std::vector<std::string>& arguments, ErrorCode failure) {
  auto said = [&](std::string_view words) { return result.err.find(words) != std::string::npos; };
  Error error{.code = failure, .message = "git " + arguments.front() + ": " + last_line(result.err)};
  if (result.err.empty())
    error.message = "git " + arguments.front() + " ended with " +
                    (result.signal != 0 ? "signal " + std::to_string(result.signal) : "exit code " + std::to_string(result.exit_code));
  if (result.timed_out) error.code = ErrorCode::timeout, error.message = "git " + arguments.front() + " did not end in time";
  if (said("No space left on device") || said("Disk quota exceeded")) {
    error.code = ErrorCode::resource_exhausted;
    error.hint = "free some space and resume";
  } else if (said("Permission denied") || said("insufficient permission") || said("Read-only file system")) {
    error.code = ErrorCode::unavailable;
    error.hint = "the repository must be writable: commits and the workflow's branch are kept in it";
  }
  return error;
}

std::optional<fs::path> canonical(const std::string& text) {
  std::error_code error;
  auto path = fs::canonical(text, error);
  return error ? std::nullopt : std::optional(path);
}

std::vector<std::string> lines(std::string_view text) {
  std::vector<std::string> out;
  for (auto part : std::views::split(text, '\n')) out.emplace_back(part.begin(), part.end());
  if (!out.empty() && out.back().empty()) out.pop_back();
  return out;
}

// Attributes of the tree could name filters and diff drivers, hide a diff or rewrite line ends: bytes go in and out as they are.
constexpr std::string_view kAttributes = "* -filter -text -ident -working-tree-encoding !eol !diff !merge !conflict-marker-size\n";
// What runs leave behind in projects that forgot to ignore it. Never part of an answer.
constexpr std::string_view kExclude = "__pycache__/\n*.pyc\n.pytest_cache/\nnode_modules/\n.conductorai/\n";

}  // namespace

task<Result<ProcessResult>> run_git(runtime::Loop& loop, GitCall call, ErrorCode failure) {
  ProcessSpec spec;
  spec.argv = base_options();
  spec.argv.insert(spec.argv.end(), call.arguments.begin(), call.arguments.end());
  spec.environment = base_environment();
  for (auto& [name, value] : call.environment) spec.environment[name] = std::move(value);
  spec.working_directory = call.working_directory;
  spec.stdin_text = std::move(call.stdin_text);
  spec.timeout = kGitTimeout;
  auto result = co_await run_process(loop, std::move(spec));
  if (!result && result.error().code == ErrorCode::not_found)
    co_return fail(ErrorCode::unavailable, "git is not installed", {}, "install git 2.39 or newer");
  if (!result) co_return fail(result.error());
  auto operation = std::ranges::find_if(call.arguments, [](const std::string& word) { return !word.starts_with('-'); });
  std::vector<std::string> named(operation, call.arguments.end());
  if (named.empty()) named = call.arguments;
  const bool answered = result->signal == 0 && !result->timed_out && std::ranges::count(call.answers, result->exit_code) > 0;
  if (!answered) co_return fail(classify(*result, named, failure));
  if (result->out_bytes > static_cast<std::int64_t>(result->out.size()))
    co_return fail(ErrorCode::resource_exhausted, "git " + named.front() + " printed " + std::to_string(result->out_bytes) + " bytes");
  co_return std::move(*result);
}

task<Result<void>> check_git(runtime::Loop& loop) {
  GitCall call{.arguments = {"version"}};
  auto answer = co_await run_git(loop, std::move(call));
  if (!answer) co_return fail(answer.error());
  int major = 0, minor = 0;
  if (std::sscanf(answer->out.c_str(), "git version %d.%d", &major, &minor) == 2 && (major > 2 || (major == 2 && minor >= 39)))
    co_return Result<void>{};
  co_return fail(ErrorCode::unavailable, "git is too old: " + last_line(answer->out), {}, "install git 2.39 or newer");
}

task<Result<GitRepository>> find_repository(runtime::Loop& loop, fs::path path) {
  std::error_code missing;
  if (!fs::is_directory(path, missing)) co_return fail(ErrorCode::invalid_argument, "no such folder", path.string());
  GitCall call{.arguments = {"rev-parse", "--path-format=absolute", "--is-bare-repository", "--is-inside-work-tree", "--git-dir",
                             "--git-common-dir", "--show-object-format"},
               .working_directory = path};
  auto answer = co_await run_git(loop, std::move(call), ErrorCode::invalid_argument);
  if (!answer && answer.error().code == ErrorCode::invalid_argument)
    co_return fail(ErrorCode::invalid_argument, "not a git repository", path.string(), "run `git init` there, or leave workspace.repo out");
  if (!answer) co_return fail(answer.error());
  auto words = lines(answer->out);
  if (words.size() != 5) co_return fail(ErrorCode::invalid_argument, "git describes this repository in an unknown way", path.string());
  GitRepository repository{.bare = words[0] == "true", .sha256 = words[4] == "sha256"};
  auto git_dir = canonical(words[2]), common = canonical(words[3]);
  if (!git_dir || !common) co_return fail(ErrorCode::invalid_argument, "the repository's git directory is gone", path.string());
  repository.git_dir = repository.top = *git_dir;
  repository.common = *common;
  if (repository.bare) co_return repository;
  if (words[1] != "true") co_return fail(ErrorCode::invalid_argument, "this is the inside of a .git folder", path.string());
  GitCall top{.arguments = {"rev-parse", "--show-toplevel"}, .working_directory = path};
  auto found = co_await run_git(loop, std::move(top), ErrorCode::invalid_argument);
  if (!found) co_return fail(found.error());
  repository.top = canonical(last_line(found->out)).value_or(path);
  co_return repository;
}

Result<void> put_file(const fs::path& file, std::string_view text) {
  if (fs::exists(file)) return {};
  fs::path fresh = file;
  fresh += "." + std::to_string(::getpid()) + ".new";
  std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  std::error_code error;
  if (out) fs::rename(fresh, file, error);
  if (out && !error) return {};
  fs::remove(fresh, error);
  return fail(ErrorCode::unavailable, "cannot write", file.string(), "the state directory must be writable");
}

Result<GitStore> open_store(const fs::path& state_dir, const GitRepository& repository) {
  GitStore store{.git_dir = state_dir / "git" / (repository.sha256 ? "sha256" : "sha1"), .objects = repository.common / "objects"};
  if (fs::exists(repository.common / "shallow")) store.shallow = repository.common / "shallow";
  std::error_code error;
  for (const char* folder : {"refs", "objects", "info", "indexes"})
    if (!error) fs::create_directories(store.git_dir / folder, error);
  if (error) return fail(ErrorCode::unavailable, error.message(), store.git_dir.string(), "the state directory must be writable");
  const std::string_view config = repository.sha256
                                      ? "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = sha256\n"
                                      : "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";
  for (auto [name, text] : {std::pair{"config", config},
                            {"info/attributes", kAttributes},
                            {"info/exclude", kExclude},
                            {"HEAD", std::string_view("ref: refs/heads/none\n")}})
    if (auto written = put_file(store.git_dir / name, text); !written) return fail(written.error());
  return store;
}

GitCall store_call(const GitStore& store, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "--git-dir=" + store.git_dir.string());
  GitCall call{.arguments = std::move(arguments), .environment = {{"GIT_OBJECT_DIRECTORY", store.objects.string()}}};
  if (!store.shallow.empty()) call.environment["GIT_SHALLOW_FILE"] = store.shallow.string();
  return call;
}

GitCall worktree_call(const GitStore& store, const fs::path& worktree, const fs::path& index, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "--work-tree=" + worktree.string());
  GitCall call = store_call(store, std::move(arguments));
  call.environment["GIT_INDEX_FILE"] = index.string();
  call.working_directory = worktree;
  return call;
}

GitCall repository_call(const GitRepository& repository, std::vector<std::string> arguments) {
  if (!repository.bare) arguments.insert(arguments.begin(), "--work-tree=" + repository.top.string());
  arguments.insert(arguments.begin(), "--git-dir=" + repository.git_dir.string());
  return GitCall{.arguments = std::move(arguments), .working_directory = repository.top};
}

task<Result<std::string>> make_commit(runtime::Loop& loop, GitStore store, NewCommit commit) {
  std::vector<std::string> arguments{"commit-tree", commit.tree};
  for (const auto& parent : commit.parents) {
    arguments.emplace_back("-p");
    arguments.push_back(parent);
  }
  GitCall call = store_call(store, std::move(arguments));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(commit.at).time_since_epoch().count();
  for (const char* role : {"GIT_AUTHOR_", "GIT_COMMITTER_"}) {
    call.environment[std::string(role) + "NAME"] = kIdentity;
    call.environment[std::string(role) + "EMAIL"] = kMail;
    call.environment[std::string(role) + "DATE"] = "@" + std::to_string(seconds) + " +0000";
  }
  call.stdin_text = std::move(commit.message);
  auto made = co_await run_git(loop, std::move(call));
  if (!made) co_return fail(made.error());
  co_return last_line(made->out);
}

bool is_object_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace conductorai::infrastructure
