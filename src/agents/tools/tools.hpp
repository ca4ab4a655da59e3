#pragma once
// The tools themselves, a file each.

#include "agents/tools/tool.hpp"

namespace conductorai::agents {

Tool list_files_tool();
Tool read_file_tool();
Tool search_tool();
Tool write_file_tool();
Tool apply_patch_tool();
Tool run_command_tool();

}  // namespace conductorai::agents
