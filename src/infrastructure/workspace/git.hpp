#pragma once
// The `git` command with everything off that could run a program, ask a person or read configuration that is not ours.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "conductorai/result.hpp"
#include "conductorai/task.hpp"
#include "conductorai/time.hpp"
#include "infrastructure/process/process.hpp"

namespace conductorai::infrastructure {

struct GitCall {
  std::vector<std::string> arguments;  // after the options every call gets
  std::map<std::string, std::string> environment;
  std::filesystem::path working_directory = "/";
  std::string stdin_text;
  std::vector<int> answers = {0};  // exit codes that are answers, not failures
};

/// Errors: unavailable (git missing, repository not writable), resource_exhausted (disk full, output past its bound), cancelled, else
/// `failure` with the last line git printed.
task<Result<ProcessResult>> run_git(runtime::Loop& loop, GitCall call, ErrorCode failure = ErrorCode::unavailable);

/// Errors: unavailable when git is missing or too old.
task<Result<void>> check_git(runtime::Loop& loop);

/// A repository of the user, as found.
struct GitRepository {
  std::filesystem::path top;      // of the checkout; the git directory itself where bare
  std::filesystem::path git_dir;  // of this checkout
  std::filesystem::path common;   // objects and refs
  bool bare = false;
  bool sha256 = false;
};

/// Errors: invalid_argument when `path` is in no repository.
task<Result<GitRepository>> find_repository(runtime::Loop& loop, std::filesystem::path path);

/// Our git directory over the objects of a repository.
struct GitStore {
  std::filesystem::path git_dir;
  std::filesystem::path objects;
  std::filesystem::path shallow;  // empty: the repository is whole
};

// Where a branch without history starts: the commit of no files, by us, at time zero. Always the same, so its name needs no git.
inline constexpr std::string_view kRootMessage = "Start from nothing\n";
inline constexpr std::string_view kRootCommit = "168a23a2938ea867284d7130e8fa54aa6ac066b0";
inline constexpr std::string_view kEmptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// Written whole or not at all, where there is none yet: several processes may make the same store at once.
Result<void> put_file(const std::filesystem::path& file, std::string_view text);

/// Makes it under `state_dir` where it is missing. Idempotent, also between processes.
Result<GitStore> open_store(const std::filesystem::path& state_dir, const GitRepository& repository);

/// A call in the store, without a worktree …
GitCall store_call(const GitStore& store, std::vector<std::string> arguments);
/// … and in a worktree with an index of its own.
GitCall worktree_call(const GitStore& store, const std::filesystem::path& worktree, const std::filesystem::path& index,
                      std::vector<std::string> arguments);
/// A call in the user's repository.
GitCall repository_call(const GitRepository& repository, std::vector<std::string> arguments);

/// A commit object; deterministic for the same inputs. Returns its id.
struct NewCommit {
  std::string tree;
  std::vector<std::string> parents;
  std::string message;
  Timestamp at{};
};
task<Result<std::string>> make_commit(runtime::Loop& loop, GitStore store, NewCommit commit);

/// True for what git prints as an object id: nothing else is ever handed to git as one.
bool is_object_id(std::string_view text);

}  // namespace conductorai::infrastructure
