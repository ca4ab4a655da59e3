#include "facade/prune.hpp"

#include <algorithm>
#include <set>

#include "base/crash_point.hpp"
#include "core/codec.hpp"
#include "core/retention.hpp"

namespace conductorai::facade {

namespace {

namespace fs = std::filesystem;
using Reasons = std::map<WorkflowId, std::string>;  // why a workflow stays
using Summaries = std::vector<WorkflowSummary>;

constexpr int kPage = 500;

task<Result<Summaries>> all_workflows(StateManager& states) {
  Summaries all;
  WorkflowFilter filter{.limit = kPage};
  while (true) {
    auto page = co_await states.list(filter);
    if (!page) co_return fail(page.error());
    all.insert(all.end(), page->begin(), page->end());
    if (page->size() < static_cast<std::size_t>(kPage)) co_return all;
    filter.after = page->back().id.str();
  }
}

/// Of a release that has its users, or is to have them, or gets them back by a rollback.
task<Result<Reasons>> held_by_releases(ReleaseManager& releases) {
  auto listed = co_await releases.list();
  if (!listed) co_return fail(listed.error());
  Reasons reasons;
  for (const ReleaseInfo& release : *listed) {
    if (release.state == ReleaseState::stopped || release.state == ReleaseState::failed) continue;
    reasons.try_emplace(release.workflow, "its release " + release.id + " is " + std::string(to_string(release.state)));
  }
  co_return reasons;
}

task<std::string> repository_of(House& house, WorkflowId workflow) {
  auto rows = co_await house.states->load(std::move(workflow), 1, 1);
  auto row = rows && !rows->empty() ? core::decode_row(rows->front().body) : fail(ErrorCode::not_found, "no rows");
  const auto* started = row ? std::get_if<WorkflowStarted>(&row->events.front()) : nullptr;
  if (started == nullptr) co_return std::string();
  auto pinned = co_await house.artifacts->get(started->definition);
  auto definition = pinned ? core::decode_definition(*pinned) : fail(pinned.error());
  co_return definition ? definition->workspace.repo : std::string();
}

/// A workflow may work in the repository that was made for another one: `monitor --feedback` starts such.
task<Result<Reasons>> held_by_guests(House& house, Summaries all, std::set<WorkflowId> chosen) {
  std::map<fs::path, WorkflowId> hosts;
  for (const WorkflowId& id : chosen) {
    auto own = co_await house.workspaces->locate(id, {});
    if (!own) co_return fail(own.error());
    std::error_code unknown;
    if (fs::exists(*own, unknown)) hosts.emplace(own->lexically_normal(), id);
  }
  Reasons reasons;
  if (hosts.empty()) co_return reasons;
  for (const WorkflowSummary& guest : all) {
    if (chosen.contains(guest.id)) continue;
    const std::string repo = co_await repository_of(house, guest.id);
    if (repo.empty()) continue;
    const auto host = hosts.find((house.options.project_root / repo).lexically_normal());
    if (host != hosts.end()) reasons.try_emplace(host->second, guest.id.str() + " works in its repository");
  }
  co_return reasons;
}

/// Takes those with a reason out of `chosen`.
void keep(Summaries& chosen, const Reasons& reasons, PruneReport& report) {
  std::erase_if(chosen, [&](const WorkflowSummary& workflow) {
    const auto reason = reasons.find(workflow.id);
    if (reason == reasons.end()) return false;
    report.kept.push_back({workflow, reason->second});
    return true;
  });
}

task<Result<Summaries>> choose(House& house, Timestamp now, RetentionRule rule, PruneReport& report) {
  auto all = co_await all_workflows(*house.states);
  if (!all) co_return fail(all.error());
  Summaries chosen = core::prunable(*all, rule, now);
  if (chosen.empty()) co_return chosen;
  auto released = co_await held_by_releases(*house.releases);
  if (!released) co_return fail(released.error());
  keep(chosen, *released, report);
  std::set<WorkflowId> ids;
  for (const WorkflowSummary& workflow : chosen) ids.insert(workflow.id);
  auto guests = co_await held_by_guests(house, std::move(*all), std::move(ids));
  if (!guests) co_return fail(guests.error());
  keep(chosen, *guests, report);
  co_return chosen;
}

task<Result<void>> remove(House& house, WorkflowSummary workflow, PruneReport& report) {
  if (!workflow.owner.empty()) co_await house.engine->settle(workflow.id);  // its branch may still have to be moved
  auto removed = co_await house.states->remove_workflow(workflow.id);
  if (removed)
    report.removed.push_back(std::move(workflow));
  else if (removed.error().code == ErrorCode::conflict)
    report.kept.push_back({std::move(workflow), removed.error().message});
  else if (removed.error().code != ErrorCode::not_found)  // another process was faster
    co_return removed;
  co_return Result<void>{};
}

/// Whatever was removed from the state, by this call or by one that was killed, goes everywhere else.
task<Result<void>> clear_removed(House& house, std::function<void(const WorkflowId&)> on_removed, PruneReport& report) {
  auto removals = co_await house.states->removals();
  if (!removals) co_return fail(removals.error());
  if (removals->empty()) co_return Result<void>{};
  auto freed = co_await house.artifacts->remove_workflows(*removals);
  if (!freed) co_return fail(freed.error());
  report.freed_bytes += *freed;
  for (const WorkflowId& id : *removals) {
    auto cleared = co_await house.workspaces->remove_workflow(id);
    if (!cleared) co_return cleared;
    if (house.remove_text) house.remove_text(id);
    if (on_removed) on_removed(id);
    crash_point("removal.before_finish");
    auto finished = co_await house.states->finish_removal(id);
    if (!finished) co_return finished;
  }
  co_return Result<void>{};
}

}  // namespace

task<Result<PruneReport>> prune(House& house, Timestamp now, PruneRequest request) {
  if (!request.rule.older_than && !request.rule.keep)
    co_return fail(ErrorCode::invalid_argument, "which workflows may go is not said", "retention",
                   "give an age (--older-than 30d), a number to keep (--keep 100), or both");
  PruneReport report;
  auto chosen = co_await choose(house, now, request.rule, report);
  if (!chosen) co_return fail(chosen.error());
  if (request.dry_run) {
    report.removed = std::move(*chosen);
    co_return report;
  }
  Result<void> done;
  for (const WorkflowSummary& workflow : *chosen) {
    done = co_await remove(house, workflow, report);
    if (!done) break;
  }
  auto cleared = co_await clear_removed(house, std::move(request.on_removed), report);
  if (!done || !cleared) co_return fail(done ? cleared.error() : done.error());
  auto compacted = co_await house.states->compact();
  if (!compacted) co_return fail(compacted.error());
  report.freed_bytes += *compacted;
  co_return report;
}

}  // namespace conductorai::facade
