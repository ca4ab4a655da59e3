#pragma once
// AppState: what an app's supervisor must know after its own death. One JSON file, replaced as a whole; docs/formats/releases.md.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/release_manager.hpp"

namespace conductorai::infrastructure::releases {

constexpr std::size_t kReleasesKept = 10;  // of an app; older ones go with files and logs

/// A release as it was asked for, and what became of it.
struct Release {
  std::string id;
  std::string slug;  // its folder's name: "0003"
  std::string app, environment, driver;
  WorkflowId workflow;
  std::string version;
  std::string run;
  int port = 0;  // asked for; 0: the app's
  HealthCheck health;
  SandboxDefinition limits;
  std::map<std::string, std::string> variables;
  Object with;
  ReleaseState state = ReleaseState::candidate;
  std::string reason;
  std::string url;          // where a platform has it; empty: the app's own port
  std::string gave_way_to;  // the release that a person's rollback put in its place
  Timestamp created_at{}, changed_at{};
};

/// Serving or degraded.
bool has_traffic(const Release& release);

struct AppState {
  int format = 1;
  std::string app, environment;
  int port = 0;                   // public; 0: not chosen yet
  int next = 1;                   // number of the next release's folder
  std::vector<Release> releases;  // oldest first

  [[nodiscard]] Release* find(const std::string& id);
  /// The one that has the traffic, or is to have it: serving or degraded.
  [[nodiscard]] Release* serving();
  /// The newest that gave way to a successor.
  [[nodiscard]] Release* previous();
};

/// Errors: not_found, data_corrupted, unsupported (written by a newer version).
Result<AppState> load_state(const std::filesystem::path& file);
/// Durable when it returns: written aside, synced, renamed. Errors: resource_exhausted, permission_denied, unavailable.
Result<void> save_state(const std::filesystem::path& file, const AppState& state);

/// A request without its files, as it is recorded and as it travels to the supervisor.
Release to_release(const ReleaseRequest& request);
std::string to_json(const Release& release);
Result<Release> release_from_json(std::string_view text);

std::string to_json(const ReleaseInfo& info);
Result<ReleaseInfo> info_from_json(std::string_view text);

/// What is known without a running process.
ReleaseInfo info_of(const AppState& app, const Release& release);

}  // namespace conductorai::infrastructure::releases
