#include "orchestration/coordinator/waiting_line.hpp"

namespace conductorai::orchestration {

namespace {
constexpr std::size_t kSpareMax = 64;
}

WorkflowLoad& WaitingLine::load_of(const WorkflowId& workflow) {
  if (auto found = workflows_.find(workflow); found != workflows_.end()) return found->second;
  if (spare_.empty()) return workflows_.emplace(workflow, WorkflowLoad{.id = workflow}).first->second;
  auto node = std::move(spare_.back());
  spare_.pop_back();
  node.key() = node.mapped().id = workflow;
  return workflows_.insert(std::move(node)).position->second;
}

Lane& WaitingLine::lane(const WorkflowId& workflow, TypePool& pool) {
  WorkflowLoad& load = load_of(workflow);
  for (const auto& lane : load.lanes)
    if (lane->pool == &pool) return *lane;
  load.lanes.push_back(std::make_unique<Lane>(Lane{.workflow = &load, .pool = &pool, .waiting = {}}));
  return *load.lanes.back();
}

void WaitingLine::enter(Dispatch& dispatch, Lane& lane) {
  dispatch.lane = &lane;
  dispatch.turn = ++turns_;
  // A lane's place among the ready ones is that of its head, so it steps out while its head may change.
  if (!lane.waiting.empty() && !lane.blocked) lane.pool->ready.erase(&lane);
  lane.waiting.insert(&dispatch);
  lane.pool->lanes.insert(&lane);
  if (!lane.blocked) lane.pool->ready.insert(&lane);
  ++lane.workflow->waiting;
  ++waiting_;
}

void WaitingLine::leave(Dispatch& dispatch) {
  Lane& lane = *dispatch.lane;
  if (!lane.blocked) lane.pool->ready.erase(&lane);
  lane.waiting.erase(&dispatch);
  if (lane.waiting.empty())
    lane.pool->lanes.erase(&lane);
  else if (!lane.blocked)
    lane.pool->ready.insert(&lane);
  --lane.workflow->waiting;
  --waiting_;
}

void WaitingLine::start(Dispatch& dispatch, Lane& lane) {
  dispatch.lane = &lane;
  ++lane.running;
  ++lane.workflow->running;
  ++running_;
}

void WaitingLine::end(Dispatch& dispatch) {
  Lane& lane = *dispatch.lane;
  --lane.running;
  --lane.workflow->running;
  --running_;
  for (const auto& sibling : lane.workflow->lanes)
    if (sibling->blocked) unblock(*sibling);
}

void WaitingLine::forget_if_idle(WorkflowLoad& workflow) {
  if (workflow.running > 0 || workflow.waiting > 0) return;
  for (const auto& lane : workflow.lanes) {
    stuck_.erase(lane.get());
    lane->blocked = false;
  }
  auto forgotten = workflows_.extract(workflow.id);
  if (spare_.size() < kSpareMax) spare_.push_back(std::move(forgotten));  // with its lanes: the next one has the same
}

void WaitingLine::block(Lane& lane) {
  if (lane.blocked) return;
  if (!lane.waiting.empty()) lane.pool->ready.erase(&lane);
  lane.blocked = true;
  if (lane.workflow->running == 0) stuck_.insert(&lane);
}

bool WaitingLine::unblock_stuck() {
  if (stuck_.empty()) return false;
  for (Lane* lane : std::exchange(stuck_, {})) unblock(*lane);
  return true;
}

void WaitingLine::unblock(Lane& lane) {
  lane.blocked = false;
  stuck_.erase(&lane);
  if (!lane.waiting.empty()) lane.pool->ready.insert(&lane);
}

}  // namespace conductorai::orchestration
