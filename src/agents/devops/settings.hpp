#pragma once
// The keys of a devops task's `with`.

#include <cstdint>
#include <string>
#include <vector>

#include "conductorai/base_agent.hpp"

namespace conductorai::agents {

struct DevopsSettings {
  std::vector<std::string> targets;   // dockerfile, ci, compose, kubernetes; each must be there when it is named
  bool targets_named = false;         // else: what is asked for, and nothing is demanded
  bool write_files = true;            // false: package what is there, ask no model
  bool container_build = false;       // the user's consent to build Dockerfiles outside the sandbox
  std::int64_t bundle_bytes_max = 0;  // of the files that go into the bundle
};

std::vector<WithKey> devops_keys();
/// Errors: invalid_argument naming the key.
Result<DevopsSettings> read_settings(const Object& with);

}  // namespace conductorai::agents
