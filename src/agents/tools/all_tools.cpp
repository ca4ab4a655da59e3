#include "agents/tools/tools.hpp"

namespace conductorai::agents {

const std::vector<Tool>& all_tools() {
  static const std::vector<Tool> tools{list_files_tool(), read_file_tool(),   search_tool(),
                                       write_file_tool(), apply_patch_tool(), run_command_tool()};
  return tools;
}

}  // namespace conductorai::agents
