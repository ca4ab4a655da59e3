#include "infrastructure/releases/app_supervisor.hpp"

#include <algorithm>
#include <ranges>

#include "base/crash_point.hpp"
#include "infrastructure/process/work_area.hpp"
#include "infrastructure/releases/durable_file.hpp"
#include "infrastructure/releases/platform_releases.hpp"

namespace conductorai::infrastructure::releases {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kConnectionsMax = 1024;

task<void> forward(Frontend& frontend) {
  (void)co_await frontend.run();
}

std::unexpected<Error> unknown(const std::string& id) {
  return fail(ErrorCode::not_found, "no such release", id, "conductorai releases list shows them");
}

}  // namespace

void put(AppState& app, const std::string& id, ReleaseState state, std::string reason, Timestamp now) {
  Release& release = *app.find(id);
  release.state = state;
  release.reason = std::move(reason);
  release.changed_at = now;
}

AppSupervisor::AppSupervisor(runtime::Loop& loop, Clock& clock, AppFolder folder, AppState state, Drivers drivers)
    : loop_(loop),
      clock_(clock),
      folder_(std::move(folder)),
      state_(std::move(state)),
      drivers_(std::move(drivers)),
      frontend_(loop, kConnectionsMax),
      scope_(loop) {
  scope_.spawn(forward(frontend_));
}

task<Result<ReleaseInfo>> AppSupervisor::deploy(Release wanted, fs::path files) {
  return in_turn(perform_deploy(std::move(wanted), std::move(files)));
}
task<Result<ReleaseInfo>> AppSupervisor::reject(std::string id, std::string reason) {
  return in_turn(perform_reject(std::move(id), std::move(reason)));
}
task<Result<ReleaseInfo>> AppSupervisor::rollback(std::string id) {
  return in_turn(perform_rollback(std::move(id)));
}
task<Result<ReleaseInfo>> AppSupervisor::stop(std::string id, std::string reason) {
  cut_short(id, reason);
  return in_turn(perform_stop(std::move(id), std::move(reason)));
}
task<Result<void>> AppSupervisor::workflow_ended(WorkflowId workflow, WorkflowStatus status) {
  for (const Release& release : state_.releases)
    if (release.workflow == workflow) cut_short(release.id, "its workflow ended");
  return in_turn(perform_workflow_end(std::move(workflow), status));
}

void AppSupervisor::cut_short(const std::string& id, std::string reason) {
  const auto starting = starting_.find(id);
  if (starting == starting_.end()) return;
  starting->second->stopped = true;
  starting->second->reason = std::move(reason);
  starting->second->cut.cancel();
}

Result<ReleaseInfo> AppSupervisor::get(const std::string& id) {
  const Release* release = state_.find(id);
  if (release == nullptr) return unknown(id);
  return info(*release);
}

std::vector<ReleaseInfo> AppSupervisor::list() {
  std::vector<ReleaseInfo> out;
  for (const Release& release : std::views::reverse(state_.releases)) out.push_back(info(release));
  return out;
}

ReleaseInfo AppSupervisor::info(const Release& release) {
  ReleaseInfo info = info_of(state_, release);
  const LivePtr live = living(release.id);
  if (!live) return info;
  info.alive = live->instance && !live->instance->ended().is_set();
  info.restarts = live->restarts;
  info.log_bytes = live->log->total();
  if (info.alive) {
    const Consumption used = live->instance->consumption();
    info.rss_bytes = used.rss_bytes;
    info.cpu_ms = used.cpu_ms;
    info.pid = used.pid;
  }
  if (has_traffic(release) && !live->note.empty()) {
    const std::string note =
        (live->restarts > 0 ? "restarted " + std::to_string(live->restarts) + " times, last after " : "died: ") + live->note;
    info.reason += (info.reason.empty() ? "" : "; ") + note;
  }
  return info;
}

task<Result<void>> AppSupervisor::commit(AppState next) {
  const fs::path file = folder_.state_file();
  auto saved = co_await worker_.run([file, &next] { return save_state(file, next); });
  if (saved) state_ = std::move(next);
  co_return saved;
}

task<Result<void>> AppSupervisor::mark(std::string id, ReleaseState state, std::string reason) {
  AppState next = state_;
  put(next, id, state, std::move(reason), clock_.now());
  co_return co_await commit(std::move(next));
}

Result<void> AppSupervisor::check(const Release& wanted) const {
  if (!drivers_.contains(wanted.driver)) {
    std::string known;
    for (const auto& name : std::views::keys(drivers_)) known += (known.empty() ? "" : ", ") + name;
    return fail(ErrorCode::invalid_argument, "this build has no deploy driver '" + wanted.driver + "'", {}, "known: " + known);
  }
  if (wanted.driver == "process" && wanted.run.find_first_not_of(" \t\n") == std::string::npos)
    return fail(ErrorCode::invalid_argument, "a release needs a run command", wanted.id, "set toolchain.run");
  if (wanted.port < 0 || wanted.port > 65535) return fail(ErrorCode::invalid_argument, "a port is a number from 1 to 65535");
  const bool plain = std::ranges::all_of(wanted.health.path, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!wanted.health.path.empty() && (wanted.health.path[0] != '/' || !plain))
    return fail(ErrorCode::invalid_argument, "a health path begins with / and holds no spaces", wanted.health.path);
  if (wanted.health.successes < 1) return fail(ErrorCode::invalid_argument, "a health check needs at least one success");
  if (auto settings = read_settings(wanted.with); !settings) return fail(settings.error());
  return {};
}

task<Result<void>> AppSupervisor::record(Release wanted, fs::path files) {
  if (auto checked = check(wanted); !checked) co_return checked;
  if (auto taken = take_port(wanted.port != 0 ? wanted.port : state_.port); !taken) co_return taken;
  AppState next = state_;
  if (const Release* other = next.serving(); other != nullptr && is_platform(other->driver))
    co_return fail(ErrorCode::conflict, "the app is served by a release of driver " + other->driver, other->id,
                   "conductorai releases stop " + other->id);
  for (const Release& release : state_.releases)
    if (is_platform(release.driver) && (release.state == ReleaseState::previous || release.state == ReleaseState::candidate))
      put(next, release.id, ReleaseState::stopped, "the app went over to driver " + wanted.driver, clock_.now());
  next.app = wanted.app;
  next.environment = wanted.environment;
  if (next.port == 0) next.port = reserved_ ? reserved_->port : frontend_.port();
  wanted.slug = std::to_string(next.next++);
  wanted.slug.insert(0, wanted.slug.size() < 4 ? 4 - wanted.slug.size() : 0, '0');
  wanted.created_at = wanted.changed_at = clock_.now();
  const fs::path to = folder_.files(wanted.slug);
  const auto area = work_area(folder_.state_dir());
  const std::int64_t most = wanted.limits.disk_bytes;
  auto copied = co_await worker_.run([files, to, area, most]() -> Result<void> {
    if (auto done = copy_tree(files, to, most); !done) return done;
    return give_to(area, to);
  });
  if (copied) {
    next.releases.push_back(std::move(wanted));
    copied = co_await commit(std::move(next));
  }
  if (!copied)
    co_await worker_.run([to] {
      std::error_code ignored;
      return fs::remove_all(to, ignored);
    });
  co_return copied;
}

task<Result<ReleaseInfo>> AppSupervisor::perform_deploy(Release wanted, fs::path files) {
  const std::string id = wanted.id;
  // What served before we came serves again first: it is what goes on should the candidate fail.
  if (auto restored = co_await restore(); !restored) co_return fail(restored.error());
  if (state_.find(id) == nullptr) {
    auto recorded = co_await record(std::move(wanted), std::move(files));
    if (!recorded) {
      reserved_.reset();
      co_return fail(recorded.error());
    }
  }
  if (state_.find(id)->state != ReleaseState::candidate) co_return get(id);
  auto up = co_await bring_up(id);
  reserved_.reset();
  co_await prune();
  co_return up;
}

task<Result<ReleaseInfo>> AppSupervisor::bring_up(std::string id) {
  const Release release = *state_.find(id);
  const int port = release.port != 0 ? release.port : state_.port;
  if (auto taken = take_port(port); !taken) co_return fail(taken.error());
  crash_point("release.before_start");
  const TaskEnvironment environment = co_await current_environment();
  Starting starting(environment.cancel);
  starting_[id] = &starting;
  auto started = co_await start_healthy(id).in({environment.executor, &starting.cut});
  starting_.erase(id);
  Result<void> done;
  if (starting.stopped) {
    if (started && started->live) co_await end_now(id);
    done = co_await mark(id, ReleaseState::stopped, starting.reason);
  } else if (!started) {
    co_return fail(started.error());
  } else if (!started->live) {
    done = co_await mark(id, ReleaseState::failed, started->unhealthy);
  } else {
    AppState next = state_;
    next.port = port;
    if (const Release* old = next.serving(); old != nullptr) {
      const bool degraded = old->state == ReleaseState::degraded;
      put(next, old->id, degraded ? ReleaseState::stopped : ReleaseState::previous,
          (degraded ? "replaced, after it was rejected: " + old->reason : "replaced by " + id), clock_.now());
    }
    put(next, id, ReleaseState::serving, "", clock_.now());
    done = co_await switch_to(started->live, std::move(next));
  }
  if (!done) co_return fail(done.error());
  co_return get(id);
}

task<Result<ReleaseInfo>> AppSupervisor::perform_reject(std::string id, std::string reason) {
  if (state_.find(id) == nullptr) co_return unknown(id);
  if (auto restored = co_await restore(); !restored) co_return fail(restored.error());
  const ReleaseState state = state_.find(id)->state;
  if (state == ReleaseState::failed || state == ReleaseState::stopped || state == ReleaseState::degraded) co_return get(id);
  if (state != ReleaseState::serving) {
    if (auto marked = co_await mark(id, ReleaseState::failed, reason); !marked) co_return fail(marked.error());
    co_await end_now(id);
    co_return get(id);
  }
  auto replaced = co_await replace_by_previous(id, ReleaseState::failed, reason);
  if (!replaced) co_return fail(replaced.error());
  if (!*replaced)
    if (auto marked = co_await mark(id, ReleaseState::degraded, reason); !marked) co_return fail(marked.error());
  co_return get(id);
}

task<Result<ReleaseInfo>> AppSupervisor::perform_rollback(std::string id) {
  const Release* release = state_.find(id);
  if (release == nullptr) co_return unknown(id);
  if (!release->gave_way_to.empty()) co_return get(release->gave_way_to);  // done before
  if (auto restored = co_await restore(); !restored) co_return fail(restored.error());
  release = state_.find(id);
  if (!has_traffic(*release))
    co_return fail(ErrorCode::conflict,
                   "only a release that serves can be rolled back; this one is " + std::string(to_string(release->state)), id);
  const Release* previous = state_.previous();
  if (previous == nullptr) co_return fail(ErrorCode::conflict, "there is no release before this one to go back to", id);
  const std::string back = previous->id;
  auto started = co_await start_healthy(back);
  if (!started) co_return fail(started.error());
  if (!started->live)
    co_return fail(ErrorCode::conflict, "the release before this one is not healthy: " + started->unhealthy, back, "this one serves on");
  AppState next = state_;
  put(next, id, ReleaseState::stopped, "rolled back to " + back, clock_.now());
  next.find(id)->gave_way_to = back;
  put(next, back, ReleaseState::serving, "serves again after a rollback of " + id, clock_.now());
  next.find(back)->gave_way_to.clear();
  if (auto switched = co_await switch_to(started->live, std::move(next)); !switched) co_return fail(switched.error());
  co_return get(back);
}

/// The service is gone when it returns.
task<Result<void>> AppSupervisor::end_serving(std::string id, std::string reason) {
  if (auto marked = co_await mark(id, ReleaseState::stopped, std::move(reason)); !marked) co_return marked;
  frontend_.close();
  frontend_.set_target(nullptr);
  const LivePtr live = living(id);
  if (!live) co_return Result<void>{};
  live->leaving = true;
  scope_.spawn(retire(live));
  co_return co_await live->gone.wait();
}

task<Result<ReleaseInfo>> AppSupervisor::perform_stop(std::string id, std::string reason) {
  const Release* release = state_.find(id);
  if (release == nullptr) co_return unknown(id);
  if (has_traffic(*release)) {
    if (auto ended = co_await end_serving(id, std::move(reason)); !ended) co_return fail(ended.error());
  } else if (release->state == ReleaseState::candidate || release->state == ReleaseState::previous) {
    if (auto marked = co_await mark(id, ReleaseState::stopped, std::move(reason)); !marked) co_return fail(marked.error());
  }
  co_await end_now(id);
  if (auto restored = co_await restore(); !restored) co_return fail(restored.error());
  co_return get(id);
}

task<Result<void>> AppSupervisor::perform_workflow_end(WorkflowId workflow, WorkflowStatus status) {
  std::vector<std::string> over;
  for (const Release& release : state_.releases) {
    if (release.workflow != workflow) continue;
    const bool candidate = release.state == ReleaseState::candidate;
    const bool degraded = release.state == ReleaseState::degraded && status != WorkflowStatus::completed;
    if (candidate || degraded) over.push_back(release.id);
  }
  for (const std::string& id : over) {
    std::string reason = "its workflow ended " + std::string(to_string(status));
    if (!state_.find(id)->reason.empty()) reason += "; it was rejected: " + state_.find(id)->reason;
    auto stopped = co_await perform_stop(id, std::move(reason));
    if (!stopped) co_return fail(stopped.error());
  }
  co_return co_await restore();
}

/// The oldest that nobody can want back go, with their files and logs.
task<void> AppSupervisor::prune() {
  while (state_.releases.size() > kReleasesKept) {
    const Release* previous = state_.previous();
    const auto old = std::ranges::find_if(state_.releases, [&](const Release& r) {
      return !has_traffic(r) && r.state != ReleaseState::candidate && (previous == nullptr || r.id != previous->id) && !living(r.id);
    });
    if (old == state_.releases.end()) co_return;
    const std::vector<fs::path> folders{folder_.files(old->slug), folder_.log(old->slug).parent_path()};
    AppState next = state_;
    const auto place = next.releases.begin() + (old - state_.releases.begin());
    const Release gone = std::move(*place);
    next.releases.erase(place);
    if (auto kept = co_await commit(std::move(next)); !kept) co_return;
    if (const auto driver = drivers_.find(gone.driver); driver != drivers_.end())
      co_await driver->second->forget(gone, folder_.files(gone.slug));
    co_await worker_.run([folders] {
      std::error_code ignored;
      for (const auto& folder : folders) fs::remove_all(folder, ignored);
      return true;
    });
  }
}

task<void> AppSupervisor::close() {
  scope_.cancel();
  co_await scope_.join();
  for (const LivePtr& live : std::exchange(live_, {}))
    if (live->instance) co_await live->instance->stop(settings_of(live->id).grace);
}

task<void> AppSupervisor::forget() {
  for (const Release& release : state_.releases)
    if (const auto driver = drivers_.find(release.driver); driver != drivers_.end())
      co_await driver->second->forget(release, folder_.files(release.slug));
}

}  // namespace conductorai::infrastructure::releases
