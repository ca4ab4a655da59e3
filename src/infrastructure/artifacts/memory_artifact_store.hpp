#pragma once
// ArtifactStore in memory: for tests and simulations.

#include <memory>

#include "conductorai/artifact_store.hpp"

namespace conductorai::infrastructure {

class MemoryArtifactStore final : public ArtifactStore {
 public:
  MemoryArtifactStore();
  ~MemoryArtifactStore() override;

  task<Result<ArtifactRecord>> save(ArtifactRecord record, std::string bytes) override;
  task<Result<ArtifactRecord>> save_file(ArtifactRecord record, std::filesystem::path file) override;
  task<Result<std::string>> get(Digest digest) override;
  task<Result<void>> get_to_file(Digest digest, std::filesystem::path file) override;
  task<Result<std::vector<ArtifactRecord>>> query(ArtifactQuery query) override;
  task<Result<ArtifactRecord>> refer(ArtifactRecord record) override;
  task<Result<std::int64_t>> remove_workflows(std::vector<WorkflowId> workflows) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace conductorai::infrastructure
