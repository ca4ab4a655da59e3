#pragma once
// A command as a step of the ledger: what names it and what is remembered of it.

#include <map>
#include <string>
#include <vector>

#include "conductorai/sandbox.hpp"
#include "conductorai/task_context.hpp"

namespace conductorai::agents {

/// Digest of argv, environment, folder, limits that change the outcome, and the tree it runs on. Host paths and the random names of
/// scratch folders (`volatile_names`) are taken out, so an attempt taken up again asks the same.
std::string command_digest(const CommandRequest& request, const std::string& tree, const std::vector<std::string>& volatile_names);

/// What a step that gave no answer leaves.
std::string error_body(const Error& error);

/// On record, collected files go by their place in `CommandRequest::collect`; `collected_artifacts`: those that are not inline.
struct CommandRecord {
  CommandOutcome outcome;
  std::map<std::string, Digest> collected_artifacts;
};
std::string encode(const CommandRecord& record);
Result<CommandRecord> decode_command_record(std::string_view json);

/// Reads a regular file inside one of the writable mounts; neither the file nor a folder on the way may be a symlink, since the command
/// could have planted it. Absent: nullopt. More than `bytes_max` is cut.
std::optional<std::string> collect_file(const std::vector<Mount>& mounts, const std::filesystem::path& file, std::int64_t bytes_max);

}  // namespace conductorai::agents
