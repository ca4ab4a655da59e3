#pragma once
// Artifact records: one append-only file a workflow, a JSON object a line. Blocking; one thread.

#include <filesystem>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "conductorai/artifact_store.hpp"

namespace conductorai::infrastructure {

class RecordLog {
 public:
  explicit RecordLog(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<void> open();

  /// Durable when it returns. A record that is there already (whenever it was saved) is returned as it stands.
  Result<ArtifactRecord> add(ArtifactRecord record);
  Result<std::vector<ArtifactRecord>> query(const ArtifactQuery& query);
  /// From here on the workflow's records point to nothing; `retired` tells them until `forget`, also after a crash between the two.
  Result<void> retire(const WorkflowId& workflow);
  Result<std::vector<ArtifactRecord>> retired(const WorkflowId& workflow);
  Result<void> forget(const WorkflowId& workflow);
  /// Digests that any record points to.
  Result<std::unordered_set<Digest>> references();

 private:
  struct Loaded {
    std::uint64_t inode = 0;
    std::int64_t read_to = 0;  // end of the last whole line
    std::int64_t size = 0;
    std::vector<ArtifactRecord> records;
    std::unordered_map<std::string, std::size_t> by_key;
  };
  [[nodiscard]] std::filesystem::path path_of(const WorkflowId& workflow) const;
  [[nodiscard]] std::filesystem::path retired_path_of(const WorkflowId& workflow) const;
  Result<Loaded*> load(const std::filesystem::path& path);
  static void read_lines(Loaded& loaded, std::string_view text);
  Result<std::vector<std::filesystem::path>> paths() const;

  std::filesystem::path folder_;
  std::unordered_map<std::string, Loaded> loaded_;  // a cache: the files are the truth, other processes append to them too
};

}  // namespace conductorai::infrastructure
