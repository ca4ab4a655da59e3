#pragma once
// The calls of a supervisor as they travel: {"call":"stop","id":"…","reason":"…"} and {"ok":…} or {"error":{…}}.

#include <string>
#include <vector>

#include "infrastructure/releases/app_supervisor.hpp"

namespace conductorai::infrastructure::releases {

struct Call {
  std::string call;  // deploy, reject, rollback, stop, workflow_ended, get, list
  std::string id, reason;
  std::string workflow, status;
  std::string release;  // deploy: a Release as JSON text
  std::string files;    // deploy: where its files are now
};
std::string to_json(const Call& call);

/// Performs one call; the line for the caller.
task<std::string> answer_call(AppSupervisor& app, std::string line);

Result<ReleaseInfo> read_info(std::string_view answer);
Result<std::vector<ReleaseInfo>> read_infos(std::string_view answer);
Result<void> read_done(std::string_view answer);

}  // namespace conductorai::infrastructure::releases
