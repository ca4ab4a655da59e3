#pragma once
// What is wrong with a Dockerfile before anyone builds it.

#include <string>
#include <string_view>

#include "agents/devops/checks.hpp"

namespace conductorai::agents {

/// Its syntax: instructions, flags, exec forms, stages and references to them. What a build would find besides stays open, and `depth`
/// says so.
FileCheck check_dockerfile(std::string path, std::string_view content);

}  // namespace conductorai::agents
