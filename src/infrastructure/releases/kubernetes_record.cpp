#include "infrastructure/releases/kubernetes_record.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <string_view>

#include "base/read_text.hpp"
#include "core/json_codec.hpp"
#include "infrastructure/releases/durable_file.hpp"

namespace conductorai::infrastructure::releases {

namespace fs = std::filesystem;

BOOST_DESCRIBE_STRUCT(KubernetesRecord, (), (space, existing, revisions))

namespace {

fs::path record_file(const fs::path& kept) {
  return kept / "kubernetes.json";
}

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& kinds) {
  return std::ranges::any_of(kinds, [&](std::string_view kind) { return name.starts_with(kind); });
}

}  // namespace

fs::path manifests_file(const fs::path& kept) {
  return kept / "manifests.yaml";
}

Result<void> save_manifests(const fs::path& kept, const std::string& text) {
  std::error_code error;
  fs::create_directories(kept, error);
  if (error) return file_error("the release's folder cannot be made", kept, error.value());
  return write_durably(manifests_file(kept), text);
}

Result<void> save_record(const fs::path& kept, const KubernetesRecord& record) {
  return write_durably(record_file(kept), core::write_json(record) + "\n");
}

Result<std::optional<KubernetesRecord>> load_record(const fs::path& kept) {
  std::error_code error;
  if (!fs::exists(record_file(kept), error)) return std::optional<KubernetesRecord>{};
  auto record = core::read_json<KubernetesRecord>(read_text(record_file(kept)));
  if (!record) return fail(ErrorCode::data_corrupted, "the record of a release cannot be read", record_file(kept).string());
  return std::optional(std::move(*record));
}

std::string newest_revision(const std::string& history) {
  long newest = 0;
  std::istringstream lines(history);
  for (std::string line; std::getline(lines, line);) {
    long revision = 0;
    const auto read = std::from_chars(line.data(), line.data() + line.size(), revision);
    if (read.ec == std::errc{}) newest = std::max(newest, revision);
  }
  return newest == 0 ? std::string() : std::to_string(newest);
}

bool is_workload(const std::string& name) {
  constexpr std::array<std::string_view, 3> kKinds{"deployment.apps/", "statefulset.apps/", "daemonset.apps/"};
  return is_one_of(name, kKinds);
}

std::string without_ready_pods(const std::string& columns) {
  std::istringstream lines(columns);
  std::string kind, name, ready, number;
  const auto some = [](const std::string& count) { return count != "<none>" && count != "0"; };
  while (lines >> kind >> name >> ready >> number) {
    const bool workload = kind == "Deployment" || kind == "StatefulSet" || kind == "DaemonSet";
    if (workload && !some(ready) && !some(number))
      return std::string("no pod of ").append(kind).append(" ").append(name).append(" is ready");
  }
  return {};
}

bool outlives_release(const std::string& name) {
  constexpr std::array<std::string_view, 4> kKinds{"namespace/", "persistentvolumeclaim/", "persistentvolume/",
                                                   "customresourcedefinition."};
  return is_one_of(name, kKinds);
}

std::vector<std::string> without(std::vector<std::string> names, const std::vector<std::string>& others) {
  std::erase_if(names, [&](const std::string& name) { return std::ranges::find(others, name) != others.end(); });
  return names;
}

}  // namespace conductorai::infrastructure::releases
