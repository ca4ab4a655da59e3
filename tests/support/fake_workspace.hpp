#pragma once
// FakeWorkspace: a workspace on a plain folder, without git. Commits, diffs and trees are copies of the files in memory.

#include <map>
#include <string>
#include <vector>

#include "conductorai/workspace.hpp"
#include "tests/support/temp_folder.hpp"

namespace conductorai::testing {

using FileMap = std::map<std::string, std::string>;

class FakeWorkspace final : public Workspace {
 public:
  /// `files` are written to the folder and are its base.
  explicit FakeWorkspace(FileMap files);

  [[nodiscard]] const std::filesystem::path& root() const override { return folder_.path(); }
  [[nodiscard]] const std::string& base() const override { return base_; }
  task<Result<std::vector<std::string>>> list_files() override;
  task<Result<std::string>> read(std::string path) override;
  task<Result<void>> write(std::string path, std::string bytes) override;
  task<Result<void>> remove(std::string path) override;
  task<Result<std::map<std::string, char>>> changes() override;
  task<Result<std::vector<std::string>>> protected_changes() override;
  task<Result<std::string>> diff(std::string from) override;
  task<Result<std::optional<std::string>>> file_at(std::string commit, std::string path) override;
  task<Result<std::string>> snapshot() override;
  task<Result<void>> restore(std::string tree) override;
  task<Result<std::string>> commit(std::string subject, CommitTrailers trailers, Timestamp at) override;

  /// Exact paths that `write` and `remove` refuse.
  std::vector<std::string> protected_paths;
  /// What `file_at` knows by commit, besides the base.
  std::map<std::string, FileMap> commits;

  [[nodiscard]] FileMap present() const;

 private:
  [[nodiscard]] Result<std::filesystem::path> inside(const std::string& path) const;

  TempFolder folder_{"workspace"};
  std::string base_ = "base";
  std::vector<FileMap> trees_;
};

}  // namespace conductorai::testing
