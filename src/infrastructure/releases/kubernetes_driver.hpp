#pragma once
// The `kubernetes` driver: the release's manifests, filled in and applied by kubectl; its rollouts are the verdict.

#include <map>
#include <memory>
#include <string>

#include "infrastructure/releases/platform_driver.hpp"
#include "runtime/loop.hpp"

namespace conductorai::infrastructure::releases {

/// `environment`: of the caller; kubectl gets a part of it (kubectl.hpp).
std::unique_ptr<PlatformDriver> make_kubernetes_driver(runtime::Loop& loop, std::map<std::string, std::string> environment);

}  // namespace conductorai::infrastructure::releases
