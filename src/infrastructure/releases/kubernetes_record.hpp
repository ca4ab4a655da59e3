#pragma once
// What is kept of a release on a cluster, in its own folder: the manifests as they were applied, and what was there before them.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/result.hpp"

namespace conductorai::infrastructure::releases {

struct KubernetesRecord {
  std::string space;                             // the namespace asked for; empty: kubectl's own
  std::vector<std::string> existing;             // of the objects of its manifests, those that were there: "deployment.apps/shop"
  std::map<std::string, std::string> revisions;  // of its workloads among them: where `rollout undo` goes back to
};

std::filesystem::path manifests_file(const std::filesystem::path& kept);

/// On the disk when they return. The record comes last: with it the release counts as prepared, and neither is written again.
Result<void> save_manifests(const std::filesystem::path& kept, const std::string& text);
Result<void> save_record(const std::filesystem::path& kept, const KubernetesRecord& record);
/// Nothing: nothing was ever applied. Errors: data_corrupted.
Result<std::optional<KubernetesRecord>> load_record(const std::filesystem::path& kept);

/// The newest revision that `kubectl rollout history` lists; empty: none.
std::string newest_revision(const std::string& history);

bool is_workload(const std::string& name);  // has a rollout: "deployment.apps/shop"
/// Lines of "KIND NAME READY NUMBER", `<none>` where there is no such field: what is wrong, empty where nothing is.
std::string without_ready_pods(const std::string& columns);
/// What is never deleted: it holds data, or others live in it.
bool outlives_release(const std::string& name);
std::vector<std::string> without(std::vector<std::string> names, const std::vector<std::string>& others);

}  // namespace conductorai::infrastructure::releases
