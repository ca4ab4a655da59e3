// For tests: `release_tool STATE_DIR CALL ARGUMENT…` performs one call of the port and prints its answer, or the error with exit code 1.
//   deploy JSON FILES   (a request as in state.json) · reject ID REASON · rollback ID · stop ID REASON · get ID · logs ID · list
//   ended WORKFLOW STATUS
#include <cstdio>
#include <string>

#include "core/json.hpp"
#include "infrastructure/releases/app_state.hpp"
#include "infrastructure/releases/supervised_releases.hpp"
#include "infrastructure/releases/supervisor_process.hpp"
#include "infrastructure/sandbox/sandbox_exec.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure::releases {
namespace {

constexpr std::int64_t kLogBytes = 64 << 10;

ReleaseRequest request_of(const Release& release, const std::string& files) {
  return {.id = release.id,
          .app = release.app,
          .environment = release.environment,
          .driver = release.driver,
          .workflow = release.workflow,
          .version = release.version,
          .files = files,
          .run = release.run,
          .port = release.port,
          .health = release.health,
          .limits = release.limits,
          .variables = release.variables,
          .with = release.with};
}

int told(const Error& error) {
  std::printf("%s\n", core::to_json(Object{{"error", to_string(error.code)}, {"message", to_string(error)}}).c_str());
  return 1;
}

int told(const Result<ReleaseInfo>& info) {
  if (!info) return told(info.error());
  std::printf("%s\n", to_json(*info).c_str());
  return 0;
}

int perform(const std::string& state_dir, const std::string& call, const std::string& first, const std::string& second) {
  runtime::Loop loop;
  const auto releases = make_release_manager(loop, {.state_dir = state_dir});
  if (call == "deploy") {
    auto release = release_from_json(first);
    if (!release) return told(release.error());
    return told(runtime::run_to_end(loop, releases->deploy(request_of(*release, second))));
  }
  if (call == "reject") return told(runtime::run_to_end(loop, releases->reject(first, second)));
  if (call == "rollback") return told(runtime::run_to_end(loop, releases->rollback(first)));
  if (call == "stop") return told(runtime::run_to_end(loop, releases->stop(first, second)));
  if (call == "get") return told(runtime::run_to_end(loop, releases->get(first)));
  if (call == "logs") {
    auto text = runtime::run_to_end(loop, releases->logs(first, kLogBytes));
    if (!text) return told(text.error());
    std::printf("%s\n", core::to_json(Object{{"text", *text}}).c_str());
    return 0;
  }
  if (call == "ended") {
    const auto status = second == "COMPLETED" ? WorkflowStatus::completed : WorkflowStatus::failed;
    auto done = runtime::run_to_end(loop, releases->workflow_ended(WorkflowId(first), status));
    return done ? 0 : told(done.error());
  }
  auto infos = runtime::run_to_end(loop, releases->list());
  if (!infos) return told(infos.error());
  for (const auto& info : *infos) std::printf("%s\n", to_json(info).c_str());
  return 0;
}

}  // namespace
}  // namespace conductorai::infrastructure::releases

int main(int argc, char** argv) {
  namespace infrastructure = conductorai::infrastructure;
  if (infrastructure::is_sandbox_exec(argc, argv)) return infrastructure::sandbox_exec_main(argc, argv);
  if (infrastructure::releases::is_release_exec(argc, argv)) return infrastructure::releases::release_exec_main(argc, argv);
  if (argc < 3) return 2;
  return infrastructure::releases::perform(argv[1], argv[2], argc > 3 ? argv[3] : "", argc > 4 ? argv[4] : "");
}
