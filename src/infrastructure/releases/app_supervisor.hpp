#pragma once
// AppSupervisor: one app's releases. What it promises is in release_manager.hpp; it answers the calls of that port and keeps what serves
// serving. Every change is durable (state.json) before anything acts on it; one change at a time.

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "infrastructure/releases/app_folder.hpp"
#include "infrastructure/releases/app_state.hpp"
#include "infrastructure/releases/driver.hpp"
#include "infrastructure/releases/frontend.hpp"
#include "infrastructure/releases/settings.hpp"
#include "runtime/offload.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure::releases {

using Drivers = std::map<std::string, std::unique_ptr<Driver>, std::less<>>;

class AppSupervisor {
 public:
  /// `clock`: all it waits for and writes down; the loop itself outside tests.
  AppSupervisor(runtime::Loop& loop, Clock& clock, AppFolder folder, AppState state, Drivers drivers);
  AppSupervisor(const AppSupervisor&) = delete;
  AppSupervisor& operator=(const AppSupervisor&) = delete;

  /// `files`: where the release's files are now.
  task<Result<ReleaseInfo>> deploy(Release wanted, std::filesystem::path files);
  task<Result<ReleaseInfo>> reject(std::string id, std::string reason);
  task<Result<ReleaseInfo>> rollback(std::string id);
  task<Result<ReleaseInfo>> stop(std::string id, std::string reason);
  task<Result<void>> workflow_ended(WorkflowId workflow, WorkflowStatus status);
  [[nodiscard]] Result<ReleaseInfo> get(const std::string& id);
  [[nodiscard]] std::vector<ReleaseInfo> list();

  /// Nothing runs and nothing is being done: the process may end.
  [[nodiscard]] bool idle() const { return live_.empty() && busy_ == 0; }
  /// Ends everything that runs; what served is on record and is restored by the next supervisor. The last call but `forget`.
  task<void> close();
  /// Nobody will ask for these releases again: what their drivers keep of them goes.
  task<void> forget();

 private:
  /// A release with a running instance, or one that is being restarted.
  struct Live {
    explicit Live(CancelSource& parent) : leave(&parent) {}
    std::string id;
    std::shared_ptr<ServiceLog> log;
    std::shared_ptr<Instance> instance;  // null between two
    Instant started{};
    CancelSource leave;    // it is to end: no restart
    bool leaving = false;  //
    bool hurry = false;    // no time to drain
    int restarts = 0;
    std::deque<Instant> deaths;
    std::string note;       // of the last death
    runtime::Event unkept;  // `keep` has returned
    runtime::Event gone;
  };
  using LivePtr = std::shared_ptr<Live>;
  struct Started {
    LivePtr live;           // null: not healthy, and ended again
    std::string unhealthy;  // why
  };
  /// A candidate at its gate can be cut short.
  struct Starting {
    explicit Starting(CancelSource* parent) : cut(parent) {}
    CancelSource cut;
    bool stopped = false;
    std::string reason;
  };

  // Changes of state, one at a time (app_supervisor.cpp)
  template <class R>
  task<R> in_turn(task<R> work) {
    ++busy_;
    auto turn = co_await turn_.acquire();
    if (!turn) {
      --busy_;
      co_return fail(turn.error());
    }
    R result = co_await std::move(work);
    turn_.release();
    --busy_;
    co_return result;
  }
  task<Result<ReleaseInfo>> perform_deploy(Release wanted, std::filesystem::path files);
  task<Result<ReleaseInfo>> perform_reject(std::string id, std::string reason);
  task<Result<ReleaseInfo>> perform_rollback(std::string id);
  task<Result<ReleaseInfo>> perform_stop(std::string id, std::string reason);
  task<Result<void>> perform_workflow_end(WorkflowId workflow, WorkflowStatus status);
  Result<void> check(const Release& wanted) const;
  task<Result<void>> record(Release wanted, std::filesystem::path files);
  task<Result<ReleaseInfo>> bring_up(std::string id);
  task<Result<void>> end_serving(std::string id, std::string reason);
  task<Result<void>> commit(AppState next);
  task<Result<void>> mark(std::string id, ReleaseState state, std::string reason);
  task<void> prune();
  void cut_short(const std::string& id, std::string reason);
  ReleaseInfo info(const Release& release);

  // What runs (app_running.cpp)
  task<void> clear();
  task<Result<void>> restore();
  Result<void> take_port(int port);
  task<Result<Started>> start_healthy(std::string id);
  task<Result<std::shared_ptr<Instance>>> start_instance(LivePtr live);
  task<Result<void>> switch_to(LivePtr live, AppState next);
  task<Result<bool>> replace_by_previous(std::string id, ReleaseState then, std::string reason);
  task<void> keep(LivePtr live);
  task<void> keep_running(LivePtr live);
  task<bool> start_again(LivePtr live);
  task<bool> after_death(LivePtr live);
  task<Result<void>> give_up(LivePtr live);
  task<void> retire(LivePtr live);
  task<void> end_now(std::string id);
  [[nodiscard]] LivePtr living(const std::string& id) const;
  [[nodiscard]] Settings settings_of(const std::string& id);

  runtime::Loop& loop_;
  Clock& clock_;
  AppFolder folder_;
  AppState state_;
  Drivers drivers_;
  runtime::Worker worker_;
  Frontend frontend_;
  std::optional<BoundSocket> reserved_;  // a port taken for a candidate, not yet listened at
  std::list<LivePtr> live_;
  std::map<std::string, Starting*> starting_;
  bool cleared_ = false;
  bool restored_ = false;
  int busy_ = 0;
  runtime::Semaphore turn_{1};
  runtime::TaskScope scope_;
};

/// Sets a release's state in `app`. REQUIRES: it is there.
void put(AppState& app, const std::string& id, ReleaseState state, std::string reason, Timestamp now);

}  // namespace conductorai::infrastructure::releases
