#pragma once
// PinnedDefinitions: what workflows run from, kept as artifacts. One for all workflows that run the same: a record each would cost two more
// writes to disk at every start, and reading it anew at every takeover is most of what that takes.

#include <memory>

#include "conductorai/artifact_store.hpp"
#include "conductorai/clock.hpp"
#include "conductorai/definition.hpp"

namespace conductorai::orchestration {

class PinnedDefinitions {
 public:
  PinnedDefinitions(ArtifactStore& artifacts, Clock& clock) : artifacts_(artifacts), clock_(clock) {}

  using Definition = std::shared_ptr<const WorkflowDefinition>;
  /// Errors: those of the store.
  task<Result<Digest>> pin(Definition definition);
  /// What WorkflowStarted::definition names. Errors: not_found, data_corrupted.
  task<Result<Definition>> load(Digest pinned);

 private:
  ArtifactStore& artifacts_;
  Clock& clock_;
  // The last one.
  Definition definition_;
  Digest digest_;
};

}  // namespace conductorai::orchestration
