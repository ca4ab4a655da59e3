#include "infrastructure/workspace/git_workspace_manager.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <ranges>

#include "infrastructure/workspace/git_text.hpp"
#include "infrastructure/workspace/git_workspace.hpp"
#include "infrastructure/workspace/worktree_files.hpp"

namespace conductorai::infrastructure {

namespace fs = std::filesystem;

namespace {

/// A name for a folder, one to one: what is not plain is written as its bytes. Long ones end in a digest of the whole.
std::string folder_name(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  std::uint64_t digest = 14695981039346656037ULL;  // FNV-1a
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    digest = (digest ^ byte) * 1099511628211ULL;
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (plain)
      out += c;
    else
      (out += '%') += {kHex[byte >> 4], kHex[byte & 15]};
  }
  if (out.size() <= 100) return out;
  out.resize(80);
  out += '+';
  for (int shift = 60; shift >= 0; shift -= 4) out += kHex[digest >> shift & 15];
  return out;
}

std::string attempt_name(const AttemptId& id) {
  return folder_name(id.task.str()) + "." + std::to_string(id.round) + "." + std::to_string(id.attempt);
}

std::string branch_of(const std::string& workflow) {
  return "conductorai/" + workflow;
}

Result<void> fresh_folder(const fs::path& folder) {
  if (auto removed = remove_tree(folder); !removed) return removed;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(ErrorCode::unavailable, error.message(), folder.string(), "the state directory must be writable");
  return {};
}

bool is_made(const fs::path& repository) {
  std::error_code missing;
  return fs::exists(repository / "HEAD", missing);
}

/// `fresh` as `model` is, but for its HEAD. Files are shared where the file system can: git replaces files and never writes into them.
Result<void> copy_repository(const fs::path& model, const fs::path& fresh, const std::string& branch) {
  std::error_code error;
  fs::create_directories(fresh.parent_path(), error);
  fs::copy(model, fresh, fs::copy_options::recursive | fs::copy_options::create_hard_links, error);
  if (error) {
    if (auto removed = remove_tree(fresh); !removed) return removed;
    fs::copy(model, fresh, fs::copy_options::recursive, error);
  }
  if (error) return fail(ErrorCode::unavailable, error.message(), fresh.string(), "the state directory must be writable");
  fs::remove(fresh / "HEAD", error);
  return put_file(fresh / "HEAD", "ref: refs/heads/" + branch + "\n");
}

/// Objects never change: they are shared where the file system can. On the disk when it returns.
Result<void> copy_objects(const fs::path& from, const fs::path& to) {
  std::error_code error;
  for (fs::recursive_directory_iterator it(from, error), end; !error && it != end; it.increment(error)) {
    const fs::path target = to / it->path().lexically_relative(from);
    std::error_code failed;
    if (it->is_directory(failed)) {
      fs::create_directories(target, failed);
    } else if (!it->path().filename().string().starts_with("tmp_")) {  // of a git that is writing one just now
      fs::create_hard_link(it->path(), target, failed);
      if (failed && failed != std::errc::file_exists) fs::copy_file(it->path(), target, fs::copy_options::skip_existing, failed);
      if (failed == std::errc::file_exists) failed.clear();
    }
    if (failed) return fail(ErrorCode::unavailable, failed.message(), target.string(), "the state directory must be writable");
  }
  const int folder = ::open(to.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = folder >= 0 && ::syncfs(folder) == 0;
  if (folder >= 0) ::close(folder);
  if (error || !synced) return fail(ErrorCode::unavailable, error ? error.message() : "it cannot be synced", to.string());
  return {};
}

Error where(Error error, const fs::path& path) {
  if (error.where.empty()) error.where = path.string();
  return error;
}

}  // namespace

GitWorkspaceManager::GitWorkspaceManager(runtime::Loop& loop, GitWorkspaceSettings settings)
    : loop_(loop),
      settings_(std::move(settings)),
      trees_(settings_.area.root / "trees"),
      indexes_(settings_.state_dir / "git" / "indexes") {}
GitWorkspaceManager::~GitWorkspaceManager() = default;

fs::path GitWorkspaceManager::worktree_path(const AttemptId& attempt) const {
  return trees_ / folder_name(attempt.workflow.str()) / attempt_name(attempt);
}
fs::path GitWorkspaceManager::index_path(const AttemptId& attempt) const {
  // In a folder of its own: git makes the file later than us, and an empty folder of the workflow would go with an attempt that is closed.
  return indexes_ / folder_name(attempt.workflow.str()) / attempt_name(attempt) / "index";
}

task<Result<GitRepository>> GitWorkspaceManager::repository(fs::path path) {
  if (auto known = repositories_.find(path); known != repositories_.end()) co_return known->second;
  if (!git_checked_) {
    auto checked = co_await check_git(loop_);
    if (!checked) co_return fail(checked.error());
    git_checked_ = true;
  }
  if (is_own(path)) {
    if (!is_made(path)) {
      auto made = co_await make_repository(path);
      if (!made) co_return fail(made.error());
    }
    co_return GitRepository{.top = path, .git_dir = path, .common = path, .bare = true};
  }
  auto found = co_await find_repository(loop_, path);
  if (!found) co_return fail(found.error());
  repositories_.insert_or_assign(path, *found);
  co_return std::move(*found);
}

// --- prepare -----------------------------------------------------------------------------------------------------------------------

task<Result<Branch>> GitWorkspaceManager::prepare(BranchRequest request) {
  untouched_.insert(request.workflow);
  if (request.repo.empty())  // made when the first attempt opens a workspace: many workflows never touch a file
    co_return Branch{
        .name = branch_of(request.workflow.str()), .base_commit = std::string(kRootCommit), .repo = own_repository(request.workflow)};
  co_return co_await prepare_existing(std::move(request));
}

task<Result<Branch>> GitWorkspaceManager::prepare_fork(WorkflowId from, BranchRequest request, std::string head) {
  Branch branch{.name = branch_of(request.workflow.str()), .base_commit = request.base, .repo = own_repository(request.workflow)};
  const bool nothing_written = request.repo.empty() && !is_made(own_repository(from));
  if (nothing_written && head == kRootCommit) co_return branch;
  if (!request.repo.empty()) {
    auto found = co_await repository(std::move(request.repo));
    if (!found) co_return fail(found.error());
    auto free = co_await refuse_taken_name(*found);
    if (!free) co_return fail(free.error());
    branch.repo = found->top;
  } else if (!nothing_written) {
    auto copied = co_await copy_own_repository(std::move(from), std::move(request.workflow));
    if (!copied) co_return fail(copied.error());
  }
  Result<std::string> tree = fail(ErrorCode::not_found, "it was removed");
  if (!nothing_written) tree = co_await tree_of(branch.repo, head);
  if (!tree) co_return fail(ErrorCode::not_found, "the commit that the workflow would go on from is gone", head, "fork it from the start");
  co_return branch;
}

task<Result<void>> GitWorkspaceManager::copy_own_repository(WorkflowId from, WorkflowId to) {
  auto made = co_await make_repository(own_repository(to));
  if (!made) co_return made;
  co_return co_await files_.run(
      [source = own_repository(from) / "objects", target = own_repository(to) / "objects"] { return copy_objects(source, target); });
}

fs::path GitWorkspaceManager::own_repository(const WorkflowId& workflow) const {
  return settings_.state_dir / "repos" / folder_name(workflow.str());
}

bool GitWorkspaceManager::is_own(const fs::path& repository) const {
  return repository.parent_path() == settings_.state_dir / "repos";
}

task<Result<fs::path>> GitWorkspaceManager::locate(WorkflowId workflow, std::string repo) {
  untouched_.erase(workflow);  // who takes a workflow over finds what its owners before him opened
  if (repo.empty()) co_return own_repository(workflow);
  auto found = co_await repository(std::move(repo));
  if (!found) co_return fail(found.error());
  co_return found->top;
}

/// Bare, HEAD on the workflow's branch: `git clone` of it checks out the result. A copy of one that git made for all of them: three
/// processes less a workflow.
task<Result<void>> GitWorkspaceManager::make_repository(fs::path folder) {
  const fs::path model = settings_.state_dir / "git" / "empty.git";
  if (!is_made(model)) {
    auto made = co_await make_aside(model, [this](fs::path fresh) { return init_model(std::move(fresh)); });
    if (!made) co_return fail(made.error());
  }
  const std::string branch = branch_of(folder.filename().string());
  co_return co_await make_aside(folder, [this, model, branch](fs::path fresh) {
    return files_.run([model, fresh, branch] { return copy_repository(model, fresh, branch); });
  });
}

/// Renamed to its place when whole, so that a crash or a second call at the same time never meets a half-made one.
task<Result<void>> GitWorkspaceManager::make_aside(fs::path folder, std::function<task<Result<void>>(fs::path)> make) {
  fs::path fresh = folder;
  fresh += "." + std::to_string(::getpid()) + "-" + std::to_string(++fresh_repositories_) + ".new";
  auto made = co_await discard(fresh);
  if (made) made = co_await make(fresh);
  std::error_code error;
  if (made) fs::rename(fresh, folder, error);
  auto cleaned = co_await discard(fresh);
  if (!made) co_return made;
  if (error && !is_made(folder)) co_return fail(ErrorCode::unavailable, error.message(), folder.string());
  co_return cleaned;
}

task<Result<void>> GitWorkspaceManager::init_model(fs::path fresh) {
  auto ready = co_await files_.run([fresh] { return fresh_folder(fresh); });
  if (!ready) co_return ready;
  auto inited = co_await run_git(loop_, {.arguments = {"init", "--quiet", "--bare", "--template=", fresh.string()}});
  if (!inited) co_return fail(inited.error());
  auto root = co_await make_root({.top = fresh, .git_dir = fresh, .common = fresh, .bare = true});
  if (!root) co_return fail(root.error());
  co_return Result<void>{};
}

task<Result<Branch>> GitWorkspaceManager::prepare_existing(BranchRequest request) {
  auto found = co_await repository(request.repo);
  if (!found) co_return fail(found.error());
  if (!request.allow_dirty && !found->bare) {
    auto clean = co_await refuse_dirty(*found);
    if (!clean) co_return fail(clean.error());
  }
  auto free = co_await refuse_taken_name(*found);
  if (!free) co_return fail(free.error());
  auto base = co_await resolve_base(*found, request.base);
  if (!base) co_return fail(base.error());
  co_return Branch{.name = branch_of(request.workflow.str()), .base_commit = std::move(*base), .repo = found->top};
}

task<Result<void>> GitWorkspaceManager::refuse_dirty(GitRepository repository) {
  // Clean filters are programs of the user's configuration: git would run them to compare. An empty command is none.
  auto filters = co_await run_git(loop_, [&] {
    GitCall call = repository_call(repository, {"config", "--name-only", "-z", "--get-regexp", "^filter\\."});
    call.answers = {0, 1};
    return call;
  }());
  if (!filters) co_return fail(filters.error());
  std::vector<std::string> arguments;
  for (const auto& key : nul_separated(filters->out)) {
    const std::string driver = key.substr(0, key.rfind('.'));
    for (const char* setting : {".clean=", ".smudge=", ".process=", ".required=false"}) {
      arguments.emplace_back("-c");
      arguments.push_back(driver + setting);
    }
  }
  for (const char* word : {"status", "--porcelain=v1", "-z", "--untracked-files=no", "--ignore-submodules=dirty", "--no-renames"})
    arguments.emplace_back(word);
  auto status = co_await run_git(loop_, repository_call(repository, std::move(arguments)));
  if (!status) co_return fail(where(status.error(), repository.top));
  std::string paths;
  std::size_t count = 0;
  for (const auto& line : nul_separated(status->out)) {
    if (line.size() < 4) continue;
    if (++count <= 10) paths += (paths.empty() ? "" : ", ") + line.substr(3);
  }
  if (count == 0) co_return Result<void>{};
  if (count > 10) paths += " and " + std::to_string(count - 10) + " more";
  co_return fail(ErrorCode::conflict, "the checkout has changes that are not committed", paths,
                 "commit or stash them, or give --allow-dirty: the workflow then starts from the last commit, without them");
}

/// A branch "conductorai" would stand where our branches need a folder.
task<Result<void>> GitWorkspaceManager::refuse_taken_name(GitRepository repository) {
  GitCall call = repository_call(repository, {"show-ref", "--verify", "--quiet", "refs/heads/conductorai"});
  call.answers = {0, 1};
  auto shown = co_await run_git(loop_, std::move(call));
  if (!shown) co_return fail(shown.error());
  if (shown->exit_code == 1) co_return Result<void>{};
  co_return fail(ErrorCode::invalid_argument, "a branch named 'conductorai' stands in the way of 'conductorai/<workflow>'",
                 repository.top.string(), "rename it: git branch -m conductorai NEW-NAME");
}

task<Result<std::string>> GitWorkspaceManager::resolve_base(GitRepository repository, std::string base) {
  GitCall call =
      repository_call(repository, {"rev-parse", "--verify", "--quiet", "--end-of-options", (base.empty() ? "HEAD" : base) + "^{commit}"});
  auto found = co_await run_git(loop_, std::move(call), ErrorCode::invalid_argument);
  if (found) {
    const std::string printed = trimmed(found->out);
    const std::string id = printed.substr(printed.rfind('\n') + 1);
    if (is_object_id(id)) co_return id;
  } else if (found.error().code != ErrorCode::invalid_argument) {
    co_return fail(found.error());
  }
  if (!base.empty())
    co_return fail(ErrorCode::invalid_argument, "no such branch, tag or commit: " + base, repository.top.string(),
                   "workspace.base names where the workflow's branch starts");
  // No commit yet: the branch gets a root of its own, the same one each time.
  auto root = co_await make_root(std::move(repository));
  co_return root;
}

task<Result<std::string>> GitWorkspaceManager::make_root(GitRepository repository) {
  auto store = open_store(settings_.state_dir, repository);
  if (!store) co_return fail(store.error());
  auto tree = co_await run_git(loop_, store_call(*store, {"mktree"}));
  if (!tree) co_return fail(tree.error());
  auto made =
      co_await make_commit(loop_, *store, {.tree = trimmed(tree->out), .parents = {}, .message = std::string(kRootMessage), .at = {}});
  co_return made;
}

// --- worktrees ----------------------------------------------------------------------------------------------------------------------

task<Result<void>> GitWorkspaceManager::discard(fs::path folder) {
  co_return co_await files_.run([folder = std::move(folder)] { return remove_tree(folder); });
}

task<Result<std::unique_ptr<Workspace>>> GitWorkspaceManager::open(AttemptId attempt, fs::path repo, std::string base,
                                                                   std::vector<std::string> protected_paths) {
  untouched_.erase(attempt.workflow);
  if (!is_object_id(base)) co_return fail(ErrorCode::invalid_argument, "this is no commit id", base.substr(0, 80));
  auto found = co_await repository(repo);
  if (!found) co_return fail(found.error());
  auto store = open_store(settings_.state_dir, *found);
  if (!store) co_return fail(store.error());
  auto area = make_work_area(settings_.state_dir);
  if (!area) co_return fail(area.error());
  GitWorkspaceParts parts{.store = *store,
                          .root = worktree_path(attempt),
                          .index = index_path(attempt),
                          .base = base,
                          .protected_paths = std::move(protected_paths),
                          .area = settings_.area};
  auto made = co_await files_.run([root = parts.root, index = parts.index]() -> Result<void> {
    if (auto fresh = fresh_folder(root); !fresh) return fresh;
    std::error_code error;
    fs::create_directories(index.parent_path(), error);
    if (error) return fail(ErrorCode::unavailable, error.message(), index.string(), "the state directory must be writable");
    return {};
  });
  if (!made) co_return fail(made.error());
  auto workspace = std::make_unique<GitWorkspace>(loop_, files_, std::move(parts));
  auto filled = co_await workspace->restore(base);
  if (!filled) co_return fail(filled.error());
  co_return std::unique_ptr<Workspace>(std::move(workspace));
}

task<Result<void>> GitWorkspaceManager::close(AttemptId attempt, fs::path) {
  co_return co_await files_.run([tree = worktree_path(attempt), index = index_path(attempt)] {
    auto removed = remove_tree(tree);
    auto forgotten = remove_tree(index.parent_path());
    // The workflow's folders go with its last attempt; where others remain, they stay.
    std::error_code ignored;
    for (const fs::path& folder : {tree.parent_path(), index.parent_path().parent_path()}) fs::remove(folder, ignored);
    return removed ? forgotten : removed;
  });
}

task<Result<void>> GitWorkspaceManager::close_all(WorkflowId workflow, fs::path) {
  return untouched_.erase(workflow) > 0 ? task<Result<void>>::done() : close_left_over(std::move(workflow));
}

task<Result<void>> GitWorkspaceManager::close_left_over(WorkflowId workflow) {
  const std::string folder = folder_name(workflow.str());
  const fs::path all_trees = trees_ / folder, all_indexes = indexes_ / folder;
  std::error_code unknown;  // what cannot be looked at is for `discard` to report
  const bool nothing = !fs::exists(all_trees, unknown) && !unknown && !fs::exists(all_indexes, unknown) && !unknown;
  if (nothing) co_return Result<void>{};
  auto trees = co_await discard(all_trees);
  auto indexes = co_await discard(all_indexes);
  co_return trees ? indexes : trees;
}

task<Result<void>> GitWorkspaceManager::remove_workflow(WorkflowId workflow) {
  auto closed = co_await close_all(workflow, {});
  if (!closed) co_return closed;
  const fs::path folder = own_repository(workflow);
  fs::path gone = folder;
  gone += ".removed";
  std::error_code error;
  fs::rename(folder, gone, error);
  if (error && error != std::errc::no_such_file_or_directory) co_return fail(ErrorCode::unavailable, error.message(), folder.string());
  co_return co_await discard(gone);
}

// --- commits and the branch -----------------------------------------------------------------------------------------------------------

task<Result<std::string>> GitWorkspaceManager::merge_base_case(GitStore store, std::string head, std::string commit) {
  for (const auto& [older, newer] : {std::pair{head, commit}, std::pair{commit, head}}) {
    GitCall call = store_call(store, {"merge-base", "--is-ancestor", older, newer});
    call.answers = {0, 1};
    auto answer = co_await run_git(loop_, std::move(call), ErrorCode::invalid_argument);
    if (!answer) co_return fail(answer.error());
    if (answer->exit_code == 0) co_return newer;
  }
  co_return std::string{};
}

task<Result<Merge>> GitWorkspaceManager::merge(fs::path repo, std::string head, std::string commit, std::string message, Timestamp at) {
  for (const auto& id : {head, commit})
    if (!is_object_id(id)) co_return fail(ErrorCode::invalid_argument, "this is no commit id", id.substr(0, 80));
  auto found = co_await repository(repo);
  if (!found) co_return fail(found.error());
  auto store = open_store(settings_.state_dir, *found);
  if (!store) co_return fail(store.error());
  auto simple = co_await merge_base_case(*store, head, commit);
  if (!simple) co_return fail(simple.error());
  if (!simple->empty()) co_return Merge{.head = *simple, .conflicts = {}};
  GitCall call =
      store_call(*store, {"merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", "--allow-unrelated-histories", head, commit});
  call.answers = {0, 1};
  auto merged = co_await run_git(loop_, std::move(call));
  if (!merged) co_return fail(merged.error());
  auto fields = nul_separated(merged->out);
  if (fields.empty()) co_return fail(ErrorCode::unavailable, "git merge-tree printed nothing", head);
  const std::string tree = trimmed(fields.front());
  if (merged->exit_code == 1) {
    std::vector<std::string> conflicts(fields.begin() + 1, fields.end());
    std::ranges::sort(conflicts);
    conflicts.erase(std::ranges::unique(conflicts).begin(), conflicts.end());
    co_return Merge{.head = {}, .conflicts = std::move(conflicts)};
  }
  if (!message.ends_with('\n')) message += '\n';
  auto made = co_await make_commit(loop_, *store, {.tree = tree, .parents = {head, commit}, .message = message, .at = at});
  if (!made) co_return fail(made.error());
  co_return Merge{.head = std::move(*made), .conflicts = {}};
}

task<Result<void>> GitWorkspaceManager::move_branch(fs::path repo, std::string branch, std::string head) {
  if (!is_object_id(head)) co_return fail(ErrorCode::invalid_argument, "this is no commit id", head.substr(0, 80));
  auto found = co_await repository(repo);
  if (!found) co_return fail(found.error());
  auto moved = co_await run_git(
      loop_, repository_call(*found, {"update-ref", "--no-deref", "--create-reflog", "-m", "conductorai", "refs/heads/" + branch, head}));
  if (!moved) co_return fail(where(moved.error(), found->top));
  co_return Result<void>{};
}

task<Result<std::string>> GitWorkspaceManager::tree_of(fs::path repo, std::string commit) {
  if (!is_object_id(commit)) co_return fail(ErrorCode::invalid_argument, "this is no commit id", commit.substr(0, 80));
  if (commit == kRootCommit && is_own(repo)) co_return std::string(kEmptyTree);
  auto found = co_await repository(repo);
  if (!found) co_return fail(found.error());
  auto tree = co_await run_git(loop_, repository_call(*found, {"rev-parse", "--verify", "--quiet", commit + "^{tree}"}),
                               ErrorCode::invalid_argument);
  if (!tree) co_return fail(ErrorCode::invalid_argument, "no such commit", commit);
  co_return trimmed(std::move(tree->out));
}

}  // namespace conductorai::infrastructure
