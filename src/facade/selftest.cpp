#include "facade/selftest.hpp"

#include <stdlib.h>

#include <filesystem>

#include "infrastructure/sandbox/sandboxes.hpp"
#include "infrastructure/sandbox/selftest.hpp"
#include "runtime/loop.hpp"
#include "runtime/scope.hpp"

namespace conductorai::facade {

Result<std::vector<ProbeResult>> sandbox_selftest() {
  std::string folder = (std::filesystem::temp_directory_path() / "conductorai-selftest-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return fail(ErrorCode::unavailable, "no folder for the selftest can be made", folder);
  runtime::Loop loop;
  const infrastructure::SandboxOptions options{.state_dir = folder};
  auto sandbox = infrastructure::make_bubblewrap_sandbox(loop, options);
  auto probed = runtime::run_to_end(loop, infrastructure::selftest(*sandbox, options));
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (!probed) return fail(probed.error());
  std::vector<ProbeResult> results;
  for (auto& probe : *probed) results.push_back({std::move(probe.probe), probe.denied, std::move(probe.detail)});
  return results;
}

}  // namespace conductorai::facade
