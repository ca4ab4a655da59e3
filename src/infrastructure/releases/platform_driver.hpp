#pragma once
// PlatformDriver: releases whose processes belong to somebody else: a platform that is told by commands. No supervisor of ours is needed;
// what is left to do is to say it once, to look, and to write it down (platform_releases.hpp).

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "conductorai/task.hpp"
#include "infrastructure/releases/app_state.hpp"
#include "infrastructure/releases/service_log.hpp"

namespace conductorai::infrastructure::releases {

/// A release and where it is kept.
struct Carried {
  Release release;
  std::filesystem::path files;  // its own, the sandbox's user's
  std::filesystem::path kept;   // the folder of its log, ours alone
};

/// What one thing done to a release is about.
struct PlatformJob : Carried {
  std::optional<Carried> before;  // the release that it follows, or gives way to
  std::shared_ptr<ServiceLog> log;
};

/// What the platform says to it.
struct PlatformAnswer {
  bool done = false;
  std::string why;      // not
  std::string url;      // where the release answers, when it was told
  bool touched = true;  // false: nothing was changed, so there is nothing to take back
};

/// Whether a release runs, as its platform tells.
struct PlatformLook {
  std::optional<bool> alive;  // nothing: it cannot be told
  std::string why;            // not, or not told
};

/// Everything may be repeated after a crash, and must bear it. Errors: of this machine (no sandbox, no program), cancelled; what the
/// platform refuses is an answer.
class PlatformDriver {
 public:
  virtual ~PlatformDriver() = default;
  /// Errors: invalid_argument naming the key of `with`.
  [[nodiscard]] virtual Result<void> check(const Release& release) const = 0;
  virtual task<Result<PlatformAnswer>> deploy(PlatformJob job) = 0;
  /// `job.release` is healthy and about to serve: what only the one before had is removed.
  virtual task<Result<PlatformAnswer>> settle(PlatformJob job);
  /// From `job.release` to the one before.
  virtual task<Result<PlatformAnswer>> roll_back(PlatformJob job) = 0;
  /// Null: this release cannot be gone back from, or stopped.
  [[nodiscard]] virtual bool can_roll_back(const Release& release) const = 0;
  [[nodiscard]] virtual bool can_stop(const Release& release) const = 0;
  virtual task<Result<PlatformAnswer>> stop(PlatformJob job) = 0;
  /// Changes nothing and logs nothing.
  virtual task<Result<PlatformLook>> look(Carried one) = 0;
};

inline task<Result<PlatformAnswer>> PlatformDriver::settle(PlatformJob /*job*/) {
  co_return PlatformAnswer{.done = true, .why = {}, .url = {}};
}

}  // namespace conductorai::infrastructure::releases
