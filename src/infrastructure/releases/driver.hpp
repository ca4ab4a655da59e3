#pragma once
// Driver: how a release is started and ended. One file a driver; the supervisor does the rest (health, switch, restarts, logs, rollback).

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "conductorai/task.hpp"
#include "infrastructure/process/fd.hpp"
#include "infrastructure/releases/app_state.hpp"
#include "infrastructure/releases/service_log.hpp"
#include "runtime/event.hpp"

namespace conductorai::infrastructure::releases {

/// Of all its processes.
struct Consumption {
  std::int64_t rss_bytes = 0;
  std::int64_t cpu_ms = 0;
  std::int64_t pid = 0;  // of the service itself
};

/// One start of a release. `stop` is awaited before it is destroyed. Thread: the loop's.
class Instance {
 public:
  virtual ~Instance() = default;
  /// A non-blocking socket on which connecting to the service itself has begun: never to something in between that would accept for it.
  /// Errors: unavailable (refused at once, or ended).
  virtual Result<UniqueFd> dial() = 0;
  /// Set once it has ended, however that came.
  virtual runtime::Event& ended() = 0;
  /// How it ended, one phrase: "exit code 1", "stopped: memory limit of 1 GiB". REQUIRES: ended.
  [[nodiscard]] virtual std::string how() const = 0;
  /// Why it could not be run at all, which is not the release's fault; null otherwise.
  [[nodiscard]] virtual const Error* defect() const { return nullptr; }
  [[nodiscard]] virtual Consumption consumption() const = 0;
  /// Asks it to end, and ends it after `grace`. Returns when nothing of it is left. May be repeated.
  virtual task<void> stop(Milliseconds grace) = 0;
};

struct StartRequest {
  Release release;
  std::filesystem::path files;
  int public_port = 0;
  std::shared_ptr<ServiceLog> log;
};

class Driver {
 public:
  virtual ~Driver() = default;
  /// Errors: of the machine (no sandbox, no program); what the service does wrong shows in the instance.
  virtual task<Result<std::shared_ptr<Instance>>> start(StartRequest request) = 0;
  /// Ends what an earlier supervisor of this app left running; called once, before anything is started. `one`: a release of this driver;
  /// `app_files`: the folder of all releases' files.
  virtual task<void> clear(Release one, std::filesystem::path app_files);
  /// The release is removed from the books: with it what the driver keeps of it beside its files.
  virtual task<void> forget(Release release, std::filesystem::path files);
};

inline task<void> Driver::clear(Release /*one*/, std::filesystem::path /*app_files*/) {
  co_return;
}
inline task<void> Driver::forget(Release /*release*/, std::filesystem::path /*files*/) {
  co_return;
}

}  // namespace conductorai::infrastructure::releases
