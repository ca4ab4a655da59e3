#pragma once
// Workspaces: one branch a workflow, one worktree an attempt, one commit a completed attempt. The user's checkout is never touched.

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/ids.hpp"
#include "conductorai/models.hpp"
#include "conductorai/result.hpp"
#include "conductorai/task.hpp"

namespace conductorai {

struct CommitTrailers {
  AttemptId attempt;
  AgentId agent;
  std::vector<Digest> artifacts;
};

/// The files of one attempt. Paths are relative, "/"-separated; one that leaves the workspace, passes a symlink, or names `.git` in any
/// case or Unicode disguise is permission_denied.
class Workspace {
 public:
  virtual ~Workspace() = default;
  [[nodiscard]] virtual const std::filesystem::path& root() const = 0;
  [[nodiscard]] virtual const std::string& base() const = 0;                  // commit it was made at
  virtual task<Result<std::vector<std::string>>> list_files() = 0;            // tracked and new, sorted; ignored files left out
  virtual task<Result<std::string>> read(std::string path) = 0;               // Errors: not_found, resource_exhausted (over 8 MiB)
  virtual task<Result<void>> write(std::string path, std::string bytes) = 0;  // Errors: permission_denied (also protected paths)
  virtual task<Result<void>> remove(std::string path) = 0;
  /// Paths that differ from the base: added, modified, deleted ('A' 'M' 'D'), whatever changed them.
  virtual task<Result<std::map<std::string, char>>> changes() = 0;
  /// Protected paths among `changes()`.
  virtual task<Result<std::vector<std::string>>> protected_changes() = 0;
  /// Unified diff of `changes()`, or from another commit to the present files.
  virtual task<Result<std::string>> diff(std::string from = {}) = 0;
  /// Content of a path at a commit; nullopt when it is not there.
  virtual task<Result<std::optional<std::string>>> file_at(std::string commit, std::string path) = 0;
  /// Git tree of the present files (written to the object store, no commit).
  virtual task<Result<std::string>> snapshot() = 0;
  /// Makes the files equal to a tree.
  virtual task<Result<void>> restore(std::string tree) = 0;
  /// One commit on top of the base. Empty string when nothing differs. Deterministic: same tree, base, trailers and time → same id.
  virtual task<Result<std::string>> commit(std::string subject, CommitTrailers trailers, Timestamp at) = 0;
};

struct BranchRequest {
  WorkflowId workflow;
  std::string repo;  // absolute path of an existing repository, or empty: one is made under the state directory
  std::string base;
  bool allow_dirty = false;
};
struct Branch {
  std::string name;  // "conductorai/<workflow id>"
  std::string base_commit;
  std::filesystem::path repo;  // the repository that holds the branch
};
struct Merge {
  std::string head;                    // new branch head (a fast-forward or a merge commit); empty with conflicts
  std::vector<std::string> conflicts;  // paths
};

/// Git runs outside the sandbox with hooks, fsmonitor and filters off. Errors: invalid_argument (not a repository, unknown base),
/// conflict (dirty base; the paths in `where`), unavailable (git missing), resource_exhausted.
class WorkspaceManager {
 public:
  virtual ~WorkspaceManager() = default;
  /// Resolves repo and base, checks for a dirty checkout; creates no ref yet. Idempotent.
  virtual task<Result<Branch>> prepare(BranchRequest request) = 0;
  /// As `prepare`, for a workflow that goes on from where another one stood: `request.base` is that one's base commit, `head` the commit.
  /// Where the other has a repository under the state directory, this one gets its own, with the same objects. Errors: also not_found (the
  /// commit is gone).
  virtual task<Result<Branch>> prepare_fork(WorkflowId from, BranchRequest request, std::string head) = 0;
  /// The repository that `prepare` answered for this workflow; checks nothing else. `repo` as in BranchRequest.
  virtual task<Result<std::filesystem::path>> locate(WorkflowId workflow, std::string repo) = 0;
  /// A fresh worktree at `base` for this attempt; one that a dead owner left under the same name is thrown away first.
  virtual task<Result<std::unique_ptr<Workspace>>> open(AttemptId attempt, std::filesystem::path repo, std::string base,
                                                        std::vector<std::string> protected_paths) = 0;
  /// Merges `commit` onto `head` without touching refs or files. Deterministic for the same inputs and time.
  virtual task<Result<Merge>> merge(std::filesystem::path repo, std::string head, std::string commit, std::string message,
                                    Timestamp at) = 0;
  /// Points the branch at `head`. Harmless to repeat.
  virtual task<Result<void>> move_branch(std::filesystem::path repo, std::string branch, std::string head) = 0;
  virtual task<Result<std::string>> tree_of(std::filesystem::path repo, std::string commit) = 0;
  /// Removes the attempt's worktree. Idempotent.
  virtual task<Result<void>> close(AttemptId attempt, std::filesystem::path repo) = 0;
  /// Removes all worktrees of a workflow, those of dead owners too.
  virtual task<Result<void>> close_all(WorkflowId workflow, std::filesystem::path repo) = 0;
  /// Removes all that lies of a workflow under the state directory: worktrees, and the repository made for it. Branches elsewhere stay.
  /// Idempotent; after a crash the repository is whole or gone.
  virtual task<Result<void>> remove_workflow(WorkflowId workflow) = 0;
};

}  // namespace conductorai
