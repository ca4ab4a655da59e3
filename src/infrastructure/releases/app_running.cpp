// What runs: starting, switching, restarting, retiring.
#include <algorithm>

#include "base/crash_point.hpp"
#include "infrastructure/releases/app_supervisor.hpp"
#include "infrastructure/releases/health_gate.hpp"
#include "infrastructure/releases/platform_releases.hpp"

namespace conductorai::infrastructure::releases {

namespace {

constexpr Milliseconds kDrainLook{20};

}  // namespace

AppSupervisor::LivePtr AppSupervisor::living(const std::string& id) const {
  const auto it = std::ranges::find(live_, id, [](const LivePtr& live) { return live->id; });
  return it == live_.end() ? nullptr : *it;
}

Settings AppSupervisor::settings_of(const std::string& id) {
  const Release* release = state_.find(id);
  return release == nullptr ? Settings{} : read_settings(release->with).value_or(Settings{});
}

Result<void> AppSupervisor::take_port(int port) {
  const bool ours = port != 0 && (frontend_.port() == port || (reserved_ && reserved_->port == port));
  if (ours) return {};
  auto bound = bind_port(port);
  if (!bound) return fail(bound.error());
  reserved_ = std::move(*bound);
  return {};
}

task<Result<std::shared_ptr<Instance>>> AppSupervisor::start_instance(LivePtr live) {
  const Release release = *state_.find(live->id);
  live->log->forget_last_words();
  live->started = clock_.steady_now();
  const int port = release.port != 0 ? release.port : state_.port;
  co_return co_await drivers_.find(release.driver)->second->start({release, folder_.files(release.slug), port, live->log});
}

task<Result<AppSupervisor::Started>> AppSupervisor::start_healthy(std::string id) {
  co_await end_now(id);  // it may be draining still
  const Release release = *state_.find(id);
  const Settings settings = settings_of(id);
  auto live = std::make_shared<Live>(scope_.cancel_source());
  live->id = id;
  live->log = std::make_shared<ServiceLog>(folder_.log(release.slug), LogBounds{settings.log_bytes, settings.log_files});
  live_.push_back(live);
  auto instance = co_await start_instance(live);
  if (!instance) {
    live_.remove(live);
    co_return fail(instance.error());
  }
  live->instance = *instance;
  crash_point("release.after_start");
  auto healthy = co_await until_healthy(loop_, clock_, *instance, release.health);
  if (healthy) co_return Started{live, {}};
  co_await runtime::shielded((*instance)->stop(settings.grace));
  live_.remove(live);
  if (const Error* defect = (*instance)->defect()) co_return fail(*defect);
  if (healthy.error().code == ErrorCode::cancelled) co_return fail(healthy.error());
  const std::string words = live->log->last_words();
  co_return Started{nullptr, healthy.error().message + (words.empty() ? "" : "; it printed last: " + words)};
}

/// `next` is the state in which `live` serves.
task<Result<void>> AppSupervisor::switch_to(LivePtr live, AppState next) {
  crash_point("release.before_switch");
  if (auto committed = co_await commit(std::move(next)); !committed) {
    co_await runtime::shielded(end_now(live->id));
    co_return committed;
  }
  crash_point("release.after_switch");
  frontend_.set_target(live->instance);
  scope_.spawn(keep(live), live->leave);
  for (const LivePtr& other : live_) {
    if (other == live || std::exchange(other->leaving, true)) continue;
    scope_.spawn(retire(other));
  }
  if (!reserved_) co_return Result<void>{};
  auto listening = frontend_.listen(std::move(*reserved_));
  reserved_.reset();
  if (listening) co_return listening;
  auto ended = co_await end_serving(live->id, listening.error().message);
  co_return ended ? listening : ended;
}

/// False: there is none that is healthy. Those that are not are `failed` now.
task<Result<bool>> AppSupervisor::replace_by_previous(std::string id, ReleaseState then, std::string reason) {
  while (const Release* previous = state_.previous()) {
    const std::string back = previous->id;
    if (auto taken = take_port(state_.port); !taken) co_return fail(taken.error());
    auto started = co_await start_healthy(back);
    if (!started) co_return fail(started.error());
    if (!started->live) {
      auto marked = co_await mark(back, ReleaseState::failed, "not healthy when it was to serve again: " + started->unhealthy);
      if (!marked) co_return fail(marked.error());
      continue;
    }
    AppState next = state_;
    put(next, id, then, reason, clock_.now());
    put(next, back, ReleaseState::serving, "serves again instead of " + id, clock_.now());
    auto switched = co_await switch_to(started->live, std::move(next));
    if (!switched) co_return fail(switched.error());
    co_return true;
  }
  co_return false;
}

/// What an earlier supervisor left, where its death alone has not ended it.
task<void> AppSupervisor::clear() {
  if (std::exchange(cleared_, true)) co_return;
  std::map<std::string, Release> one_of;
  for (const Release& release : state_.releases) one_of.insert_or_assign(release.driver, release);
  for (const auto& [name, release] : one_of)
    if (const auto driver = drivers_.find(name); driver != drivers_.end()) co_await driver->second->clear(release, folder_.files_root());
}

/// What the record says serves, after the death of an earlier supervisor.
task<Result<void>> AppSupervisor::restore() {
  co_await clear();
  const Release* serving = state_.serving();
  if (std::exchange(restored_, true) || serving == nullptr || is_platform(serving->driver)) co_return Result<void>{};
  const std::string id = serving->id;
  restored_ = false;  // until it has worked
  if (auto taken = take_port(state_.port); !taken) co_return taken;
  auto started = co_await start_healthy(id);
  if (!started) co_return fail(started.error());
  restored_ = true;
  if (started->live) {
    AppState next = state_;
    co_return co_await switch_to(started->live, std::move(next));
  }
  const std::string reason = "not healthy when its supervisor came back: " + started->unhealthy;
  auto replaced = co_await replace_by_previous(id, ReleaseState::failed, reason);
  if (!replaced) co_return fail(replaced.error());
  if (*replaced) co_return Result<void>{};
  co_return co_await mark(id, ReleaseState::failed, reason);
}

task<void> AppSupervisor::keep(LivePtr live) {
  co_await keep_running(live);
  live->unkept.set();
}

task<void> AppSupervisor::keep_running(LivePtr live) {
  for (;;) {
    if (live->instance) {
      auto ended = co_await live->instance->ended().wait();
      if (!ended || live->leaving) co_return;
      if (frontend_.target() == live->instance) frontend_.set_target(nullptr);
      live->note = live->instance->how();
      const std::string words = live->log->last_words();
      if (!words.empty()) live->note += " (" + words + ")";
      co_await runtime::shielded(live->instance->stop(Milliseconds(0)));
      live->instance = nullptr;
    }
    const bool again = co_await after_death(live);
    if (!again) co_return;
    const bool up = co_await start_again(live);
    if (up) ++live->restarts;
    if (live->leaving) co_return;
  }
}

/// Waits before the next start; false: it is not started any more.
task<bool> AppSupervisor::after_death(LivePtr live) {
  const Settings settings = settings_of(live->id);
  const Instant now = clock_.steady_now();
  live->deaths.push_back(now);
  while (now - live->deaths.front() > settings.restart_window) live->deaths.pop_front();
  const auto deaths = static_cast<int>(live->deaths.size());
  live->log->add("[conductorai] ended: " + live->note + "\n");
  if (deaths > settings.restarts_max) {
    // Not cancelled with `keep`: it may be the one that replaces us.
    (void)co_await runtime::shielded(in_turn(give_up(live)));
    co_return false;
  }
  const int doublings = std::min(deaths - 1, 20);
  const auto pause = std::min(settings.backoff * (std::int64_t{1} << doublings), settings.backoff_max);
  auto slept = co_await sleep_for(clock_, pause);
  co_return slept && !live->leaving;
}

task<bool> AppSupervisor::start_again(LivePtr live) {
  auto instance = co_await start_instance(live);
  if (!instance) {
    live->note = to_string(instance.error());
    co_return false;
  }
  auto healthy = co_await until_healthy(loop_, clock_, *instance, state_.find(live->id)->health);
  if (healthy && !live->leaving) {
    live->instance = *instance;
    frontend_.set_target(*instance);
    co_return true;
  }
  if (!healthy) live->note = healthy.error().message;
  co_await runtime::shielded((*instance)->stop(Milliseconds(0)));
  co_return false;
}

task<Result<void>> AppSupervisor::give_up(LivePtr live) {
  if (live->leaving) co_return Result<void>{};
  const std::string reason = "it died " + std::to_string(live->deaths.size()) + " times in a short time, last: " + live->note;
  auto replaced = co_await replace_by_previous(live->id, ReleaseState::failed, reason);
  if (replaced && *replaced) co_return Result<void>{};
  // A record that cannot be written changes nothing about what is: nothing serves any more.
  (void)co_await mark(live->id, ReleaseState::failed, reason);
  frontend_.close();
  live->leaving = true;
  live_.remove(live);
  live->gone.set();
  co_return Result<void>{};
}

/// REQUIRES: `leaving` is set.
task<void> AppSupervisor::retire(LivePtr live) {
  const Settings settings = settings_of(live->id);
  live->leave.cancel();
  (void)co_await runtime::shielded(live->unkept.wait());
  if (const auto instance = live->instance) {
    const Instant until = clock_.steady_now() + settings.drain;
    while (!live->hurry && frontend_.needing(instance.get()) > 0 && clock_.steady_now() < until) {
      auto slept = co_await sleep_for(clock_, kDrainLook);
      if (!slept) break;
    }
    crash_point("release.before_stop");
    if (frontend_.target() == instance) frontend_.set_target(nullptr);
    frontend_.abandon(instance.get());
    co_await instance->stop(settings.grace);
  }
  live_.remove(live);
  live->gone.set();
}

/// Ends what runs of a release that has no traffic. Returns when it is gone.
task<void> AppSupervisor::end_now(std::string id) {
  const LivePtr live = living(id);
  if (!live) co_return;
  if (live->leaving) {
    live->hurry = true;
    (void)co_await live->gone.wait();
    co_return;
  }
  live->leaving = true;
  if (live->instance) co_await runtime::shielded(live->instance->stop(settings_of(id).grace));
  live_.remove(live);
  live->gone.set();
}

}  // namespace conductorai::infrastructure::releases
