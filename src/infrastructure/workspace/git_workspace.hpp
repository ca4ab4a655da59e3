#pragma once
// GitWorkspace: the files of one attempt, an index of their own, no `.git`. Made by GitWorkspaceManager::open.

#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "conductorai/workspace.hpp"
#include "infrastructure/process/work_area.hpp"
#include "infrastructure/workspace/git.hpp"
#include "runtime/event.hpp"
#include "runtime/loop.hpp"
#include "runtime/offload.hpp"

namespace conductorai::infrastructure {

struct GitWorkspaceParts {
  GitStore store;
  std::filesystem::path root;
  std::filesystem::path index;
  std::string base;
  std::vector<std::string> protected_paths;
  WorkArea area;
};

/// Inode, size, seconds and nanoseconds of the last change.
using FileIdentity = std::tuple<std::uint64_t, std::int64_t, std::int64_t, std::int64_t>;

class GitWorkspace final : public Workspace {
 public:
  /// `files` outlives it.
  GitWorkspace(runtime::Loop& loop, runtime::Worker& files, GitWorkspaceParts parts);

  [[nodiscard]] const std::filesystem::path& root() const override { return parts_.root; }
  [[nodiscard]] const std::string& base() const override { return parts_.base; }
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

 private:
  template <class T>
  task<Result<T>> in_turn(task<Result<T>> work);
  /// Brings the index to the present files and runs one command on it.
  task<Result<std::string>> with_present_files(std::vector<std::string> arguments);
  task<Result<void>> record_present_files();
  task<Result<void>> refuse_planted_repositories();
  task<Result<std::string>> write_tree();
  task<Result<void>> fill(std::string tree);
  task<Result<std::string>> git(std::vector<std::string> arguments);

  runtime::Loop& loop_;
  runtime::Worker& files_;
  GitWorkspaceParts parts_;
  struct Written {
    FileIdentity index;
    std::string tree;
  };
  std::optional<Written> written_;  // by the last write_tree, and the index it left
  runtime::Semaphore turn_{1};      // one git at a time on the index
};

}  // namespace conductorai::infrastructure
