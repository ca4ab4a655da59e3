#include "infrastructure/releases/supervised_releases.hpp"

#include <algorithm>
#include <optional>
#include <ranges>

#include "infrastructure/releases/app_folder.hpp"
#include "infrastructure/releases/app_state.hpp"
#include "infrastructure/releases/calls.hpp"
#include "infrastructure/releases/control_socket.hpp"
#include "infrastructure/releases/platform_releases.hpp"
#include "infrastructure/releases/service_log.hpp"
#include "infrastructure/releases/supervisor_process.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure {

namespace fs = std::filesystem;

namespace {

using releases::AppFolder;
using releases::AppState;
using releases::Call;

constexpr int kTries = 4;  // a supervisor that dies over a call is started again: every call may be repeated
constexpr std::chrono::seconds kLookWithin{5};
constexpr std::chrono::milliseconds kMargin{120'000};  // for what stands around the health checks of a change

class SupervisedReleases final : public ReleaseManager {
 public:
  SupervisedReleases(runtime::Loop& loop, ReleaseOptions options)
      : loop_(loop), options_(std::move(options)), platform_(loop, options_.state_dir, options_.helper) {}

  task<Result<ReleaseInfo>> deploy(ReleaseRequest request) override;
  task<Result<ReleaseInfo>> reject(std::string id, std::string reason) override;
  task<Result<ReleaseInfo>> rollback(std::string id) override;
  task<Result<ReleaseInfo>> stop(std::string id, std::string reason) override;
  task<Result<ReleaseInfo>> get(std::string id) override;
  task<Result<std::vector<ReleaseInfo>>> list() override;
  task<Result<std::string>> logs(std::string id, std::int64_t bytes_max) override;
  task<Result<void>> workflow_ended(WorkflowId workflow, WorkflowStatus status) override;

 private:
  struct Found {
    AppFolder folder;
    AppState state;
  };
  [[nodiscard]] Result<Found> find(const std::string& id) const;
  task<Result<ReleaseInfo>> change(std::string id, Call call);
  task<Result<std::string>> ask(AppFolder folder, Call call, Milliseconds within);
  task<Result<std::string>> ask_once(AppFolder folder, Call call, Milliseconds within);
  task<std::vector<ReleaseInfo>> list_platform(AppFolder folder, AppState state);
  task<Result<std::vector<ReleaseInfo>>> list_app(AppFolder folder);

  runtime::Loop& loop_;
  ReleaseOptions options_;
  releases::PlatformReleases platform_;
};

/// An image may have to be built first.
Milliseconds time_to_start(const std::string& driver, const HealthCheck& health, const SandboxDefinition& limits) {
  return health.start_timeout + (driver == "container" ? limits.wall : Milliseconds(0));
}

/// All the time that the health checks of an app's releases may take in one change: what served is started first, then the candidate, then
/// what takes its place.
Milliseconds time_for(const AppState& state) {
  Milliseconds longest{0};
  for (const auto& release : state.releases) longest = std::max(longest, time_to_start(release.driver, release.health, release.limits));
  return 3 * longest + kMargin;
}

Result<SupervisedReleases::Found> SupervisedReleases::find(const std::string& id) const {
  for (const AppFolder& folder : AppFolder::all(options_.state_dir)) {
    auto state = releases::load_state(folder.state_file());
    if (!state && state.error().code == ErrorCode::not_found) continue;
    if (!state) return fail(state.error());
    if (state->find(id) != nullptr) return Found{folder, std::move(*state)};
  }
  return fail(ErrorCode::not_found, "no such release", id, "conductorai releases list shows them");
}

task<Result<std::string>> SupervisedReleases::ask_once(AppFolder folder, Call call, Milliseconds within) {
  if (!folder.supervised()) {
    auto started = co_await releases::start_supervisor(loop_, folder, options_.helper);
    if (!started) co_return fail(started.error());
  }
  co_return co_await runtime::with_deadline(loop_, within, "the releases' supervisor",
                                            releases::call(loop_, folder.socket(), releases::to_json(call)));
}

task<Result<std::string>> SupervisedReleases::ask(AppFolder folder, Call call, Milliseconds within) {
  for (int attempt = 1;; ++attempt) {
    auto answer = co_await ask_once(folder, call, within);
    if (answer || answer.error().code != ErrorCode::unavailable || attempt == kTries) co_return answer;
    // One that is about to end, or has taken the lock and not yet its socket, is a matter of moments.
    auto pause = co_await sleep_for(loop_, std::chrono::milliseconds(50 * attempt));
    if (!pause) co_return fail(pause.error());
  }
}

task<Result<ReleaseInfo>> SupervisedReleases::deploy(ReleaseRequest request) {
  if (request.id.empty() || request.app.empty() || request.environment.empty())
    co_return fail(ErrorCode::invalid_argument, "a release needs an id, an app and an environment");
  std::error_code error;
  const fs::path files = fs::absolute(request.files, error);
  const AppFolder folder = AppFolder::of(options_.state_dir, request.app, request.environment);
  if (releases::is_platform(request.driver)) co_return co_await platform_.deploy(folder, releases::to_release(request), files);
  const auto state = releases::load_state(folder.state_file());
  const Milliseconds within = time_for(state ? *state : AppState{}) + 2 * time_to_start(request.driver, request.health, request.limits);
  auto answer = co_await ask(
      folder, {.call = "deploy", .id = request.id, .release = releases::to_json(releases::to_release(request)), .files = files.string()},
      within);
  if (!answer) co_return fail(answer.error());
  co_return releases::read_info(*answer);
}

task<Result<ReleaseInfo>> SupervisedReleases::change(std::string id, Call call) {
  auto found = find(id);
  if (!found) co_return fail(found.error());
  if (releases::is_platform(found->state.find(id)->driver)) {
    if (call.call == "reject") co_return co_await platform_.reject(found->folder, id, call.reason);
    if (call.call == "rollback") co_return co_await platform_.rollback(found->folder, id);
    co_return co_await platform_.stop(found->folder, id, call.reason);
  }
  call.id = std::move(id);
  auto answer = co_await ask(found->folder, std::move(call), time_for(found->state));
  if (!answer) co_return fail(answer.error());
  co_return releases::read_info(*answer);
}

task<Result<ReleaseInfo>> SupervisedReleases::reject(std::string id, std::string reason) {
  return change(std::move(id), {.call = "reject", .reason = std::move(reason)});
}
task<Result<ReleaseInfo>> SupervisedReleases::rollback(std::string id) {
  return change(std::move(id), {.call = "rollback"});
}
task<Result<ReleaseInfo>> SupervisedReleases::stop(std::string id, std::string reason) {
  return change(std::move(id), {.call = "stop", .reason = std::move(reason)});
}

/// What the record tells where no supervisor does: without one nothing runs.
Result<std::vector<ReleaseInfo>> recorded(const AppFolder& folder, const std::string& why) {
  auto state = releases::load_state(folder.state_file());
  std::vector<ReleaseInfo> infos;
  if (!state && state.error().code == ErrorCode::not_found) return infos;
  if (!state) return fail(state.error());
  for (const auto& release : std::views::reverse(state->releases)) {
    ReleaseInfo info = releases::info_of(*state, release);
    const bool should_run = releases::has_traffic(release) || release.state == ReleaseState::candidate;
    if (should_run && !releases::is_platform(release.driver)) info.reason = why + (info.reason.empty() ? "" : "; " + info.reason);
    infos.push_back(std::move(info));
  }
  return infos;
}

task<std::vector<ReleaseInfo>> SupervisedReleases::list_platform(AppFolder folder, AppState state) {
  std::vector<ReleaseInfo> infos;
  for (const auto& release : std::views::reverse(state.releases)) {
    ReleaseInfo info = releases::info_of(state, release);
    if (releases::is_platform(release.driver)) info = co_await platform_.look(folder, release, std::move(info));
    infos.push_back(std::move(info));
  }
  co_return infos;
}

task<Result<std::vector<ReleaseInfo>>> SupervisedReleases::list_app(AppFolder folder) {
  const auto state = releases::load_state(folder.state_file());
  const bool platform = state && !state->releases.empty() && releases::is_platform(state->releases.back().driver);
  if (platform) co_return co_await list_platform(folder, *state);
  if (!folder.supervised()) co_return recorded(folder, "its supervisor ended");
  auto answer = co_await runtime::with_deadline(loop_, kLookWithin, "the releases' supervisor",
                                                releases::call(loop_, folder.socket(), releases::to_json(Call{.call = "list"})));
  if (answer) co_return releases::read_infos(*answer);
  if (answer.error().code == ErrorCode::cancelled) co_return fail(answer.error());
  // It may have ended over our question; one that hangs must not keep the others from being listed.
  co_return recorded(folder, folder.supervised() ? "its supervisor does not answer" : "its supervisor ended");
}

/// Within an app its own order counts, whatever the clock did meanwhile.
std::vector<ReleaseInfo> newest_first(std::vector<std::vector<ReleaseInfo>> apps) {
  std::vector<ReleaseInfo> all;
  for (auto& app : apps) std::ranges::reverse(app);
  for (;;) {
    std::erase_if(apps, [](const auto& app) { return app.empty(); });
    if (apps.empty()) return all;
    auto& next = *std::ranges::max_element(apps, {}, [](const auto& app) { return app.back().created_at; });
    all.push_back(std::move(next.back()));
    next.pop_back();
  }
}

task<Result<std::vector<ReleaseInfo>>> SupervisedReleases::list() {
  std::vector<std::vector<ReleaseInfo>> apps;
  for (const AppFolder& folder : AppFolder::all(options_.state_dir)) {
    auto infos = co_await list_app(folder);
    if (!infos) co_return fail(infos.error());
    apps.push_back(std::move(*infos));
  }
  co_return newest_first(std::move(apps));
}

task<Result<ReleaseInfo>> SupervisedReleases::get(std::string id) {
  auto found = find(id);
  if (!found) co_return fail(found.error());
  auto infos = co_await list_app(found->folder);
  if (!infos) co_return fail(infos.error());
  const auto it = std::ranges::find(*infos, id, &ReleaseInfo::id);
  if (it == infos->end()) co_return fail(ErrorCode::not_found, "no such release", id);
  co_return *it;
}

task<Result<std::string>> SupervisedReleases::logs(std::string id, std::int64_t bytes_max) {
  auto found = find(id);
  if (!found) co_return fail(found.error());
  co_return releases::read_log(found->folder.log(found->state.find(id)->slug), bytes_max);
}

task<Result<void>> SupervisedReleases::workflow_ended(WorkflowId workflow, WorkflowStatus status) {
  for (const AppFolder& folder : AppFolder::all(options_.state_dir)) {
    const auto state = releases::load_state(folder.state_file());
    if (!state) continue;  // nothing of anybody's is known there
    const bool leaves = std::ranges::any_of(state->releases, [&](const releases::Release& release) {
      return release.workflow == workflow &&
             (release.state == ReleaseState::candidate || (release.state == ReleaseState::degraded && status != WorkflowStatus::completed));
    });
    if (!leaves) continue;
    if (releases::is_platform(state->releases.back().driver)) {
      auto done = co_await platform_.workflow_ended(folder, workflow, status);
      if (!done) co_return done;
      continue;
    }
    auto answer = co_await ask(folder, {.call = "workflow_ended", .workflow = workflow.str(), .status = std::string(to_string(status))},
                               time_for(*state));
    if (!answer) co_return fail(answer.error());
    if (auto done = releases::read_done(*answer); !done) co_return done;
  }
  co_return Result<void>{};
}

}  // namespace

std::unique_ptr<ReleaseManager> make_release_manager(runtime::Loop& loop, ReleaseOptions options) {
  return std::make_unique<SupervisedReleases>(loop, std::move(options));
}

}  // namespace conductorai::infrastructure
