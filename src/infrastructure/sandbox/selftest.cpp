#include "infrastructure/sandbox/selftest.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/read_text.hpp"
#include "infrastructure/process/work_area.hpp"
#include "infrastructure/sandbox/probes.hpp"
#include "infrastructure/sandbox/selftest_prey.hpp"

namespace conductorai::infrastructure {

namespace fs = std::filesystem;

namespace {

constexpr const char* kGitFile = "gitdir: /nowhere/conductorai-selftest\n";

/// What a greedy probe is to be stopped by, and how soon.
struct Stop {
  const char* probe;
  const char* limit;  // in CommandResult::exceeded; empty: none, the probe ends by itself
};
constexpr Stop kStops[] = {{"fork-bomb", "processes"},
                           {"memory-bomb", "memory"},
                           {"fill-workspace", "disk"},
                           {"fill-tmp", "disk"},
                           {"flood-output", "output"},
                           {"ignore-signals", "wall"},
                           {"daemon", ""}};

const Stop* stop_of(const std::string& probe) {
  const auto* const found = std::find_if(std::begin(kStops), std::end(kStops), [&](const Stop& stop) { return probe == stop.probe; });
  return found == std::end(kStops) ? nullptr : found;
}

SandboxDefinition small_limits(const std::string& probe) {
  SandboxDefinition limits;
  limits.memory_bytes = 512 << 20;  // the probes run in this very program, which a sanitizer makes large
  limits.processes = 32;
  limits.disk_bytes = 32 << 20;
  limits.output_bytes = 1 << 20;
  limits.wall = Milliseconds(probe == "ignore-signals" ? 500 : 20'000);
  return limits;
}

/// The grounds of one selftest: a folder in the work area with the attacking program and a workspace.
struct Ground {
  fs::path root;
  WorkArea area;

  ~Ground() {
    std::error_code ignored;
    if (!root.empty()) fs::remove_all(root, ignored);
  }
  [[nodiscard]] fs::path program() const { return root / "probe"; }
  [[nodiscard]] fs::path workspace() const { return root / "workspace"; }

  /// Copied, because the sandbox's user may have no way to where we were installed.
  Result<void> prepare(const SandboxOptions& options) {
    auto made = make_work_area(options.state_dir);
    if (!made) return fail(made.error());
    area = *made;
    root = area.root / ("selftest-" + std::to_string(::getpid()));
    std::error_code error;
    fs::remove_all(root, error);
    fs::create_directories(root, error);
    if (!error) fs::copy_file(options.helper, program(), error);
    if (!error) fs::permissions(program(), fs::perms(0755), error);
    if (error) return fail(ErrorCode::resource_exhausted, "cannot prepare the selftest: " + error.message(), root.string());
    return give_to(area, root);
  }
  Result<void> fresh_workspace() const {
    std::error_code error;
    fs::remove_all(workspace(), error);
    fs::create_directories(workspace(), error);
    std::ofstream(workspace() / ".git") << kGitFile;
    return give_to(area, workspace());
  }
  [[nodiscard]] bool git_untouched() const { return read_text(workspace() / ".git") == kGitFile; }
};

std::string first_line(const std::string& text) {
  return text.substr(0, std::min<std::size_t>(text.find('\n'), 300));
}

/// The probe's own words, when it came to its end and said `word`.
std::optional<std::string> said(const CommandResult& result, std::string_view word, int exit_code) {
  const std::string line = first_line(result.out.head);
  if (result.signal != 0 || result.exceeded || result.exit_code != exit_code || !line.starts_with(word)) return std::nullopt;
  return line.substr(word.size());
}

/// A greedy probe is stopped by its limit, or finds for itself that there is no more.
ProbeResult judge(const std::string& probe, const CommandResult& result) {
  ProbeResult verdict{.probe = probe, .denied = true, .detail = {}};
  const Stop* stop = stop_of(probe);
  if (stop != nullptr && result.exceeded && *result.exceeded == stop->limit) {
    verdict.detail = "stopped by the " + *result.exceeded + " limit after " + std::to_string(result.duration_ms) + " ms";
  } else if (const auto why = said(result, kDeniedWord, 1)) {
    verdict.detail = *why;
  } else {
    const auto how = said(result, kEscapedWord, 0);
    verdict.denied = false;
    verdict.detail = how ? *how : "could not be tried: " + result.describe() + " " + first_line(result.err.head);
  }
  return verdict;
}

/// The outside has the last word.
void look_outside(ProbeResult& verdict, const Prey& prey, const Ground& ground, const std::string& marker) {
  std::string evidence = prey.touched();
  if (evidence.empty() && !ground.git_untouched()) evidence = "the workspace's .git was changed";
  if (evidence.empty() && processes_with(marker) > 0) evidence = "a process of the probe is still running";
  if (evidence.empty()) return;
  verdict.denied = false;
  verdict.detail += (verdict.detail.empty() ? "" : "; ") + evidence;
}

SandboxCommand command_of(const std::string& probe, const Sandbox& sandbox, const Ground& ground, const Prey& prey,
                          const std::string& marker) {
  const fs::path inside = sandbox.name() == "none" ? ground.program() : fs::path("/run/conductorai-probe");
  SandboxCommand command;
  command.argv = {inside, "__sandbox-probe", probe, marker};
  command.workspace = ground.workspace();
  command.environment = prey.variables();
  command.mounts = {{ground.program(), inside, false}};
  command.limits = small_limits(probe);
  return command;
}

task<Result<ProbeResult>> attempt(Sandbox& sandbox, const Ground& ground, const Prey& prey, std::string probe) {
  if (auto fresh = ground.fresh_workspace(); !fresh) co_return fail(fresh.error());
  const std::string marker = "conductorai-probe-" + std::to_string(::getpid()) + "-" + probe;
  auto result = co_await sandbox.run(command_of(probe, sandbox, ground, prey, marker));
  if (!result) co_return fail(result.error());
  for (const auto& file : {result->out.file, result->err.file}) {
    std::error_code ignored;
    if (!file.empty()) fs::remove(file, ignored);
  }
  ProbeResult verdict = judge(probe, *result);
  look_outside(verdict, prey, ground, marker);
  co_return verdict;
}

}  // namespace

std::vector<std::string> probe_names() {
  std::vector<std::string> names;
  for (const ProbeTable& table : {file_probes(), process_probes(), network_probes(), kernel_probes(), greedy_probes()})
    for (const auto& entry : table) names.emplace_back(entry.first);
  return names;
}

task<Result<std::vector<ProbeResult>>> selftest(Sandbox& sandbox, SandboxOptions options, std::vector<std::string> only,
                                                std::function<void(const ProbeResult&)> on_result) {
  Ground ground;
  if (auto prepared = ground.prepare(options); !prepared) co_return fail(prepared.error());
  std::vector<ProbeResult> results;
  for (const auto& probe : probe_names()) {
    if (!only.empty() && std::find(only.begin(), only.end(), probe) == only.end()) continue;
    // New prey each time: one that was caught tells nothing about the next probe.
    auto prey = Prey::put_up(ground.area.drops_privileges ? std::optional(RunAs{ground.area.uid, ground.area.gid}) : std::nullopt);
    if (!prey) co_return fail(prey.error());
    auto result = co_await attempt(sandbox, ground, **prey, probe);
    if (!result) co_return fail(result.error());
    if (on_result) on_result(*result);
    results.push_back(std::move(*result));
  }
  co_return results;
}

}  // namespace conductorai::infrastructure
