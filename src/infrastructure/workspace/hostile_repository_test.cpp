// Repositories and generated code that try to have git run something, or to hide what they did.

#include <fcntl.h>
#include <sys/stat.h>

#include "infrastructure/workspace/git_workspace_fixture.hpp"

namespace conductorai::infrastructure {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class HostileRepositoryTest : public GitWorkspaceTest {
 protected:
  [[nodiscard]] fs::path proof() const { return top_ / "executed"; }
  [[nodiscard]] std::string program() const { return "sh -c 'touch " + proof().string() + "; cat'"; }
  void plant_hook(const fs::path& git_dir, const std::string& name) {
    put(git_dir / "hooks" / name, "#!/bin/sh\ntouch '" + proof().string() + "'\n");
    fs::permissions(git_dir / "hooks" / name, fs::perms(0755));
  }
};

TEST_F(HostileRepositoryTest, RunsNoHookFilterOrProgramOfTheRepository) {
  const std::string base = start_repo({{"a.txt", "1\n"}, {".gitattributes", "* filter=evil diff=evil merge=evil text eol=crlf ident\n"}});
  for (const char* hook :
       {"pre-commit", "post-commit", "post-checkout", "reference-transaction", "post-index-change", "post-merge", "pre-auto-gc"})
    plant_hook(repo() / ".git", hook);
  for (const char* key : {"filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "diff.evil.textconv", "diff.evil.command",
                          "merge.evil.driver", "diff.external", "core.fsmonitor", "core.sshCommand", "core.pager", "core.editor"})
    git(std::string("config ") + key + " \"" + program() + "\"");
  git("config filter.evil.required true");
  git("config core.hooksPath '" + (repo() / ".git/hooks").string() + "'");
  put(repo() / "a.txt", "1\n");  // same bytes, new time: git has to look closer
  auto branch = prepare({.repo = repo().string(), .allow_dirty = false});
  ASSERT_TRUE(branch) << to_string(branch.error());
  auto left = open(base, "left"), right = open(base, "right");
  EXPECT_EQ(get(left->root() / "a.txt"), "1\n");
  ASSERT_TRUE(run(left->write("a.txt", "left $Id$\n")));
  ASSERT_TRUE(run(right->write("b.txt", "right\n")));
  EXPECT_THAT(*run(left->diff()), HasSubstr("+left $Id$"));
  const std::string l = commit(*left, "left"), r = commit(*right, "right");
  auto merged = run(manager_->merge(repo(), l, r, "Merge", kAt));
  ASSERT_TRUE(merged) << to_string(merged.error());
  ASSERT_TRUE(run(manager_->move_branch(repo(), "conductorai/wf-1", merged->head)));
  EXPECT_FALSE(fs::exists(proof()));
  EXPECT_EQ(get(repo() / "a.txt"), "1\n");
}

TEST_F(HostileRepositoryTest, RefusesPlantedRepositoriesAndRunsNothingOfThem) {
  const std::string base = start_repo();
  for (const char* folder : {"", "deep/down", "d"}) {
    auto workspace = open(base);
    const fs::path planted = workspace->root() / folder;
    fs::create_directories(planted);
    git("init -q .", planted);
    git("-c user.name=x -c user.email=x@x commit -q --allow-empty -m x", planted);
    git("config core.fsmonitor \"" + program() + "\"", planted);
    plant_hook(planted / ".git", "post-index-change");
    EXPECT_EQ(code(run(workspace->snapshot())), ErrorCode::permission_denied) << folder;
    EXPECT_EQ(code(run(workspace->changes())), ErrorCode::permission_denied) << folder;
    EXPECT_EQ(code(run(workspace->commit("x", {attempt("code"), AgentId("a"), {}}, kAt))), ErrorCode::permission_denied) << folder;
    EXPECT_FALSE(fs::exists(proof()));
  }
  auto workspace = open(base);
  put(workspace->root() / "d/.GIT", "gitdir: /elsewhere\n");
  auto refused = run(workspace->snapshot());
  ASSERT_EQ(code(refused), ErrorCode::permission_denied);
  EXPECT_EQ(refused.error().where, "d/.GIT");
}

TEST_F(HostileRepositoryTest, RunsNothingOfASubmoduleThatCodeFilledIn) {
  start_repo();
  git("update-index --add --cacheinfo 160000," + std::string(40, '1') + ",sub");
  put(repo() / ".gitmodules",
      "[submodule \"sub\"]\n\tpath = sub\n\turl = ./x\n\tignore = none\n\tupdate = !touch " + proof().string() + "\n");
  git("add .gitmodules");
  git("commit -q -m sub");
  const std::string base = git("rev-parse HEAD");
  auto workspace = open(base);
  EXPECT_THAT(*run(workspace->changes()), IsEmpty());
  EXPECT_THAT(*run(workspace->list_files()), Not(Contains("sub")));
  git("init -q .", workspace->root() / "sub");
  git("config core.fsmonitor \"" + program() + "\"", workspace->root() / "sub");
  EXPECT_EQ(code(run(workspace->changes())), ErrorCode::permission_denied);
  EXPECT_FALSE(fs::exists(proof()));
}

TEST_F(HostileRepositoryTest, ToleratesRepositoriesInsideIgnoredFolders) {
  auto workspace = open(start_repo({{".gitignore", "vendor/\n"}, {"a", "x"}}));
  git("init -q vendor/pkg", [&] {
    fs::create_directories(workspace->root() / "vendor/pkg");
    return workspace->root();
  }());
  EXPECT_THAT(*run(workspace->changes()), IsEmpty());
}

TEST_F(HostileRepositoryTest, DoesNotLetAttributesHideADiff) {
  auto workspace = open(start_repo());
  ASSERT_TRUE(run(workspace->write(".gitattributes", "* -diff binary\n")));
  ASSERT_TRUE(run(workspace->write("a.txt", "hidden?\n")));
  EXPECT_THAT(*run(workspace->diff()), HasSubstr("+hidden?"));
}

TEST_F(HostileRepositoryTest, SeesAChangeThatHidesBehindOldTimes) {
  auto workspace = open(start_repo());
  ASSERT_TRUE(run(workspace->snapshot()));
  struct stat before{};
  const fs::path file = workspace->root() / "a.txt";
  ASSERT_EQ(::stat(file.c_str(), &before), 0);
  const int fd = ::open(file.c_str(), O_WRONLY);
  ASSERT_EQ(::pwrite(fd, "ONE", 3, 0), 3);
  const timespec times[2] = {before.st_atim, before.st_mtim};
  ::futimens(fd, times);
  ::close(fd);
  EXPECT_THAT(*run(workspace->changes()), ElementsAre(Pair("a.txt", 'M')));
}

TEST_F(HostileRepositoryTest, RecordsSymlinksWithoutFollowingThem) {
  put(top_ / "secret", "secret");
  auto workspace = open(start_repo());
  fs::remove(workspace->root() / "a.txt");
  fs::create_symlink(top_ / "secret", workspace->root() / "a.txt");
  fs::create_directory_symlink(top_, workspace->root() / "all");
  EXPECT_THAT(*run(workspace->changes()), UnorderedElementsAre(Pair("a.txt", 'M'), Pair("all", 'A')));
  EXPECT_THAT(git("ls-tree " + *run(workspace->snapshot()) + " a.txt"), HasSubstr("120000"));
  EXPECT_THAT(*run(workspace->diff()), Not(HasSubstr("+secret\n")));
}

TEST_F(HostileRepositoryTest, UsesNoGitFromTheWorkspaceOrARelativePath) {
  auto workspace = open(start_repo());
  put(workspace->root() / "git", "#!/bin/sh\ntouch '" + proof().string() + "'\n");
  fs::permissions(workspace->root() / "git", fs::perms(0755));
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", (".::" + path).c_str(), 1);
  EXPECT_TRUE(run(workspace->snapshot()));
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_FALSE(fs::exists(proof()));
}

}  // namespace
}  // namespace conductorai::infrastructure
