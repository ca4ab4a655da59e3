#include "infrastructure/releases/app_state.hpp"

#include <algorithm>
#include <fstream>
#include <ranges>
#include <sstream>

#include "core/json_codec.hpp"
#include "infrastructure/releases/durable_file.hpp"
#include "infrastructure/releases/platform_releases.hpp"

namespace conductorai {

BOOST_DESCRIBE_ENUM(ReleaseState, candidate, serving, degraded, previous, stopped, failed)
BOOST_DESCRIBE_STRUCT(HealthCheck, (), (path, status, successes, start_timeout, interval, request_timeout))
BOOST_DESCRIBE_STRUCT(ReleaseInfo, (),
                      (id, app, environment, driver, version, workflow, state, reason, url, created_at, changed_at, restarts, alive,
                       alive_known, pid, rss_bytes, cpu_ms, log_bytes))

}  // namespace conductorai

namespace conductorai::infrastructure::releases {

namespace {

constexpr int kFormat = 1;

}  // namespace

BOOST_DESCRIBE_STRUCT(Release, (),
                      (id, slug, app, environment, driver, workflow, version, run, port, health, limits, variables, with, state, reason,
                       url, gave_way_to, created_at, changed_at))
BOOST_DESCRIBE_STRUCT(AppState, (), (format, app, environment, port, next, releases))

Release* AppState::find(const std::string& id) {
  const auto it = std::ranges::find(releases, id, &Release::id);
  return it == releases.end() ? nullptr : &*it;
}

Release* AppState::serving() {
  const auto it = std::ranges::find_if(releases, has_traffic);
  return it == releases.end() ? nullptr : &*it;
}

Release* AppState::previous() {
  for (Release& release : std::views::reverse(releases))
    if (release.state == ReleaseState::previous) return &release;
  return nullptr;
}

Result<AppState> load_state(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(ErrorCode::not_found, "no releases are recorded here", file.string());
  std::ostringstream text;
  text << in.rdbuf();
  auto state = core::read_json<AppState>(text.str());
  if (!state) return fail(ErrorCode::data_corrupted, "the record of releases cannot be read: " + to_string(state.error()), file.string());
  if (state->format > kFormat) return fail(ErrorCode::unsupported, "the record of releases was written by a newer version", file.string());
  return state;
}

Result<void> save_state(const std::filesystem::path& file, const AppState& state) {
  return write_durably(file, core::write_json(state) + "\n");
}

Release to_release(const ReleaseRequest& request) {
  return {.id = request.id,
          .slug = {},
          .app = request.app,
          .environment = request.environment,
          .driver = request.driver,
          .workflow = request.workflow,
          .version = request.version,
          .run = request.run,
          .port = request.port,
          .health = request.health,
          .limits = request.limits,
          .variables = request.variables,
          .with = request.with,
          .state = ReleaseState::candidate,
          .reason = {},
          .url = {},
          .gave_way_to = {},
          .created_at = {},
          .changed_at = {}};
}

std::string to_json(const Release& release) {
  return core::write_json(release);
}
Result<Release> release_from_json(std::string_view text) {
  return core::read_json<Release>(text);
}
std::string to_json(const ReleaseInfo& info) {
  return core::write_json(info);
}
Result<ReleaseInfo> info_from_json(std::string_view text) {
  return core::read_json<ReleaseInfo>(text);
}

bool has_traffic(const Release& release) {
  return release.state == ReleaseState::serving || release.state == ReleaseState::degraded;
}

ReleaseInfo info_of(const AppState& app, const Release& release) {
  return {.id = release.id,
          .app = app.app,
          .environment = app.environment,
          .driver = release.driver,
          .version = release.version,
          .workflow = release.workflow,
          .state = release.state,
          .reason = release.reason,
          .url = !release.url.empty() || is_platform(release.driver) ? release.url
                 : app.port == 0                                     ? std::string()
                                                                     : "http://127.0.0.1:" + std::to_string(app.port),
          .created_at = release.created_at,
          .changed_at = release.changed_at,
          .restarts = is_platform(release.driver) ? -1 : 0,
          .alive_known = !is_platform(release.driver) || !has_traffic(release)};
}

}  // namespace conductorai::infrastructure::releases
