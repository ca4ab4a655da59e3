#pragma once
// Kubectl: the cluster by the user's own kubectl, with the user's own credentials; what the kubernetes driver asks of it.

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "infrastructure/process/process.hpp"

namespace conductorai::infrastructure::releases {

/// Where a release lives; empty: as the user's kubectl is set.
struct ClusterPlace {
  std::string context, space;
  friend bool operator==(const ClusterPlace&, const ClusterPlace&) = default;
};

/// What it said. An answer that is not `ok` is the cluster's refusal, `why` its last words.
struct KubectlAnswer {
  bool ok = false;
  std::string out;
  std::string why;
  /// The lines of `out`: "deployment.apps/shop".
  [[nodiscard]] std::vector<std::string> names() const;
};

class Kubectl {
 public:
  using Say = std::function<void(std::string_view)>;

  /// Of `environment` it is given what it needs to find its configuration, the network's proxies, and the names in `more`.
  /// Errors: unavailable (not installed).
  static Result<Kubectl> find(runtime::Loop& loop, const std::map<std::string, std::string>& environment,
                              const std::vector<std::string>& more);

  /// `say`: is told the command and all that it prints; may be empty. Errors: unavailable (no cluster answers, no such context, not logged
  /// in, it does not end within `within`), cancelled.
  task<Result<KubectlAnswer>> ask(ClusterPlace place, std::vector<std::string> arguments, Milliseconds within, Say say) const;

 private:
  Kubectl(runtime::Loop& loop, std::string program, std::map<std::string, std::string> environment)
      : loop_(&loop), program_(std::move(program)), environment_(std::move(environment)) {}

  runtime::Loop* loop_;
  std::string program_;
  std::map<std::string, std::string> environment_;
};

}  // namespace conductorai::infrastructure::releases
