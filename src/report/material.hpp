#pragma once
// What a report is made from: views of the facade, values only. Nothing here is asked again while the page is written, but artifacts.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conductorai/conductorai.hpp"
#include "conductorai/release_manager.hpp"

namespace conductorai::report {

/// What keeps a page of any workflow readable, and opened in a blink.
struct Limits {
  std::size_t artifact_bytes = 24 * 1024;       // shown of one artifact: its beginning and its end
  std::size_t page_bytes = 3 * 1024 * 1024;     // shown of all artifacts
  std::int64_t fetch_bytes = 16 * 1024 * 1024;  // larger ones are named only
  std::size_t timeline_rows = 60;
  std::size_t graph_nodes = 80;
  std::size_t detailed_tasks = 120;
  std::size_t listed_tasks = 1'000;
  std::size_t journal_rows = 1'000;
  std::size_t findings = 50;  // of one feedback
};

struct Material {
  WorkflowView view;
  std::vector<EventRecord> events;
  std::shared_ptr<const WorkflowDefinition> definition;  // may be null: a journal without its pinned definition
  std::vector<StepRecord> steps;
  std::vector<ArtifactRecord> artifacts;
  std::vector<ReleaseInfo> releases;
  std::function<Result<std::string>(const Digest&)> fetch;
  Timestamp made_at{};
  std::string version;
  Limits limits;
};

}  // namespace conductorai::report
