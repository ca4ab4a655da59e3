#include "infrastructure/workspace/git_workspace_fixture.hpp"

#include <sys/stat.h>

#include <set>

namespace conductorai::infrastructure {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// --- prepare ---------------------------------------------------------------------------------------------------------------------------

TEST_F(GitWorkspaceTest, PreparesAnExistingRepositoryWithoutMakingARef) {
  const std::string head = start_repo();
  auto branch = prepare({.repo = repo().string()});
  ASSERT_TRUE(branch) << to_string(branch.error());
  EXPECT_EQ(branch->name, "conductorai/wf-1");
  EXPECT_EQ(branch->base_commit, head);
  EXPECT_EQ(branch->repo, fs::canonical(repo()));
  EXPECT_EQ(git("for-each-ref --format='%(refname)'"), "refs/heads/main");
  EXPECT_EQ(prepare({.repo = repo().string()})->base_commit, head);
}

TEST_F(GitWorkspaceTest, ResolvesBranchTagAndCommitAndRefusesUnknownBases) {
  const std::string first = start_repo();
  git("tag -a v1 -m tag");
  put(repo() / "a.txt", "x");
  git("commit -qam second");
  EXPECT_EQ(prepare({.repo = repo().string(), .base = "v1"})->base_commit, first);
  EXPECT_EQ(prepare({.repo = repo().string(), .base = first.substr(0, 10)})->base_commit, first);
  EXPECT_EQ(prepare({.repo = repo().string(), .base = "main"})->base_commit, git("rev-parse main"));
  for (const char* base : {"nothing", "--help", "HEAD:a.txt", "-q", "main..v1"})
    EXPECT_EQ(code(prepare({.repo = repo().string(), .base = base})), ErrorCode::invalid_argument) << base;
}

TEST_F(GitWorkspaceTest, RefusesDirtyCheckoutsAndNamesThePaths) {
  const std::string head = start_repo();
  put(repo() / "a.txt", "changed");
  put(repo() / "new.txt", "untracked files are no obstacle");
  auto refused = prepare({.repo = repo().string()});
  ASSERT_EQ(code(refused), ErrorCode::conflict);
  EXPECT_EQ(refused.error().where, "a.txt");
  EXPECT_THAT(refused.error().hint, HasSubstr("--allow-dirty"));
  auto allowed = prepare({.repo = repo().string(), .allow_dirty = true});
  ASSERT_TRUE(allowed);
  EXPECT_EQ(allowed->base_commit, head);
  git("checkout -q a.txt");
  put(repo() / "staged.txt", "x");
  git("add staged.txt");
  EXPECT_EQ(code(prepare({.repo = repo().string()})), ErrorCode::conflict);
}

TEST_F(GitWorkspaceTest, AcceptsSubfoldersBareRepositoriesAndLinkedWorktrees) {
  const std::string head = start_repo();
  EXPECT_EQ(prepare({.repo = (repo() / "d").string()})->repo, fs::canonical(repo()));
  git("clone -q --bare . ../bare.git");
  auto bare = prepare({.repo = (top_ / "bare.git").string()});
  ASSERT_TRUE(bare) << to_string(bare.error());
  EXPECT_EQ(bare->repo, fs::canonical(top_ / "bare.git"));
  EXPECT_TRUE(run(manager_->move_branch(bare->repo, bare->name, head)));
  EXPECT_EQ(git("rev-parse conductorai/wf-1", top_ / "bare.git"), head);
  git("worktree add -q ../linked -b side");
  auto linked = prepare({.repo = (top_ / "linked").string()});
  ASSERT_TRUE(linked) << to_string(linked.error());
  EXPECT_TRUE(run(manager_->move_branch(linked->repo, linked->name, head)));
  EXPECT_EQ(git("rev-parse conductorai/wf-1"), head);
  EXPECT_TRUE(run(manager_->open(attempt("code"), linked->repo, head, {})));
}

TEST_F(GitWorkspaceTest, RefusesWhatIsNoRepository) {
  EXPECT_EQ(code(prepare({.repo = repo().string()})), ErrorCode::invalid_argument);
  EXPECT_EQ(code(prepare({.repo = (top_ / "gone").string()})), ErrorCode::invalid_argument);
  start_repo();
  EXPECT_EQ(code(prepare({.repo = (repo() / ".git").string()})), ErrorCode::invalid_argument);
  git("branch conductorai");
  EXPECT_EQ(code(prepare({.repo = repo().string()})), ErrorCode::invalid_argument);
}

TEST_F(GitWorkspaceTest, StartsARepositoryWithoutCommitsFromADeterministicRoot) {
  git("init -q -b main .");
  auto first = prepare({.repo = repo().string()});
  ASSERT_TRUE(first) << to_string(first.error());
  EXPECT_EQ(prepare({.repo = repo().string()})->base_commit, first->base_commit);
  EXPECT_EQ(git("ls-tree -r " + first->base_commit), "");
  EXPECT_EQ(git("for-each-ref"), "");
  EXPECT_EQ(code(prepare({.repo = repo().string(), .base = "main"})), ErrorCode::invalid_argument);
}

TEST_F(GitWorkspaceTest, MakesARepositoryWhereNoneIsNamed) {
  auto branch = prepare({});
  ASSERT_TRUE(branch) << to_string(branch.error());
  EXPECT_EQ(branch->repo, state() / "repos" / "wf-1");
  EXPECT_EQ(prepare({})->base_commit, branch->base_commit);
  EXPECT_FALSE(fs::exists(branch->repo)) << "a workflow that touches no file should cost no repository";
  EXPECT_EQ(run(manager_->tree_of(branch->repo, branch->base_commit)), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
  auto workspace = run(manager_->open(attempt("code"), branch->repo, branch->base_commit, {}));
  ASSERT_TRUE(workspace);
  ASSERT_TRUE(run((*workspace)->write("hello.py", "print('hi')\n")));
  const std::string made = commit(**workspace);
  ASSERT_TRUE(run(manager_->move_branch(branch->repo, branch->name, made)));
  git("clone -q '" + branch->repo.string() + "' '" + (top_ / "clone").string() + "'");
  EXPECT_EQ(get(top_ / "clone" / "hello.py"), "print('hi')\n");
}

TEST_F(GitWorkspaceTest, MakesThatRepositoryOnceWhenAskedManyTimesAtOnce) {
  struct Lane {
    static task<void> go(GitWorkspaceManager& manager, std::vector<std::string>& bases, int n) {
      const WorkflowId workflow("wf-1");
      auto branch = co_await manager.prepare({.workflow = workflow, .repo = {}, .base = {}});
      auto opened = co_await manager.open({workflow, TaskId("t"), 1, n}, branch->repo, branch->base_commit, {});
      bases.push_back(opened ? (*opened)->base() : to_string(opened.error()));
    }
    static task<void> all(runtime::Loop& loop, GitWorkspaceManager& manager, std::vector<std::string>& bases) {
      runtime::TaskScope scope(loop);
      for (int i = 0; i < 8; ++i) scope.spawn(go(manager, bases, i + 1));
      co_await scope.join();
    }
  };
  std::vector<std::string> bases;
  run(Lane::all(loop_, *manager_, bases));
  ASSERT_EQ(bases.size(), 8U);
  for (const auto& base : bases) EXPECT_EQ(base, bases.front());
  EXPECT_EQ(bases.front().size(), 40U);
  EXPECT_EQ(std::distance(fs::directory_iterator(state() / "repos"), fs::directory_iterator()), 1);
}

TEST_F(GitWorkspaceTest, WorksOnSha256AndShallowRepositories) {
  git("init -q -b main --object-format=sha256 .");
  put(repo() / "a", "1");
  git("add -A");
  git("commit -q -m start");
  const std::string head = git("rev-parse HEAD");
  auto workspace = open(head);
  ASSERT_TRUE(run(workspace->write("b", "2")));
  EXPECT_EQ(commit(*workspace).size(), 64U);
  EXPECT_EQ(git("fsck --strict --no-dangling"), "");
}

TEST_F(GitWorkspaceTest, MergesInShallowClones) {
  start_repo();
  for (int i = 0; i < 3; ++i) git("commit -q --allow-empty -m more");
  git("clone -q --depth 1 'file://" + repo().string() + "' ../shallow");
  const std::string head = git("rev-parse HEAD");
  auto left = run(manager_->open(attempt("left"), top_ / "shallow", head, {}));
  auto right = run(manager_->open(attempt("right"), top_ / "shallow", head, {}));
  ASSERT_TRUE(left && right);
  ASSERT_TRUE(run((*left)->write("l", "l")));
  ASSERT_TRUE(run((*right)->write("r", "r")));
  auto merged = run(manager_->merge(top_ / "shallow", commit(**left, "left"), commit(**right, "right"), "Merge", kAt));
  ASSERT_TRUE(merged) << to_string(merged.error());
  EXPECT_THAT(merged->conflicts, IsEmpty());
}

// --- files -----------------------------------------------------------------------------------------------------------------------------

TEST_F(GitWorkspaceTest, HoldsTheFilesOfTheBaseAndNoGit) {
  auto workspace = open(start_repo());
  EXPECT_EQ(get(workspace->root() / "d/b.txt"), "b\n");
  EXPECT_FALSE(fs::exists(workspace->root() / ".git"));
  EXPECT_THAT(*run(workspace->list_files()), ElementsAre("a.txt", "d/b.txt"));
  EXPECT_THAT(*run(workspace->changes()), IsEmpty());
  EXPECT_EQ(*run(workspace->diff()), "");
}

TEST_F(GitWorkspaceTest, ListsTrackedAndNewFilesWithoutIgnoredOnes) {
  auto workspace = open(start_repo({{".gitignore", "*.log\nout/\n"}, {"kept.log", "tracked although ignored\n"}, {"gone.txt", "x"}}));
  put(workspace->root() / "new.txt", "n");
  put(workspace->root() / "x.log", "n");
  put(workspace->root() / "out/y", "n");
  put(workspace->root() / "__pycache__/m.cpython-311.pyc", "n");
  fs::remove(workspace->root() / "gone.txt");
  EXPECT_THAT(*run(workspace->list_files()), ElementsAre(".gitignore", "kept.log", "new.txt"));
}

TEST_F(GitWorkspaceTest, ReadsWritesAndRemoves) {
  auto workspace = open(start_repo());
  EXPECT_EQ(*run(workspace->read("a.txt")), "one\ntwo\nthree\n");
  EXPECT_EQ(code(run(workspace->read("none"))), ErrorCode::not_found);
  EXPECT_EQ(code(run(workspace->read("a.txt/below"))), ErrorCode::not_found);
  EXPECT_EQ(code(run(workspace->read("d"))), ErrorCode::invalid_argument);
  ASSERT_TRUE(run(workspace->write("new/deep/file", std::string("\0\xff bytes", 8))));
  EXPECT_EQ(*run(workspace->read("new/deep/file")), std::string("\0\xff bytes", 8));
  ASSERT_TRUE(run(workspace->write("a.txt", "")));
  EXPECT_EQ(*run(workspace->read("a.txt")), "");
  EXPECT_EQ(code(run(workspace->write("d", "x"))), ErrorCode::invalid_argument);
  ASSERT_TRUE(run(workspace->remove("d/b.txt")));
  EXPECT_FALSE(fs::exists(workspace->root() / "d"));
  EXPECT_EQ(code(run(workspace->remove("d/b.txt"))), ErrorCode::not_found);
  EXPECT_THAT(*run(workspace->changes()), UnorderedElementsAre(Pair("a.txt", 'M'), Pair("d/b.txt", 'D'), Pair("new/deep/file", 'A')));
}

TEST_F(GitWorkspaceTest, KeepsTheExecutableBitAndNewNamesOfAnyKind) {
  start_repo({{"run.sh", "#!/bin/sh\n"}});
  git("update-index --chmod=+x run.sh");
  git("commit -q -m x");
  auto workspace = open(git("rev-parse HEAD"));
  ASSERT_TRUE(run(workspace->write("run.sh", "#!/bin/sh\nexit 0\n")));
  ASSERT_TRUE(run(workspace->write("ä ö\t\"quoted\"\n.txt", "x")));
  EXPECT_THAT(*run(workspace->list_files()), ElementsAre("run.sh", "ä ö\t\"quoted\"\n.txt"));
  EXPECT_THAT(git("ls-tree " + commit(*workspace) + " run.sh"), HasSubstr("100755"));
}

TEST_F(GitWorkspaceTest, RefusesFilesOverEightMegabytes) {
  auto workspace = open(start_repo());
  put(workspace->root() / "big", std::string((8 << 20) + 1, 'x'));
  put(workspace->root() / "fits", std::string(8 << 20, 'x'));
  EXPECT_EQ(code(run(workspace->read("big"))), ErrorCode::resource_exhausted);
  EXPECT_EQ(run(workspace->read("fits"))->size(), std::size_t{8} << 20);
  const std::string made = commit(*workspace);
  EXPECT_EQ(code(run(workspace->file_at(made, "big"))), ErrorCode::resource_exhausted);
}

TEST_F(GitWorkspaceTest, RefusesPathsThatLeaveThroughSymlinksOrNameGit) {
  auto workspace = open(start_repo());
  put(top_ / "secret/key", "secret");
  fs::create_directory_symlink(top_ / "secret", workspace->root() / "way");
  fs::create_symlink(top_ / "secret/key", workspace->root() / "key");
  fs::create_symlink("a.txt", workspace->root() / "inner");
  for (const char* path : {"way/key", "key", "inner", "/etc/passwd", "../repo/a.txt", ".git/config", "d/.GIT/x"}) {
    EXPECT_EQ(code(run(workspace->read(path))), ErrorCode::permission_denied) << path;
    EXPECT_EQ(code(run(workspace->write(path, "x"))), ErrorCode::permission_denied) << path;
  }
  EXPECT_EQ(code(run(workspace->write("way/deep/new", "x"))), ErrorCode::permission_denied);
  EXPECT_EQ(code(run(workspace->remove("way/key"))), ErrorCode::permission_denied);
  EXPECT_EQ(get(top_ / "secret/key"), "secret");
  EXPECT_TRUE(run(workspace->remove("key")));  // the link itself
  EXPECT_EQ(get(top_ / "secret/key"), "secret");
}

TEST_F(GitWorkspaceTest, IsNotHeldUpByFifosAndDoesNotRecordThem) {
  auto workspace = open(start_repo());
  ASSERT_EQ(::mkfifo((workspace->root() / "pipe").c_str(), 0666), 0);
  EXPECT_EQ(code(run(workspace->read("pipe"))), ErrorCode::invalid_argument);
  EXPECT_EQ(code(run(workspace->write("pipe", "x"))), ErrorCode::invalid_argument);
  EXPECT_THAT(*run(workspace->changes()), IsEmpty());
}

TEST_F(GitWorkspaceTest, GuardsProtectedPathsAndTellsWhoeverChangedThem) {
  auto workspace = open(start_repo({{"tests/acceptance/t.py", "x"}, {"src/a.py", "x"}}), "code", {"tests/acceptance/**", "*.lock"});
  EXPECT_EQ(code(run(workspace->write("tests/acceptance/t.py", "y"))), ErrorCode::permission_denied);
  EXPECT_EQ(code(run(workspace->write("./tests/./acceptance/new.py", "y"))), ErrorCode::permission_denied);
  EXPECT_EQ(code(run(workspace->remove("tests/acceptance/t.py"))), ErrorCode::permission_denied);
  EXPECT_TRUE(run(workspace->write("src/a.py", "y")));
  EXPECT_THAT(*run(workspace->protected_changes()), IsEmpty());
  put(workspace->root() / "tests/acceptance/t.py", "by a command");
  put(workspace->root() / "x.lock", "by a command");
  EXPECT_THAT(*run(workspace->protected_changes()), ElementsAre("tests/acceptance/t.py", "x.lock"));
}

// --- snapshots and commits ---------------------------------------------------------------------------------------------------------------

TEST_F(GitWorkspaceTest, ShowsChangesAsAUnifiedDiff) {
  const std::string base = start_repo();
  auto workspace = open(base);
  ASSERT_TRUE(run(workspace->write("a.txt", "one\nTWO\nthree\n")));
  EXPECT_THAT(*run(workspace->diff()), HasSubstr("--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n"));
  const std::string made = commit(*workspace);
  ASSERT_TRUE(run(workspace->write("a.txt", "one\nTWO\n3\n")));
  EXPECT_THAT(*run(workspace->diff(made)), HasSubstr("-three\n+3\n"));
  EXPECT_EQ(code(run(workspace->diff("--output=/tmp/x"))), ErrorCode::invalid_argument);
}

TEST_F(GitWorkspaceTest, TellsWhatAFileWasAtACommit) {
  const std::string base = start_repo();
  auto workspace = open(base);
  ASSERT_TRUE(run(workspace->write("a.txt", "new")));
  EXPECT_EQ(*run(workspace->file_at(base, "a.txt")), "one\ntwo\nthree\n");
  EXPECT_EQ(*run(workspace->file_at(base, "none")), std::nullopt);
  EXPECT_EQ(*run(workspace->file_at(base, "d")), std::nullopt);
  EXPECT_EQ(code(run(workspace->file_at(base, "../a.txt"))), ErrorCode::permission_denied);
  EXPECT_EQ(code(run(workspace->file_at("HEAD", "a.txt"))), ErrorCode::invalid_argument);
}

TEST_F(GitWorkspaceTest, RestoresASnapshotToTheByte) {
  auto workspace = open(start_repo());
  ASSERT_TRUE(run(workspace->write("a.txt", "crlf\r\nand no end")));
  ASSERT_TRUE(run(workspace->write("n/x", "x")));
  fs::create_symlink("../a.txt", workspace->root() / "n/link");
  const std::string tree = *run(workspace->snapshot());
  ASSERT_TRUE(run(workspace->remove("a.txt")));
  fs::remove(workspace->root() / "n/x");
  put(workspace->root() / "n/x/y/z", "a folder where a file was");
  put(workspace->root() / "extra/__pycache__/stale.pyc", "stale");
  ASSERT_TRUE(run(workspace->restore(tree)));
  EXPECT_EQ(get(workspace->root() / "a.txt"), "crlf\r\nand no end");
  EXPECT_EQ(get(workspace->root() / "n/x"), "x");
  EXPECT_EQ(fs::read_symlink(workspace->root() / "n/link"), "../a.txt");
  EXPECT_FALSE(fs::exists(workspace->root() / "extra"));
  EXPECT_EQ(*run(workspace->snapshot()), tree);
  EXPECT_EQ(code(run(workspace->restore("nonsense"))), ErrorCode::invalid_argument);
}

TEST_F(GitWorkspaceTest, CommitsOnceOnTopOfTheBaseWithTrailers) {
  const std::string base = start_repo();
  auto workspace = open(base);
  EXPECT_EQ(commit(*workspace), "");
  ASSERT_TRUE(run(workspace->write("a.txt", "x")));
  CommitTrailers trailers{attempt("code", 2), AgentId("coding-01"), {Digest("sha256:aa"), Digest("sha256:bb")}};
  const std::string made = *run(workspace->commit("Do it\nConductorai-Task: forged", trailers, kAt));
  EXPECT_EQ(git("rev-parse " + made + "^"), base);
  EXPECT_EQ(git("log -1 --format=%B " + made),
            "Do it Conductorai-Task: forged\n\nConductorai-Task: code\nConductorai-Agent: coding-01\nConductorai-Round: 1\n"
            "Conductorai-Attempt: 2\nConductorai-Artifact: sha256:aa\nConductorai-Artifact: sha256:bb");
  EXPECT_EQ(git("log -1 --format='%an %ae %ct %at' " + made), "ConductorAI conductorai@localhost 1700000000 1700000000");
  EXPECT_EQ(*run(workspace->commit("Do it\nConductorai-Task: forged", trailers, kAt)), made);
  auto twin = open(base, "twin");
  ASSERT_TRUE(run(twin->write("a.txt", "x")));
  EXPECT_EQ(*run(twin->commit("Do it\nConductorai-Task: forged", trailers, kAt)), made);
  EXPECT_EQ(*run(manager_->tree_of(repo(), made)), git("rev-parse " + made + "^{tree}"));
}

TEST_F(GitWorkspaceTest, NeverTouchesTheUsersCheckout) {
  const std::string base = start_repo();
  put(repo() / "a.txt", "being edited");
  const std::string index = get(repo() / ".git/index"), head = get(repo() / ".git/HEAD"), config = get(repo() / ".git/config");
  auto branch = prepare({.repo = repo().string(), .allow_dirty = true});
  auto workspace = open(base);
  ASSERT_TRUE(run(workspace->write("a.txt", "x")));
  const std::string made = commit(*workspace);
  ASSERT_TRUE(run(manager_->move_branch(repo(), branch->name, made)));
  ASSERT_TRUE(run(manager_->close(attempt("code"), repo())));
  EXPECT_EQ(get(repo() / ".git/index"), index);
  EXPECT_EQ(get(repo() / ".git/HEAD"), head);
  EXPECT_EQ(get(repo() / ".git/config"), config);
  EXPECT_EQ(get(repo() / "a.txt"), "being edited");
  EXPECT_EQ(git("rev-parse conductorai/wf-1"), made);
  EXPECT_EQ(git("worktree list --porcelain | grep -c ^worktree"), "1");
}

// --- merges and refs ---------------------------------------------------------------------------------------------------------------------

TEST_F(GitWorkspaceTest, MergesFastForwardTrueMergeAndRepetition) {
  const std::string base = start_repo();
  auto left = open(base, "left"), right = open(base, "right");
  ASSERT_TRUE(run(left->write("l.txt", "l")));
  ASSERT_TRUE(run(right->write("r.txt", "r")));
  const std::string l = commit(*left, "left"), r = commit(*right, "right");
  EXPECT_EQ(run(manager_->merge(repo(), base, l, "Merge", kAt))->head, l);
  EXPECT_EQ(run(manager_->merge(repo(), l, base, "Merge", kAt))->head, l);
  const std::string merged = run(manager_->merge(repo(), l, r, "Merge right", kAt))->head;
  EXPECT_EQ(git("rev-parse " + merged + "^1 " + merged + "^2"), l + "\n" + r);
  EXPECT_EQ(git("ls-tree --name-only " + merged), "a.txt\nd\nl.txt\nr.txt");
  EXPECT_EQ(run(manager_->merge(repo(), l, r, "Merge right", kAt))->head, merged);
  EXPECT_EQ(run(manager_->merge(repo(), merged, r, "Merge right", kAt))->head, merged);
  EXPECT_EQ(git("for-each-ref --format='%(refname)'"), "refs/heads/main");
}

TEST_F(GitWorkspaceTest, NamesThePathsOfAConflict) {
  const std::string base = start_repo({{"a.txt", "1\n"}, {"b.txt", "1\n"}, {"ü.txt", "1\n"}});
  auto left = open(base, "left"), right = open(base, "right");
  for (const auto& [workspace, text] : {std::pair{left.get(), "left\n"}, {right.get(), "right\n"}}) {
    ASSERT_TRUE(run(workspace->write("a.txt", text)));
    ASSERT_TRUE(run(workspace->write("ü.txt", text)));
  }
  auto merged = run(manager_->merge(repo(), commit(*left, "left"), commit(*right, "right"), "Merge", kAt));
  ASSERT_TRUE(merged) << to_string(merged.error());
  EXPECT_EQ(merged->head, "");
  EXPECT_THAT(merged->conflicts, ElementsAre("a.txt", "ü.txt"));
}

TEST_F(GitWorkspaceTest, MovesABranchAnyNumberOfTimes) {
  const std::string base = start_repo();
  EXPECT_TRUE(run(manager_->move_branch(repo(), "conductorai/wf-1", base)));
  EXPECT_TRUE(run(manager_->move_branch(repo(), "conductorai/wf-1", base)));
  EXPECT_EQ(git("rev-parse conductorai/wf-1"), base);
  EXPECT_FALSE(run(manager_->move_branch(repo(), "conductorai/wf-1", std::string(40, 'a'))));
  EXPECT_FALSE(run(manager_->move_branch(repo(), "../../evil", base)));
  EXPECT_EQ(code(run(manager_->move_branch(repo(), "x", "main"))), ErrorCode::invalid_argument);
}

TEST_F(GitWorkspaceTest, LetsManyAttemptsCommitAndMergeAtOnce) {
  const std::string base = start_repo();
  struct Lane {
    static task<void> go(GitWorkspaceManager& manager, fs::path repo, std::string base, int number, std::vector<std::string>& commits) {
      AttemptId id{WorkflowId("wf-1"), TaskId("t[" + std::to_string(number) + "]"), 1, 1};
      auto workspace = co_await manager.open(id, repo, base, {});
      if (!workspace) co_return;
      for (int i = 0; i < 3; ++i) {
        auto written = co_await (*workspace)->write("file" + std::to_string(number), std::string(1, static_cast<char>('a' + i)));
        if (!written) co_return;
        auto snapshot = co_await (*workspace)->snapshot();
        if (!snapshot) co_return;
      }
      auto made = co_await (*workspace)->commit("Work", {id, AgentId("a"), {}}, kAt);
      if (made) commits[static_cast<std::size_t>(number)] = *made;
    }
    static task<void> all(runtime::Loop& loop, GitWorkspaceManager& manager, fs::path repo, std::string base,
                          std::vector<std::string>& commits) {
      runtime::TaskScope scope(loop);
      for (std::size_t i = 0; i < commits.size(); ++i) scope.spawn(go(manager, repo, base, static_cast<int>(i), commits));
      co_await scope.join();
    }
  };
  std::vector<std::string> commits(12);
  run(Lane::all(loop_, *manager_, repo(), base, commits));
  std::string head = base;
  for (const auto& made : commits) {
    ASSERT_NE(made, "");
    auto merged = run(manager_->merge(repo(), head, made, "Merge", kAt));
    ASSERT_TRUE(merged) << to_string(merged.error());
    head = merged->head;
  }
  EXPECT_EQ(git("ls-tree --name-only " + head + " | wc -l"), "14");
  EXPECT_EQ(git("fsck --strict --no-dangling"), "");
}

// --- leftovers -----------------------------------------------------------------------------------------------------------------

TEST_F(GitWorkspaceTest, ThrowsLeftoversOfADeadOwnerAway) {
  const std::string base = start_repo();
  auto first = open(base);
  put(first->root() / "left/over", "x");
  put(settings().state_dir / "git/indexes/wf-1/code.1.1/index.lock", "of a git that was killed");
  auto second = open(base);
  EXPECT_EQ(first->root(), second->root());
  EXPECT_THAT(*run(second->list_files()), ElementsAre("a.txt", "d/b.txt"));
  ASSERT_TRUE(run(manager_->close(attempt("code"), repo())));
  EXPECT_FALSE(fs::exists(second->root().parent_path()));
  EXPECT_TRUE(run(manager_->close(attempt("code"), repo())));
}

TEST_F(GitWorkspaceTest, OpensAWorktreeWhileTheLastOtherOneOfItsWorkflowIsClosed) {
  const std::string base = start_repo();
  struct Lane {
    static task<void> go(GitWorkspaceManager& manager, fs::path repo, std::string base, std::string name, int& opened) {
      for (int round = 1; round <= 10; ++round) {
        const AttemptId attempt{.workflow = WorkflowId("wf-1"), .task = TaskId(name), .round = round, .attempt = 1};
        auto workspace = co_await manager.open(attempt, repo, base, {});
        EXPECT_TRUE(workspace) << to_string(workspace.error());
        opened += workspace ? 1 : 0;
        auto closed = co_await manager.close(attempt, repo);
        EXPECT_TRUE(closed);
      }
    }
    static task<void> all(runtime::Loop& loop, GitWorkspaceManager& manager, fs::path repo, std::string base, int& opened) {
      runtime::TaskScope scope(loop);
      for (const char* name : {"one", "two", "three"}) scope.spawn(go(manager, repo, base, name, opened));
      co_await scope.join();
    }
  };
  int opened = 0;
  run(Lane::all(loop_, *manager_, repo(), base, opened));
  EXPECT_EQ(opened, 30);
  EXPECT_FALSE(fs::exists(settings().state_dir / "git/indexes/wf-1"));
}

TEST_F(GitWorkspaceTest, RemovesAllWorktreesOfAWorkflowWhateverTheyHold) {
  const std::string base = start_repo();
  auto one = open(base, "one"), two = open(base, "two");
  put(one->root() / "closed/file", "x");
  ::chmod((one->root() / "closed").c_str(), 0);
  fs::create_directory_symlink(repo(), two->root() / "link");
  std::string command =
      "cd '" + two->root().string() + "' && python3 - <<'E'\nimport os\nfor i in range(1500):\n  os.mkdir('d'*50); os.chdir('d'*50)\nE";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(code(run(two->snapshot())), ErrorCode::invalid_argument);
  auto closed = run(manager_->close_all(WorkflowId("wf-1"), repo()));
  ASSERT_TRUE(closed) << to_string(closed.error());
  EXPECT_FALSE(fs::exists(one->root().parent_path()));
  EXPECT_TRUE(fs::exists(repo() / "a.txt"));
  EXPECT_TRUE(run(manager_->close_all(WorkflowId("wf-1"), repo())));
}

// --- removal and forks ---------------------------------------------------------------------------------------------------------------

TEST_F(GitWorkspaceTest, RemovesAWorkflowsOwnRepositoryAndWorktreesAndNoOthers) {
  const auto folder = prepare({})->repo;
  auto workspace = run(manager_->open(attempt("code"), folder, std::string(kRootCommit), {}));
  ASSERT_TRUE(workspace) << to_string(workspace.error());
  const auto other = run(manager_->prepare({.workflow = WorkflowId("wf-2")}))->repo;
  ASSERT_TRUE(run(manager_->open({WorkflowId("wf-2"), TaskId("code"), 1, 1}, other, std::string(kRootCommit), {})));
  ASSERT_TRUE(fs::exists(folder) && fs::exists(manager_->worktree_path(attempt("code"))));
  ASSERT_TRUE(run(manager_->remove_workflow(WorkflowId("wf-1"))));
  EXPECT_FALSE(fs::exists(folder));
  EXPECT_FALSE(fs::exists(manager_->worktree_path(attempt("code"))));
  EXPECT_TRUE(fs::exists(other));
  fs::create_directories(fs::path(folder.string() + ".removed") / "objects");  // a crash between renaming and emptying
  EXPECT_TRUE(run(manager_->remove_workflow(WorkflowId("wf-1"))));
  EXPECT_FALSE(fs::exists(folder.string() + ".removed"));
  EXPECT_TRUE(run(manager_->remove_workflow(WorkflowId("wf-none"))));
}

TEST_F(GitWorkspaceTest, AForkInTheUsersRepositoryStartsWhereTheOtherStood) {
  const std::string base = start_repo();
  auto workspace = open(base);
  ASSERT_TRUE(run(workspace->write("a.txt", "x")));
  const std::string head = commit(*workspace);
  const BranchRequest request{.workflow = WorkflowId("wf-2"), .repo = repo().string(), .base = base};
  auto fork = run(manager_->prepare_fork(WorkflowId("wf-1"), request, head));
  ASSERT_TRUE(fork) << to_string(fork.error());
  EXPECT_EQ(fork->name, "conductorai/wf-2");
  EXPECT_EQ(fork->base_commit, base);
  EXPECT_EQ(fork->repo, repo());
  EXPECT_EQ(git("for-each-ref refs/heads/conductorai"), "") << "no branch before it is journaled";
  EXPECT_EQ(code(run(manager_->prepare_fork(WorkflowId("wf-1"), request, std::string(40, 'd')))), ErrorCode::not_found);
}

TEST_F(GitWorkspaceTest, AForkOfOneWithARepositoryOfOursGetsItsOwnWithTheSameObjects) {
  const auto folder = prepare({})->repo;
  const BranchRequest request{.workflow = WorkflowId("wf-2"), .repo = {}, .base = std::string(kRootCommit)};
  auto early = run(manager_->prepare_fork(WorkflowId("wf-1"), request, std::string(kRootCommit)));
  ASSERT_TRUE(early) << to_string(early.error());
  EXPECT_FALSE(fs::exists(early->repo)) << "nothing was written yet";

  auto workspace = run(manager_->open(attempt("code"), folder, std::string(kRootCommit), {})).value();
  ASSERT_TRUE(run(workspace->write("a.txt", "x")));
  const std::string head = commit(*workspace);
  ASSERT_TRUE(run(manager_->move_branch(folder, "conductorai/wf-1", head)));
  put(folder / "objects" / "aa" / "tmp_obj_being_written", "half");
  auto fork = run(manager_->prepare_fork(WorkflowId("wf-1"), request, head));
  ASSERT_TRUE(fork) << to_string(fork.error());
  ASSERT_TRUE(run(manager_->prepare_fork(WorkflowId("wf-1"), request, head))) << "again, after a crash";
  ASSERT_TRUE(run(manager_->remove_workflow(WorkflowId("wf-1"))));
  EXPECT_EQ(git("for-each-ref", fork->repo), "") << "nothing of the other one's branch";
  ASSERT_TRUE(run(manager_->move_branch(fork->repo, fork->name, head)));
  EXPECT_EQ(git("show HEAD:a.txt", fork->repo), "x");
  git("fsck --strict", fork->repo);
  EXPECT_EQ(code(run(manager_->prepare_fork(WorkflowId("wf-1"), request, std::string(40, 'd')))), ErrorCode::not_found);
}

TEST_F(GitWorkspaceTest, KeepsTasksWithAwkwardNamesApart) {
  const std::string base = start_repo();
  auto one = open(base, "a/../b"), two = open(base, "a[0]"), three = open(base, std::string(300, 'x')),
       four = open(base, std::string(301, 'x'));
  EXPECT_EQ(std::set({one->root(), two->root(), three->root(), four->root()}).size(), 4U);
  for (const auto* workspace : {one.get(), two.get(), three.get(), four.get()})
    EXPECT_EQ(workspace->root().parent_path(), settings().area.root / "trees" / "wf-1");
}

// --- the machine ---------------------------------------------------------------------------------------------------------------

TEST_F(GitWorkspaceTest, SaysThatGitIsMissing) {
  start_repo();
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", "/nonexistent", 1);
  auto refused = prepare({.repo = repo().string()});
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(code(refused), ErrorCode::unavailable);
}

TEST_F(GitWorkspaceTest, GivesFilesToTheServiceUserWhenRoot) {
  if (::getuid() != 0) GTEST_SKIP() << "needs root";
  auto workspace = open(start_repo());
  ASSERT_TRUE(run(workspace->write("n/new", "x")));
  for (const char* path : {"", "a.txt", "d", "d/b.txt", "n", "n/new"}) {
    struct stat info{};
    ASSERT_EQ(::lstat((workspace->root() / path).c_str(), &info), 0) << path;
    EXPECT_EQ(info.st_uid, kServiceUser) << path;
  }
}

TEST_F(GitWorkspaceTest, WorksInARepositoryOfSomebodyElse) {
  if (::getuid() != 0) GTEST_SKIP() << "needs root";
  const std::string base = start_repo();
  ASSERT_EQ(std::system(("chown -R 12345:12345 '" + repo().string() + "'").c_str()), 0);
  ASSERT_TRUE(prepare({.repo = repo().string()}));
  auto workspace = open(base);
  ASSERT_TRUE(run(workspace->write("a.txt", "x")));
  EXPECT_TRUE(run(manager_->move_branch(repo(), "conductorai/wf-1", commit(*workspace))));
}

TEST_F(GitWorkspaceTest, HandlesTenThousandFilesInReasonableTime) {
  git("init -q -b main .");
  std::string import = "commit refs/heads/main\ncommitter u <u@x> 0 +0000\ndata 0\n\n";
  for (int i = 0; i < 10'000; ++i) {
    const std::string text = std::string(2'000, 'x') + std::to_string(i);
    import += "M 100644 inline d" + std::to_string(i % 100) + "/f" + std::to_string(i) + "\ndata " + std::to_string(text.size()) + "\n" +
              text + "\n";
  }
  put(top_ / "import", import);
  git("fast-import --quiet < ../import");
  const std::string base = git("rev-parse main");
  const auto started = std::chrono::steady_clock::now();
  auto workspace = open(base);
  ASSERT_TRUE(run(workspace->write("d0/f0", "changed")));
  EXPECT_EQ(run(workspace->changes())->size(), 1U);
  EXPECT_NE(commit(*workspace), "");
  const auto took = std::chrono::steady_clock::now() - started;
  RecordProperty("milliseconds", static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  EXPECT_LT(took, std::chrono::seconds(30));
}

}  // namespace
}  // namespace conductorai::infrastructure
