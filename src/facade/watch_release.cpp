#include "facade/watch_release.hpp"

#include <algorithm>

#include "agents/monitoring/judgement.hpp"
#include "agents/monitoring/watch.hpp"
#include "core/decide.hpp"
#include "core/document/words.hpp"
#include "infrastructure/process/lookup.hpp"

namespace conductorai::facade {
namespace {

bool has_traffic(const ReleaseInfo& release) {
  return release.state == ReleaseState::serving || release.state == ReleaseState::degraded;
}

task<Result<ReleaseInfo>> find_release(House* house, MonitorRequest request) {
  auto releases = co_await house->releases->list();
  if (!releases) co_return fail(releases.error());
  const auto wanted = [&](const ReleaseInfo& release) {
    const bool app = request.app.empty() || release.app == request.app || release.id == request.app;
    return app && has_traffic(release) && (request.workflow.empty() || release.workflow == request.workflow);
  };
  const auto found = std::ranges::find_if(*releases, wanted);
  if (found == releases->end())
    co_return fail(ErrorCode::not_found, "no release of this app is serving", request.app,
                   "conductorai releases list shows what there is; conductorai run deploys");
  co_return *found;
}

/// The `with` of the last monitor task as an agent would be given it now: what its `${{ }}` read is filled in. Without such a task the
/// release is looked at by GET /.
task<Result<Object>> monitor_with(House* house, WorkflowId workflow) {
  auto state = co_await house->engine->get_workflow_state(workflow);
  if (!state) co_return fail(state.error());
  TaskId last;
  for (const TaskId& id : state->order)
    if (const auto& task = state->tasks.at(id); task.definition->agent.str() == "monitor" && task.children.empty()) last = id;
  if (last.empty()) co_return Object{};
  auto parts = core::assignment_parts(*state, last, infrastructure::own_environment());
  if (!parts) co_return fail(parts.error());
  co_return parts->task->with;
}

}  // namespace

task<Result<MonitorReport>> watch_release(House& house, Clock& clock, MonitorRequest request) {
  auto release = co_await find_release(&house, request);
  if (!release) co_return fail(release.error());
  auto with = co_await monitor_with(&house, request.workflow.empty() ? release->workflow : request.workflow);
  if (!with) co_return fail(with.error());
  if (request.window) (*with)["window"] = core::document::format_duration(*request.window);
  auto plan = agents::read_plan(*with);
  if (!plan) co_return fail(plan.error());
  auto whole = agents::address(std::move(*plan), release->url);
  if (!whole) co_return fail(whole.error());
  agents::Watch watch{.plan = *whole, .release = *release, .whole_log = false};
  if (request.on_sample)
    watch.on_sample = [tell = request.on_sample](const std::string& probe, const agents::Sample& sample) {
      tell({.probe = probe, .at_ms = sample.at_ms, .ms = sample.ms, .ok = sample.ok, .status = sample.status, .error = sample.error});
    };
  auto window = co_await agents::watch_window(clock, *house.prober, *house.releases, std::move(watch));
  if (!window) co_return fail(window.error());
  agents::Judgement judgement = agents::judge(*whole, *window);
  co_return MonitorReport{.workflow = release->workflow,
                          .release = std::move(*release),
                          .healthy = judgement.healthy,
                          .summary = std::move(judgement.summary),
                          .evidence = std::move(judgement.evidence),
                          .findings = std::move(judgement.findings),
                          .samples = agents::samples_json(*window, *whole)};
}

}  // namespace conductorai::facade
