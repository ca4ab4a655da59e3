#pragma once
// What goes with a bundle: the software bill of materials (CycloneDX 1.5) and the provenance (in-toto statement, SLSA provenance 1).
// Neither holds a time, so both depend on their inputs alone.

#include <string>
#include <vector>

#include "agents/devops/bundle.hpp"
#include "agents/devops/dependencies.hpp"
#include "conductorai/artifact_store.hpp"
#include "conductorai/message_bus.hpp"

namespace conductorai::agents {

struct BundleName {
  std::string name;
  std::string version;
  [[nodiscard]] std::string tar() const { return name + "-" + version + ".tar"; }
};

std::string bill_of_materials(const BundleName& name, const std::vector<BundledFile>& files, const std::vector<Dependency>& dependencies);

struct ProvenanceFacts {
  BundleName name;
  std::string bundle_sha256;
  std::string tree;                      // git tree of what was bundled
  std::vector<ArtifactRecord> material;  // prompts, answers, diffs and reports of the workflow so far
  std::vector<ArtifactRef> made;         // this attempt's own artifacts
  std::string build, run;                // commands; empty: none
};
std::string provenance(const TaskAssignment& assignment, const ProvenanceFacts& facts);

}  // namespace conductorai::agents
