#pragma once
// The runner shims: small programs of ours that run a suite inside the sandbox and write the report, embedded in the binary.

#include <map>
#include <string_view>

namespace conductorai::evidence {

/// File name → source text. Written to a folder that the sandbox mounts read-only (Toolchain, CONDUCTORAI_SHIMS).
const std::map<std::string_view, std::string_view>& shims();

}  // namespace conductorai::evidence
