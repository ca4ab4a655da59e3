#pragma once
// BudgetTurns: begins steps within their budgets. One that fits as soon as what is under way has settled waits for that.

#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "conductorai/state_manager.hpp"

namespace conductorai::runtime {

/// One for all steps of a process that `states` keeps, which outlives it. Steps of other processes are not waited for: nothing here would
/// learn of their end. Thread: the loop's.
class BudgetTurns {
 public:
  explicit BudgetTurns(StateManager& states) : states_(states) {}
  BudgetTurns(const BudgetTurns&) = delete;
  BudgetTurns& operator=(const BudgetTurns&) = delete;

  /// A step that may hold of its budgets, until it is settled and this ends.
  class UnderWay {
   public:
    UnderWay() = default;
    UnderWay(UnderWay&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)), keys_(std::move(other.keys_)) {}
    UnderWay& operator=(UnderWay&& other) noexcept;
    ~UnderWay();

   private:
    friend class BudgetTurns;
    UnderWay(BudgetTurns& turns, const StepBegin& step);
    BudgetTurns* turns_ = nullptr;
    std::vector<std::string> keys_;  // of scopes that limit what it asks for
  };

  /// As StateManager::begin_step, which is shielded, with two differences. Of a wall budget it reserves what is left where that is less
  /// than asked (with nothing left it is refused, with the numbers of what was asked). A refusal that is due to what steps under way hold
  /// is no answer while any of this process is: those that wait go in their order, behind any that fit as they come. Sets `under_way` where
  /// the step has begun and a scope limits it. Errors: those of StateManager; cancelled, with nothing reserved.
  [[nodiscard]] task<Result<StepBegun>> begin(StepBegin step, UnderWay& under_way);

 private:
  class Place;
  struct Scope {
    int under_way = 0;
    std::list<Place*> queue;
  };

  task<Result<StepBegun>> begin_in_turn(std::unique_ptr<StepBegin> step, UnderWay& under_way);
  task<Result<StepBegun>> begin_in_time(const StepBegin& step);
  task<Result<Milliseconds>> wall_left(const std::vector<BudgetScope>& scopes);
  [[nodiscard]] bool any_under_way(const std::string& key) const;
  void wake_first(const std::string& key);
  /// A try that was refused holds nothing, so it wakes only who waited for nobody else; never the one at `own`, who has just tried.
  void withdraw(UnderWay tried, const Place& own);
  void forget_if_idle(const std::string& key);

  StateManager& states_;
  std::map<std::string, Scope> scopes_;  // by key, those with anybody
};

}  // namespace conductorai::runtime
