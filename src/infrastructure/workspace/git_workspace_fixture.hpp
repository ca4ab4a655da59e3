#pragma once
// What the workspace tests share: real git in a folder of its own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "infrastructure/workspace/git_workspace_manager.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure {

namespace fs = std::filesystem;

inline const Timestamp kAt{std::chrono::milliseconds(1'700'000'000'000)};

/// A repository of a user, a state directory, and the manager under test.
class GitWorkspaceTest : public ::testing::Test {
 protected:
  GitWorkspaceTest() {
    std::string name = (fs::temp_directory_path() / "conductorai-workspace-XXXXXX").string();
    top_ = ::mkdtemp(name.data());
    fs::permissions(top_, fs::perms(0755));
    fs::create_directories(repo());
    manager_ = std::make_unique<GitWorkspaceManager>(loop_, settings());
  }
  ~GitWorkspaceTest() override {
    manager_.reset();
    (void)std::system(("chmod -R u+rwx '" + top_.string() + "'; rm -rf '" + top_.string() + "'").c_str());
  }

  [[nodiscard]] fs::path repo() const { return top_ / "repo"; }
  [[nodiscard]] fs::path state() const { return top_ / "state"; }
  [[nodiscard]] GitWorkspaceSettings settings() const {
    WorkArea area = work_area(state());
    area.root = top_ / "work";
    return {.state_dir = state(), .area = area};
  }

  template <class T>
  T run(task<T> work) {
    return runtime::run_to_end(loop_, std::move(work));
  }
  /// The git of the user, with configuration of no account.
  std::string git(const std::string& words, const fs::path& at = {}) {
    const std::string command = "cd '" + (at.empty() ? repo() : at).string() +
                                "' && HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=u GIT_AUTHOR_EMAIL=u@x GIT_COMMITTER_NAME=u "
                                "GIT_COMMITTER_EMAIL=u@x git -c safe.directory='*' " +
                                words + " 2>&1";
    FILE* pipe = ::popen(command.c_str(), "r");
    std::string out;
    char buffer[4096];
    while (std::size_t got = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, got);
    EXPECT_EQ(::pclose(pipe), 0) << command << "\n" << out;
    while (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
  }
  static void put(const fs::path& file, std::string_view text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  static std::string get(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// A commit with these files.
  std::string start_repo(const std::map<std::string, std::string>& files = {{"a.txt", "one\ntwo\nthree\n"}, {"d/b.txt", "b\n"}}) {
    git("init -q -b main .");
    for (const auto& [path, text] : files) put(repo() / path, text);
    git("add -A -f");
    git("commit -q -m start");
    return git("rev-parse HEAD");
  }
  static AttemptId attempt(const std::string& name, int number = 1) { return {WorkflowId("wf-1"), TaskId(name), 1, number}; }
  std::unique_ptr<Workspace> open(const std::string& base, const std::string& name = "code", std::vector<std::string> guarded = {}) {
    auto opened = run(manager_->open(attempt(name), repo(), base, std::move(guarded)));
    EXPECT_TRUE(opened) << to_string(opened.error());
    return opened ? std::move(*opened) : nullptr;
  }
  std::string commit(Workspace& workspace, const std::string& name = "code") {
    auto made = run(workspace.commit("Change", {attempt(name), AgentId("coding-01"), {}}, kAt));
    EXPECT_TRUE(made) << to_string(made.error());
    return made.value_or("");
  }
  template <class T>
  static std::optional<ErrorCode> code(const Result<T>& result) {
    return result ? std::nullopt : std::optional(result.error().code);
  }
  /// Prepares with what differs from the default request.
  Result<Branch> prepare(BranchRequest request) {
    request.workflow = WorkflowId("wf-1");
    return run(manager_->prepare(std::move(request)));
  }

  fs::path top_;
  runtime::Loop loop_;
  std::unique_ptr<GitWorkspaceManager> manager_;
};

}  // namespace conductorai::infrastructure
