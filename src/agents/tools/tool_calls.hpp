#pragma once
// One tool call: checked, performed as a step, its result delimited and bounded.

#include "agents/tools/tool.hpp"

namespace conductorai::agents {

/// The result as the model sees it: a data block of at most about `bytes_shown`; what is longer is kept as an artifact and shown by its
/// head and tail. Errors: as PerformTool, and those of TaskContext::record.
task<Result<std::string>> perform_call(ToolSetting setting, ToolCall call, std::size_t bytes_shown);

/// One line: "read_file a.py".
std::string call_line(const ToolCall& call, std::size_t bytes_max);

}  // namespace conductorai::agents
