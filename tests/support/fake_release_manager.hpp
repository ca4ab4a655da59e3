#pragma once
// FakeReleaseManager: releases that a test lets live or fail; remembers what it was asked.

#include <algorithm>
#include <string>
#include <vector>

#include "conductorai/release_manager.hpp"

namespace conductorai::testing {

class FakeReleaseManager final : public ReleaseManager {
 public:
  // What a test sets up.
  ReleaseState becomes = ReleaseState::serving;  // what a deployed release ends as
  std::string reason;
  std::string printed;
  std::function<void(const ReleaseRequest&)> on_deploy;  // looks at the files while they are there
  // What it looks at.
  std::vector<ReleaseRequest> deployed;
  std::vector<ReleaseInfo> releases;
  std::vector<std::string> rejected;

  task<Result<ReleaseInfo>> deploy(ReleaseRequest request) override {
    if (on_deploy) on_deploy(request);
    ReleaseInfo info{.id = request.id, .app = request.app, .environment = request.environment, .driver = request.driver};
    info.version = request.version;
    info.state = becomes;
    info.reason = reason;
    info.url = "http://127.0.0.1:4711";
    info.alive = becomes == ReleaseState::serving;
    deployed.push_back(std::move(request));
    releases.push_back(info);
    co_return info;
  }
  task<Result<ReleaseInfo>> reject(std::string id, std::string why) override {
    rejected.push_back(id);
    co_return changed(id, ReleaseState::degraded, std::move(why));
  }
  task<Result<ReleaseInfo>> rollback(std::string id) override { co_return changed(id, ReleaseState::previous, "rolled back"); }
  task<Result<ReleaseInfo>> stop(std::string id, std::string why) override { co_return changed(id, ReleaseState::stopped, std::move(why)); }
  task<Result<ReleaseInfo>> get(std::string id) override {
    const auto found = std::ranges::find(releases, id, &ReleaseInfo::id);
    if (found == releases.end()) co_return fail(ErrorCode::not_found, "no such release", id);
    co_return *found;
  }
  task<Result<std::vector<ReleaseInfo>>> list() override { co_return releases; }
  task<Result<std::string>> logs(std::string, std::int64_t) override { co_return printed; }
  task<Result<void>> workflow_ended(WorkflowId, WorkflowStatus) override { co_return Result<void>{}; }

 private:
  Result<ReleaseInfo> changed(const std::string& id, ReleaseState state, std::string why) {
    const auto found = std::ranges::find(releases, id, &ReleaseInfo::id);
    if (found == releases.end()) return fail(ErrorCode::not_found, "no such release", id);
    found->state = state;
    found->reason = std::move(why);
    return *found;
  }
};

}  // namespace conductorai::testing
