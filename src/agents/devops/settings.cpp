#include "agents/devops/settings.hpp"

#include <algorithm>
#include <array>

#include "agents/base/material.hpp"
#include "agents/base/with.hpp"
#include "agents/tools/tool_loop.hpp"
#include "core/document/words.hpp"
#include "core/json.hpp"

namespace conductorai::agents {
namespace {

constexpr std::array<std::string_view, 4> kTargets{"dockerfile", "ci", "compose", "kubernetes"};
constexpr std::int64_t kBundleBytesMax = std::int64_t{256} << 20;

Result<void> read_targets(const Value& list, DevopsSettings& settings) {
  settings.targets_named = true;
  for (const Value& item : *list.as_array()) {
    const std::string* name = item.as_string();
    if (name == nullptr || std::ranges::find(kTargets, *name) == kTargets.end())
      return fail(ErrorCode::invalid_argument, "no such target: " + core::to_json(item), "with.targets",
                  "known: dockerfile, ci, compose, kubernetes");
    if (std::ranges::find(settings.targets, *name) == settings.targets.end()) settings.targets.push_back(*name);
  }
  return {};
}

}  // namespace

std::vector<WithKey> devops_keys() {
  return {{.name = "targets",
           .type = WithKey::Type::array,
           .required = false,
           .description = "what must be there: dockerfile, ci, compose, kubernetes; left out: the first three are asked for",
           .allowed = {}},
          {.name = "write-files",
           .type = WithKey::Type::boolean,
           .required = false,
           .description = "false: ask no model, check and package what is there",
           .allowed = {}},
          {.name = "container-build",
           .type = WithKey::Type::boolean,
           .required = false,
           .description = "true: build Dockerfiles by podman or docker, outside the sandbox and with their network",
           .allowed = {}},
          {.name = "bundle-max",
           .type = WithKey::Type::text,
           .required = false,
           .description = "the most the files of the bundle may have in all, 256MiB where left out",
           .allowed = {}},
          instructions_key(),
          tools_key()};
}

Result<DevopsSettings> read_settings(const Object& with) {
  DevopsSettings settings{.targets = {}, .targets_named = false, .write_files = true, .bundle_bytes_max = kBundleBytesMax};
  if (const auto targets = with.find("targets"); targets != with.end())
    if (auto read = read_targets(targets->second, settings); !read) return fail(read.error());
  if (settings.targets.empty()) settings.targets.assign(kTargets.begin(), kTargets.begin() + 3);
  settings.write_files = flag_of(with, "write-files", true);
  settings.container_build = flag_of(with, "container-build", false);
  if (const std::string text = text_of(with, "bundle-max"); !text.empty()) {
    const auto bytes = core::document::parse_size(text);
    if (!bytes || *bytes <= 0)
      return fail(ErrorCode::invalid_argument, "expected a size like 256MiB, found '" + text + "'", "with.bundle-max");
    settings.bundle_bytes_max = *bytes;
  }
  return settings;
}

}  // namespace conductorai::agents
