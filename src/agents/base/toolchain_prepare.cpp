// How a project's dependencies are fetched: once for the same lock files, from files that were accepted, and else by each attempt for
// itself.

#include "agents/base/toolchain_run.hpp"
#include "core/codec.hpp"
#include "evidence/dependency_files.hpp"

namespace conductorai::agents {

struct ToolchainRun::Fetch {
  std::filesystem::path shared, own;                       // folders that keep it: for all attempts (empty: none), for this one
  std::map<std::string, std::optional<std::string>> ours;  // dependency files that the attempt changed; nullopt: removed
  bool changed = false;                                    // any file was
};

/// Errors: unsupported (nothing is kept), and those of the workspace.
task<Result<ToolchainRun::Fetch>> ToolchainRun::plan_fetch(Workspace& workspace) {
  if (!context_.assignment().workflow->sandbox.enabled)
    co_return fail(ErrorCode::unsupported, "without a sandbox nothing lies at the same place twice");
  auto changes = co_await workspace.changes();
  if (!changes) co_return fail(changes.error());
  Fetch fetch{.changed = !changes->empty()};
  for (const auto& [path, change] : *changes)
    if (change == 'D' && evidence::is_dependency_file(path)) fetch.ours.emplace(path, std::nullopt);
  const std::vector<std::string> files = evidence::dependency_files(files_);
  std::string key = toolchain_.prepare;
  bool pinned = !files.empty();
  for (const std::string& file : files) {
    auto content = co_await workspace.read(file);
    if (!content && content.error().code != ErrorCode::resource_exhausted) co_return fail(content.error());
    pinned = pinned && content;
    if (!content) continue;  // too large to be read
    key += '\0' + file + '\0' + core::sha256_hex(*content);
    if (changes->contains(file)) fetch.ours.emplace(file, std::move(*content));
  }
  if (!pinned) {  // any file may say what is fetched
    auto tree = co_await workspace.snapshot();
    if (!tree) co_return fail(tree.error());
    key += '\0' + *tree;
  }
  auto own = context_.cache_folder(key, false);
  if (!own) co_return fail(own.error());
  fetch.own = std::move(*own);
  if (!pinned) co_return fetch;
  if (auto shared = context_.cache_folder(key, true)) fetch.shared = std::move(*shared);
  co_return fetch;
}

void ToolchainRun::add_cache(const Fetch& fetch, Keep keep, std::map<std::string, std::string>& environment,
                             std::vector<Mount>& mounts) const {
  const std::int64_t disk = context_.assignment().workflow->sandbox.disk_bytes;
  environment["CONDUCTORAI_PREPARE"] = toolchain_.prepare;
  environment["CONDUCTORAI_DISK"] = std::to_string(disk);
  environment["CONDUCTORAI_CACHE"] = fetch.shared.string();
  environment["CONDUCTORAI_OWN_CACHE"] = keep == Keep::shared ? "" : fetch.own.string();
  if (!fetch.shared.empty()) mounts.push_back({fetch.shared, fetch.shared, keep == Keep::shared});
  if (keep != Keep::shared) mounts.push_back({fetch.own, fetch.own, keep == Keep::own});
}

std::string ToolchainRun::prepare_script(const std::string& mode) {
  return "/bin/sh \"$CONDUCTORAI_SHIMS/prepare.sh\" \"$CONDUCTORAI_CACHE\" \"$CONDUCTORAI_OWN_CACHE\" " + mode;
}

ToolchainRun::Command ToolchainRun::fetch_command(const Fetch& fetch, Keep keep) const {
  Command command{.name = "fetch", .label = "fetching dependencies", .shell = prepare_script("fetch"), .network = true};
  add_cache(fetch, keep, command.environment, command.mounts);
  return command;
}

// Others may only be given what was fetched from files that were accepted: a script that an attempt changed could plant something that
// outlives it. So its changes are put aside, but for the files that the fetch is known by.
task<Result<ToolchainOutcome>> ToolchainRun::fetch_from_accepted(Workspace& workspace, const Fetch& fetch) {
  auto present = co_await workspace.snapshot();
  if (!present) co_return fail(present.error());
  auto put_aside = co_await workspace.restore(workspace.base());
  for (auto file = fetch.ours.begin(); put_aside && file != fetch.ours.end(); ++file) {
    auto changed = file->second ? workspace.write(file->first, *file->second) : workspace.remove(file->first);
    put_aside = co_await std::move(changed);
  }
  if (!put_aside) co_return fail(put_aside.error());
  auto fetched = co_await run(fetch_command(fetch, Keep::shared));
  if (!fetched) co_return fail(fetched.error());
  auto restored = co_await workspace.restore(std::move(*present));
  if (!restored) co_return fail(restored.error());
  co_return fetched;
}

/// Where it fails without the attempt's own changes it may need them.
task<Result<ToolchainOutcome>> ToolchainRun::fetch(Workspace& workspace, const Fetch& fetch) {
  if (!fetch.shared.empty()) {
    auto work = fetch.changed ? fetch_from_accepted(workspace, fetch) : run(fetch_command(fetch, Keep::shared));
    auto fetched = co_await std::move(work);
    if (!fetched || fetched->result().ok() || !fetch.changed) co_return fetched;
  }
  auto fetched = co_await run(fetch_command(fetch, Keep::own));
  co_return fetched;
}

task<Result<std::optional<ToolchainOutcome>>> ToolchainRun::prepare() {
  if (toolchain_.prepare.empty()) co_return std::nullopt;
  if (!fetches_dependencies(toolchain_, *context_.assignment().workflow)) {
    context_.progress("not fetching dependencies (" + toolchain_.prepare + "): sandbox.network is none");
    co_return std::nullopt;
  }
  auto workspace = co_await context_.workspace();
  if (!workspace) co_return fail(workspace.error());
  Command command{.name = "prepare", .label = "fetching dependencies", .shell = toolchain_.prepare, .network = true};
  auto plan = co_await plan_fetch(**workspace);
  if (!plan && plan.error().code != ErrorCode::unsupported) co_return fail(plan.error());
  if (plan) {
    const bool accepted = !plan->changed && !plan->shared.empty();
    if (!accepted) {
      auto fetched = co_await fetch(**workspace, *plan);
      if (!fetched) co_return fail(fetched.error());
      if (!fetched->result().ok()) co_return std::move(*fetched);
      command.label = "laying out dependencies";
    }
    command.shell = prepare_script();
    add_cache(*plan, accepted ? Keep::shared : Keep::own, command.environment, command.mounts);
  }
  auto prepared = co_await run_kept(std::move(command));
  if (!prepared) co_return fail(prepared.error());
  co_return std::move(*prepared);
}

// They are laid out by the command itself: a step between that is done again after a crash would move all that come after it, and an answer
// of a model among them would be bought again.
task<Result<std::optional<ToolchainOutcome>>> ToolchainRun::prepare_for(CommandRequest& request) {
  auto workspace = co_await context_.workspace();
  if (!workspace) co_return fail(workspace.error());
  equip(request);
  auto plan = co_await plan_fetch(**workspace);
  if (!plan && plan.error().code != ErrorCode::unsupported) co_return fail(plan.error());
  if (!plan) {
    request.shell = "(\n" + toolchain_.prepare + "\n) >&2\n" + request.shell;
    co_return std::nullopt;
  }
  auto fetched = co_await fetch(**workspace, *plan);
  if (!fetched) co_return fail(fetched.error());
  add_cache(*plan, Keep::nowhere, request.environment, request.mounts);
  request.shell = prepare_script("lay") + "\n" + request.shell;
  if (fetched->result().ok()) co_return std::nullopt;
  co_return std::move(*fetched);
}

}  // namespace conductorai::agents
