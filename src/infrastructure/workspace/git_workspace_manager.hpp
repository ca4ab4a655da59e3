#pragma once
// GitWorkspaceManager: workspaces on the `git` command. Git works in a private, empty git directory of ours that borrows the repository's
// object store: the repository's own configuration, hooks, filters, index and checkout are never in play, and a worktree holds no `.git`.
// Only reading the base and moving the branch touch the repository itself (docs/formats/workspace.md).

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <unordered_set>

#include "conductorai/workspace.hpp"
#include "infrastructure/process/work_area.hpp"
#include "infrastructure/workspace/git.hpp"
#include "runtime/loop.hpp"
#include "runtime/offload.hpp"

namespace conductorai::infrastructure {

struct GitWorkspaceSettings {
  std::filesystem::path state_dir;  // repositories made by us, index files
  WorkArea area;                    // worktrees; made where it is missing
};

/// Thread: the loop's; walks over whole trees run on a thread of its own.
class GitWorkspaceManager final : public WorkspaceManager {
 public:
  GitWorkspaceManager(runtime::Loop& loop, GitWorkspaceSettings settings);
  ~GitWorkspaceManager() override;

  task<Result<Branch>> prepare(BranchRequest request) override;
  task<Result<Branch>> prepare_fork(WorkflowId from, BranchRequest request, std::string head) override;
  task<Result<std::filesystem::path>> locate(WorkflowId workflow, std::string repo) override;
  task<Result<std::unique_ptr<Workspace>>> open(AttemptId attempt, std::filesystem::path repo, std::string base,
                                                std::vector<std::string> protected_paths) override;
  task<Result<Merge>> merge(std::filesystem::path repo, std::string head, std::string commit, std::string message, Timestamp at) override;
  task<Result<void>> move_branch(std::filesystem::path repo, std::string branch, std::string head) override;
  task<Result<std::string>> tree_of(std::filesystem::path repo, std::string commit) override;
  task<Result<void>> close(AttemptId attempt, std::filesystem::path repo) override;
  task<Result<void>> close_all(WorkflowId workflow, std::filesystem::path repo) override;
  task<Result<void>> remove_workflow(WorkflowId workflow) override;

  /// Where the worktree of an attempt lies.
  [[nodiscard]] std::filesystem::path worktree_path(const AttemptId& attempt) const;

 private:
  [[nodiscard]] std::filesystem::path own_repository(const WorkflowId& workflow) const;
  [[nodiscard]] std::filesystem::path index_path(const AttemptId& attempt) const;
  task<Result<Branch>> prepare_existing(BranchRequest request);
  task<Result<void>> copy_own_repository(WorkflowId from, WorkflowId to);
  [[nodiscard]] bool is_own(const std::filesystem::path& repository) const;
  task<Result<void>> make_aside(std::filesystem::path folder, std::function<task<Result<void>>(std::filesystem::path)> make);
  task<Result<void>> init_model(std::filesystem::path fresh);
  task<Result<void>> make_repository(std::filesystem::path folder);
  task<Result<std::string>> make_root(GitRepository repository);
  task<Result<void>> refuse_dirty(GitRepository repository);
  task<Result<void>> refuse_taken_name(GitRepository repository);
  task<Result<std::string>> resolve_base(GitRepository repository, std::string base);
  task<Result<GitRepository>> repository(std::filesystem::path path);
  task<Result<std::string>> merge_base_case(GitStore store, std::string head, std::string commit);
  task<Result<void>> discard(std::filesystem::path folder);
  task<Result<void>> close_left_over(WorkflowId workflow);

  runtime::Loop& loop_;
  GitWorkspaceSettings settings_;
  std::filesystem::path trees_, indexes_;  // a folder each workflow
  std::map<std::filesystem::path, GitRepository> repositories_;
  std::unordered_set<WorkflowId> untouched_;  // begun here, and no attempt of theirs has opened a workspace: nothing is to be closed
  bool git_checked_ = false;
  int fresh_repositories_ = 0;
  runtime::Worker files_;
};

}  // namespace conductorai::infrastructure
