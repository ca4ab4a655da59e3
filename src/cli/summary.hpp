#pragma once
// A workflow for people: what ended how, where the result is and how to look at it.

#include <filesystem>
#include <string>

#include "conductorai/conductorai.hpp"

namespace conductorai::cli {

/// The closing table of run, resume and watch, and what `status` prints. `state_dir` empty: state was kept in memory and is gone, so no
/// command can look at it.
std::string summary_text(const WorkflowView& view, const std::filesystem::path& state_dir, std::size_t width, bool colors);

/// The same on standard output, or the view as a line of JSON.
void print_view(const WorkflowView& view, const std::filesystem::path& state_dir, bool json);

/// "calls 9, tokens 1234 in 567 out"
std::string usage_text(const Usage& usage);

}  // namespace conductorai::cli
