#pragma once
// ArtifactStore in `<state_dir>/artifacts` (docs/formats/artifacts.md), shared by all processes of a project.

#include <filesystem>
#include <memory>

#include "conductorai/artifact_store.hpp"

namespace conductorai::infrastructure {

struct FileArtifactOptions {
  std::int64_t cache_bytes = std::int64_t{32} << 20;  // of the read cache; 0: none
};

/// Files and hashing run on a thread of its own; calls finish in bounded time and are not cancellable.
class FileArtifactStore final : public ArtifactStore {
 public:
  /// Errors: permission_denied, unavailable, resource_exhausted.
  static Result<std::unique_ptr<FileArtifactStore>> open(std::filesystem::path state_dir, FileArtifactOptions options = {});
  ~FileArtifactStore() override;

  task<Result<ArtifactRecord>> save(ArtifactRecord record, std::string bytes) override;
  task<Result<ArtifactRecord>> save_file(ArtifactRecord record, std::filesystem::path file) override;
  task<Result<std::string>> get(Digest digest) override;
  task<Result<void>> get_to_file(Digest digest, std::filesystem::path file) override;
  task<Result<std::vector<ArtifactRecord>>> query(ArtifactQuery query) override;
  task<Result<ArtifactRecord>> refer(ArtifactRecord record) override;
  task<Result<std::int64_t>> remove_workflows(std::vector<WorkflowId> workflows) override;

 private:
  struct Impl;
  explicit FileArtifactStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace conductorai::infrastructure
