#pragma once
// ArtifactStore: immutable bytes by digest, and records (workflow, task, agent, type, name) that point to them.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/ids.hpp"
#include "conductorai/models.hpp"
#include "conductorai/result.hpp"
#include "conductorai/task.hpp"

namespace conductorai {

struct ArtifactRecord {
  WorkflowId workflow;
  TaskId task;    // empty: of the workflow itself
  AgentId agent;  // empty: of the engine
  int round = 0;
  int attempt = 0;
  std::string type;
  std::string name;
  Digest digest;
  std::int64_t size = 0;
  Timestamp at{};
  friend bool operator==(const ArtifactRecord&, const ArtifactRecord&) = default;
};

struct ArtifactQuery {  // empty fields match all
  WorkflowId workflow;
  TaskId task;
  AgentId agent;
  std::string type;
  std::string name;
  int limit = 1000;
};

class ArtifactStore {
 public:
  virtual ~ArtifactStore() = default;
  /// Durable when it returns; the same bytes are stored once. `record.digest` and `record.size` are filled in the result.
  /// Errors: resource_exhausted, unavailable.
  virtual task<Result<ArtifactRecord>> save(ArtifactRecord record, std::string bytes) = 0;
  /// The same from a file of any size, streamed.
  virtual task<Result<ArtifactRecord>> save_file(ArtifactRecord record, std::filesystem::path file) = 0;
  /// Whole bytes. Errors: not_found, data_corrupted (bytes no longer match the digest).
  virtual task<Result<std::string>> get(Digest digest) = 0;
  /// Streams to a file. Errors as get.
  virtual task<Result<void>> get_to_file(Digest digest, std::filesystem::path file) = 0;
  virtual task<Result<std::vector<ArtifactRecord>>> query(ArtifactQuery query) = 0;  // oldest first
  /// Records bytes that are here already, for another workflow, say: `record.digest` names them. Durable when it returns; `record.size` is
  /// filled in. Errors: not_found, resource_exhausted, unavailable.
  virtual task<Result<ArtifactRecord>> refer(ArtifactRecord record) = 0;
  /// Drops records of the workflows and bytes no record points to any more. Returns bytes freed. Repeated after a crash it finishes.
  virtual task<Result<std::int64_t>> remove_workflows(std::vector<WorkflowId> workflows) = 0;
};

}  // namespace conductorai
