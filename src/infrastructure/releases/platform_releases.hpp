#pragma once
// PlatformReleases: an app's releases on a platform that we only tell. Done in the caller's own process, which has the user's environment,
// under the lock that a supervisor of the app would hold; the same record, durable before each act.

#include <map>
#include <memory>
#include <string>

#include "infrastructure/releases/app_folder.hpp"
#include "infrastructure/releases/platform_driver.hpp"
#include "runtime/loop.hpp"
#include "runtime/offload.hpp"

namespace conductorai::infrastructure::releases {

/// Whether releases of this driver are a platform's and not a supervisor's.
bool is_platform(std::string_view driver);

class PlatformReleases {
 public:
  PlatformReleases(runtime::Loop& loop, std::filesystem::path state_dir, std::filesystem::path helper);
  ~PlatformReleases();

  /// As ReleaseManager, and conflict: a supervised release of the app serves. Units: `files` is copied.
  task<Result<ReleaseInfo>> deploy(AppFolder folder, Release wanted, std::filesystem::path files);
  task<Result<ReleaseInfo>> reject(AppFolder folder, std::string id, std::string reason);
  task<Result<ReleaseInfo>> rollback(AppFolder folder, std::string id);
  task<Result<ReleaseInfo>> stop(AppFolder folder, std::string id, std::string reason);
  task<Result<void>> workflow_ended(AppFolder folder, WorkflowId workflow, WorkflowStatus status);
  /// Asks the platform whether a release that has the traffic runs: `alive`, and in `reason` why not. Takes no lock.
  task<ReleaseInfo> look(AppFolder folder, Release release, ReleaseInfo info);

 private:
  struct Books;
  task<Result<Books>> open(AppFolder folder);
  PlatformDriver& driver_of(const Release& release);
  task<Result<PlatformLook>> ask(AppFolder folder, Release release);
  [[nodiscard]] static PlatformJob job_of(Books& books, const std::string& id, const std::string& previous);
  task<Result<void>> record(Books& books, Release wanted, std::filesystem::path files);
  task<Result<std::string>> why_unhealthy(Release release);
  task<void> prune(Books& books);
  task<Result<PlatformAnswer>> go_back(Books& books, std::string id, std::string to);

  runtime::Loop& loop_;
  runtime::Worker worker_;
  std::map<std::string, std::unique_ptr<PlatformDriver>, std::less<>> drivers_;
};

}  // namespace conductorai::infrastructure::releases
