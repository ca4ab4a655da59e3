#include "runtime/budget_turns.hpp"

#include <algorithm>

#include "runtime/event.hpp"
#include "runtime/scope.hpp"

namespace conductorai::runtime {

namespace {
bool limits(const BudgetScope& scope, const Amounts& asked) {
  return (scope.usd_micros && asked.usd_micros > 0) || (scope.tokens && asked.tokens > 0) || (scope.calls && asked.calls > 0) ||
         (scope.wall_ms && asked.wall_ms > 0);
}
}  // namespace

/// A step's place in the queue of one scope, or nowhere yet. The first of a queue is woken when there may be room.
class BudgetTurns::Place {
 public:
  explicit Place(BudgetTurns& turns) : turns_(turns) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { leave(); }

  /// False: it stands there already.
  bool stand(const std::string& key) {
    if (key == key_) return false;
    leave();
    key_ = key;
    turns_.scopes_[key].queue.push_back(this);
    return true;
  }
  Event woken;

 private:
  void leave() {
    if (key_.empty()) return;
    turns_.scopes_[key_].queue.remove(this);
    turns_.wake_first(key_);
    turns_.forget_if_idle(key_);
  }
  BudgetTurns& turns_;
  std::string key_;
};

BudgetTurns::UnderWay::UnderWay(BudgetTurns& turns, const StepBegin& step) : turns_(&turns) {
  for (const BudgetScope& scope : step.scopes)
    if (limits(scope, step.worst_case) && std::ranges::find(keys_, scope.key) == keys_.end()) keys_.push_back(scope.key);
  for (const std::string& key : keys_) ++turns.scopes_[key].under_way;
}

BudgetTurns::UnderWay& BudgetTurns::UnderWay::operator=(UnderWay&& other) noexcept {
  std::swap(turns_, other.turns_);
  std::swap(keys_, other.keys_);
  return *this;
}

BudgetTurns::UnderWay::~UnderWay() {
  if (turns_ == nullptr) return;
  for (const std::string& key : keys_) {
    --turns_->scopes_[key].under_way;
    turns_->wake_first(key);
    turns_->forget_if_idle(key);
  }
}

bool BudgetTurns::any_under_way(const std::string& key) const {
  const auto scope = scopes_.find(key);
  return scope != scopes_.end() && scope->second.under_way > 0;
}

void BudgetTurns::wake_first(const std::string& key) {
  if (const Scope& scope = scopes_[key]; !scope.queue.empty()) scope.queue.front()->woken.set();
}

void BudgetTurns::forget_if_idle(const std::string& key) {
  if (const auto scope = scopes_.find(key); scope->second.under_way == 0 && scope->second.queue.empty()) scopes_.erase(scope);
}

void BudgetTurns::withdraw(UnderWay tried, const Place& own) {
  tried.turns_ = nullptr;
  for (const std::string& key : tried.keys_) {
    Scope& scope = scopes_[key];
    if (--scope.under_way == 0 && !scope.queue.empty() && scope.queue.front() != &own) scope.queue.front()->woken.set();
    forget_if_idle(key);
  }
}

task<Result<StepBegun>> BudgetTurns::begin(StepBegin step, UnderWay& under_way) {
  if (std::ranges::none_of(step.scopes, [&](const BudgetScope& scope) { return limits(scope, step.worst_case); }))
    return shielded(states_.begin_step(std::move(step)));
  return begin_in_turn(std::make_unique<StepBegin>(std::move(step)), under_way);
}

task<Result<StepBegun>> BudgetTurns::begin_in_turn(std::unique_ptr<StepBegin> step, UnderWay& under_way) {
  Place place(*this);
  while (true) {
    place.woken.reset();
    UnderWay tried(*this, *step);
    auto begun = co_await shielded(begin_in_time(*step));
    if (!begun || begun->held_in.empty()) {
      if (begun && begun->outcome == StepBegun::Outcome::begun) under_way = std::move(tried);
      co_return begun;
    }
    const bool stands_now = place.stand(begun->held_in);
    withdraw(std::move(tried), place);
    // Who settled before it stood there woke nobody, so it tries once more; who settled since then has woken it.
    if (stands_now || place.woken.is_set()) continue;
    if (!any_under_way(begun->held_in)) co_return begun;
    if (auto turn = co_await place.woken.wait(); !turn) co_return fail(turn.error());
  }
}

task<Result<StepBegun>> BudgetTurns::begin_in_time(const StepBegin& step) {
  StepBegin fitting = step;
  if (std::ranges::any_of(step.scopes, [](const BudgetScope& scope) { return scope.wall_ms.has_value(); })) {
    auto left = co_await wall_left(step.scopes);
    if (!left) co_return fail(left.error());
    if (left->count() > 0) fitting.worst_case.wall_ms = std::min(left->count(), fitting.worst_case.wall_ms);
  }
  auto begun = co_await states_.begin_step(std::move(fitting));
  co_return begun;
}

task<Result<Milliseconds>> BudgetTurns::wall_left(const std::vector<BudgetScope>& scopes) {
  Milliseconds left = Milliseconds::max();
  for (const BudgetScope& scope : scopes) {
    if (!scope.wall_ms) continue;
    auto use = co_await states_.budget_use(scope.key);
    if (!use) co_return fail(use.error());
    left = std::min(left, Milliseconds(*scope.wall_ms - use->spent.wall_ms - use->reserved.wall_ms));
  }
  co_return left;
}

}  // namespace conductorai::runtime
