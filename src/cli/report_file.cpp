#include "cli/report_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "report/page.hpp"

namespace conductorai::cli {

namespace fs = std::filesystem;

namespace {

constexpr int kArtifactsMax = 1'000'000;

/// True for a file that this program may write anew: none, an empty one, a report.
bool replaceable(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(file, error))) return true;
  if (!fs::is_regular_file(file, error)) return false;
  std::ifstream in(file, std::ios::binary);
  std::string start(report::kMark.size(), '\0');
  in.read(start.data(), static_cast<std::streamsize>(start.size()));
  return in.gcount() == 0 || start == report::kMark;
}

}  // namespace

fs::path report_path(const fs::path& state_dir, const WorkflowId& id) {
  return state_dir / "reports" / (id.str() + ".html");
}

Result<MadeReport> make_report(ConductorAI& ai, const WorkflowId& id) {
  auto view = ai.get_workflow_state(id);
  if (!view) return fail(view.error());
  report::Material material{.view = std::move(*view)};
  if (material.view.release) {  // only workflows that deploy pay for asking
    auto releases = ai.list_releases();
    if (!releases) return fail(releases.error());
    std::ranges::copy_if(*releases, std::back_inserter(material.releases),
                         [&](const ReleaseInfo& release) { return release.workflow == id; });
  }
  auto read = ai.read_events(id, 1, false, [&](const EventRecord& record) { material.events.push_back(record); });
  if (!read) return fail(read.error());
  if (auto definition = ai.get_definition(id)) material.definition = std::move(*definition);
  auto steps = ai.list_steps(id);
  if (!steps) return fail(steps.error());
  material.steps = std::move(*steps);
  auto artifacts = ai.query_artifacts({.workflow = id, .task = {}, .agent = {}, .type = {}, .name = {}, .limit = kArtifactsMax});
  if (!artifacts) return fail(artifacts.error());
  material.artifacts = std::move(*artifacts);
  material.fetch = [&ai](const Digest& digest) { return ai.get_artifact(digest); };
  material.made_at = std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
  material.version = CONDUCTORAI_VERSION;
  return MadeReport{.page = report::make_page(material), .repair_ms = report::time_to_repair_ms(material)};
}

Result<void> write_report(const fs::path& file, const std::string& page) {
  if (!replaceable(file))
    return fail(ErrorCode::already_exists, "the file is there already and is no report", file.string(),
                "choose another name with --output");
  std::error_code error;
  if (file.has_parent_path()) fs::create_directories(file.parent_path(), error);
  const fs::path aside = file.string() + ".new-" + std::to_string(::getpid());
  std::ofstream out(aside, std::ios::binary | std::ios::trunc);
  out << page;
  out.close();
  if (!out) {
    const std::string why = std::strerror(errno);
    fs::remove(aside, error);
    return fail(ErrorCode::unavailable, "the report cannot be written: " + why, file.string());
  }
  fs::rename(aside, file, error);
  if (!error) return {};
  const std::string why = error.message();
  fs::remove(aside, error);
  return fail(ErrorCode::unavailable, "the report cannot be written: " + why, file.string());
}

}  // namespace conductorai::cli
