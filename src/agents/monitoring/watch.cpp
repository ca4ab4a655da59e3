#include "agents/monitoring/watch.hpp"

#include <algorithm>
#include <cmath>

#include "agents/monitoring/log_search.hpp"
#include "base/human.hpp"
#include "base/printable.hpp"
#include "runtime/scope.hpp"

namespace conductorai::agents {
namespace {

constexpr int kLooksAtOnce = 32;
constexpr int kLooksAtOnceOfOne = 4;   // so that one that hangs leaves room for the others
constexpr Milliseconds kGrace{2'000};  // past a probe's own timeout
constexpr std::size_t kErrorBytes = 500;

struct State {
  Clock& clock;
  Prober& prober;
  ReleaseManager& releases;
  Watch watch;
  WindowRecord record;
  Instant began;
  std::vector<int> in_flight;
  int all_in_flight = 0;
  std::optional<Error> error;  // of the monitor itself, not of the service

  [[nodiscard]] std::int64_t now_ms() const { return std::chrono::duration_cast<Milliseconds>(clock.steady_now() - began).count(); }
  [[nodiscard]] bool over() const { return error.has_value() || clock.steady_now() >= began + watch.plan.window; }
};

bool our_fault(const Error& error) {
  return error.code == ErrorCode::invalid_argument || error.code == ErrorCode::cancelled;
}

double rounded(double ms) {
  return std::isfinite(ms) ? std::round(ms * 100) / 100 : 0;
}

std::string number_text(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

/// All series of a metric together; none where it is not there.
std::optional<double> sum_of(const std::string& metric, const std::map<std::string, double>& values) {
  std::optional<double> sum;
  for (const auto& [name, value] : values)
    if (name == metric || (name.starts_with(metric) && name.substr(metric.size()).starts_with('{'))) sum = sum.value_or(0) + value;
  return sum;
}

std::string broken_limit(const std::vector<MetricLimit>& limits, const std::map<std::string, double>& values) {
  for (const MetricLimit& limit : limits) {
    const auto sum = sum_of(limit.name, values);
    if (!sum) return "expected the metric " + limit.name + ", there is none";
    // NaN breaks every limit: it compares with nothing.
    if (limit.min && !(*sum >= *limit.min))
      return "the metric " + limit.name + " is " + number_text(*sum) + ", at least " + number_text(*limit.min);
    if (limit.max && !(*sum <= *limit.max))
      return "the metric " + limit.name + " is " + number_text(*sum) + ", at most " + number_text(*limit.max);
  }
  return {};
}

/// What limits hold, as far as JSON can write it.
std::map<std::string, double> limited(const std::vector<MetricLimit>& limits, const std::map<std::string, double>& values) {
  std::map<std::string, double> out;
  for (const MetricLimit& limit : limits)
    if (const auto sum = sum_of(limit.name, values); sum && std::isfinite(*sum)) out[limit.name] = *sum;
  return out;
}

struct Look {
  ProbeSample sample;
  std::map<std::string, double> metrics;
};

task<Result<Look>> look_at_metrics(State* state, PlannedProbe planned) {
  Look look{.sample = {.probe = planned.probe.name}, .metrics = {}};
  ProbeSample& sample = look.sample;
  const Instant started = state->clock.steady_now();
  auto values = co_await state->prober.metrics(planned.probe.url, planned.probe.timeout);
  sample.ms = std::chrono::duration<double, std::milli>(state->clock.steady_now() - started).count();
  if (!values) {
    if (our_fault(values.error())) co_return fail(values.error());
    sample.error = to_string(values.error());
    co_return look;
  }
  sample.status = 200;
  look.metrics = limited(planned.limits, *values);
  sample.error = broken_limit(planned.limits, *values);
  if (sample.error.empty() && planned.probe.max_ms && sample.ms > static_cast<double>(*planned.probe.max_ms))
    sample.error =
        "expected the metrics within " + std::to_string(*planned.probe.max_ms) + " ms, it took " + number_text(rounded(sample.ms));
  sample.ok = sample.error.empty();
  co_return look;
}

task<Result<Look>> look_once(State* state, PlannedProbe planned) {
  if (planned.probe.kind == Probe::Kind::metrics) co_return co_await look_at_metrics(state, std::move(planned));
  const bool any_status = planned.probe.kind == Probe::Kind::http && !planned.probe.status;
  auto sample = co_await state->prober.probe(std::move(planned.probe));
  if (!sample) co_return fail(sample.error());
  if (sample->ok && any_status && sample->status >= 500) {
    sample->ok = false;
    sample->error = "the service answered with status " + std::to_string(sample->status);
  }
  co_return Look{.sample = std::move(*sample), .metrics = {}};
}

task<void> look(State* state, std::size_t index) {
  const PlannedProbe& planned = state->watch.plan.probes[index];
  Sample kept{.at_ms = state->now_ms()};
  auto seen = co_await runtime::with_deadline(state->clock, planned.probe.timeout + kGrace, "the probe", look_once(state, planned));
  --state->in_flight[index];
  --state->all_in_flight;
  if (!seen && our_fault(seen.error())) {
    if (!state->error) state->error = seen.error();
    co_return;
  }
  if (seen) {
    const ProbeSample& sample = seen->sample;
    kept.ok = sample.ok;
    kept.ms = rounded(sample.ms);
    kept.status = sample.status;
    kept.error = printable_line(sample.error, kErrorBytes);
    kept.metrics = std::move(seen->metrics);
  } else {
    kept.error = printable_line(to_string(seen.error()), kErrorBytes);
  }
  if (!kept.ok && kept.error.empty()) kept.error = "not as expected";
  if (state->watch.on_sample) state->watch.on_sample(planned.probe.name, kept);
  state->record.probes[index].samples.push_back(std::move(kept));
}

/// One look at the process. What cannot be reached is a fact of the window; a release that does not exist is an error of the task.
task<void> look_at_process(State* state) {
  ProcessSample sample{.at_ms = state->now_ms()};
  auto info = co_await state->releases.get(state->watch.release.id);
  if (!info && (info.error().code == ErrorCode::not_found || info.error().code == ErrorCode::cancelled)) {
    if (!state->error) state->error = info.error();
    co_return;
  }
  if (info) {
    if (info->alive_known) sample.alive = info->alive;
    sample.restarts = info->restarts;
    sample.rss_bytes = info->rss_bytes;
    sample.cpu_ms = info->cpu_ms;
    if (!info->alive_known)
      sample.error = printable_line(info->reason, kErrorBytes);
    else if (!info->alive)
      sample.error = printable_line("not running, " + std::string(to_string(info->state)) + ": " + info->reason, kErrorBytes);
  } else {
    sample.alive = false;
    sample.error = printable_line(to_string(info.error()), kErrorBytes);
  }
  state->record.process.push_back(std::move(sample));
}

task<void> watch_process(State* state) {
  const Milliseconds every = std::clamp(state->watch.plan.window / 20, Milliseconds(50), Milliseconds(1'000));
  while (!state->over()) {
    co_await look_at_process(state);
    auto slept = co_await sleep_for(state->clock, every);
    if (!slept) co_return;
  }
  co_await look_at_process(state);
}

task<void> take_turns(State* state, runtime::TaskScope* scope) {
  const auto& plan = state->watch.plan;
  Instant next = state->began;
  for (std::size_t turn = 0; !state->over(); ++turn) {
    const std::size_t index = turn % plan.probes.size();
    if (state->in_flight[index] >= kLooksAtOnceOfOne || state->all_in_flight >= kLooksAtOnce) {
      ++state->record.probes[index].missed;
    } else {
      ++state->in_flight[index];
      ++state->all_in_flight;
      scope->spawn(look(state, index));
    }
    // What this process could not do in time (it was stopped, the machine is busy) is left out, not made up for in a burst.
    next = std::max(next + plan.interval, state->clock.steady_now());
    auto slept = co_await sleep_for(state->clock, next - state->clock.steady_now());
    if (!slept) co_return;
  }
}

task<void> read_log(State* state) {
  const std::string id = state->watch.release.id;
  std::int64_t bytes = kLogBytes;
  if (!state->watch.whole_log) {
    auto info = co_await state->releases.get(id);
    if (info) bytes = std::clamp<std::int64_t>(info->log_bytes - state->watch.release.log_bytes, 0, kLogBytes);
  }
  if (bytes == 0) co_return;
  auto log = co_await state->releases.logs(id, bytes);
  if (!log) {
    state->record.log_error = printable_line(to_string(log.error()), kErrorBytes);
    co_return;
  }
  search_log(*log, state->watch.plan.log_patterns, state->record);
}

Result<void> enough(const State& state) {
  const auto& plan = state.watch.plan;
  for (const ProbeSeries& series : state.record.probes) {
    // Turns missed because the service held earlier looks up are its doing, not ours.
    const auto turns = static_cast<std::int64_t>(series.samples.size()) + (series.samples.empty() ? 0 : series.missed);
    if (turns >= plan.min_samples) continue;
    Error error{.code = ErrorCode::unavailable, .retry = Retry::backoff};
    error.message = "too few samples: " + std::to_string(turns) + " of the probe '" + series.name + "' in a window of " +
                    duration_text(plan.window.count()) + ", at least " + std::to_string(plan.min_samples) + " are needed";
    error.where = "with.window";
    error.hint = "make the window longer; a machine that is too busy gives fewer samples than its time has room for";
    return fail(error);
  }
  return {};
}

std::string_view kind_text(Probe::Kind kind) {
  switch (kind) {
    case Probe::Kind::http: return "http";
    case Probe::Kind::tcp: return "tcp";
    case Probe::Kind::metrics: return "metrics";
  }
  return "http";
}

}  // namespace

task<Result<WindowRecord>> watch_window(Clock& clock, Prober& prober, ReleaseManager& releases, Watch watch) {
  const TaskEnvironment environment = co_await current_environment();
  State state{.clock = clock, .prober = prober, .releases = releases, .watch = std::move(watch), .record = {}, .began = clock.steady_now()};
  state.record.release = state.watch.release.id;
  state.record.url = state.watch.release.url;
  state.in_flight.resize(state.watch.plan.probes.size());
  for (const PlannedProbe& planned : state.watch.plan.probes)
    state.record.probes.push_back(
        {.name = planned.probe.name, .kind = std::string(kind_text(planned.probe.kind)), .limits = planned.limits, .samples = {}});
  {
    runtime::TaskScope scope(*environment.executor, environment.cancel);
    scope.spawn(watch_process(&state));
    co_await take_turns(&state, &scope);
    if (state.error) scope.cancel();
    co_await scope.join();
  }
  if (environment.cancelled()) co_return fail(ErrorCode::cancelled, "cancelled");
  if (state.error) co_return fail(*state.error);
  state.record.window_s = static_cast<double>(state.watch.plan.window.count()) / 1000.0;
  co_await read_log(&state);
  if (auto checked = enough(state); !checked) co_return fail(checked.error());
  for (ProbeSeries& series : state.record.probes) std::ranges::sort(series.samples, {}, &Sample::at_ms);
  co_return std::move(state.record);
}

}  // namespace conductorai::agents
