#include "agents/base/command_record.hpp"

#include <algorithm>

#include "core/codec.hpp"
#include "core/json_codec.hpp"

namespace conductorai::agents {
namespace {

// The stored form: the contract's structs without their host paths.
struct StoredOutput {
  std::string head, tail;
  std::int64_t total_bytes = 0;
  bool truncated = false;
};
struct StoredCommand {
  int exit_code = -1;
  int signal = 0;
  std::optional<std::string> exceeded;
  StoredOutput out, err;
  std::int64_t duration_ms = 0;
  std::int64_t peak_rss_bytes = 0;
  std::string enforced_by;
  std::map<std::string, std::string> collected;
  std::map<std::string, Digest> collected_artifacts;
  std::vector<ArtifactRef> artifacts;
};
BOOST_DESCRIBE_STRUCT(StoredOutput, (), (head, tail, total_bytes, truncated))
BOOST_DESCRIBE_STRUCT(StoredCommand, (),
                      (exit_code, signal, exceeded, out, err, duration_ms, peak_rss_bytes, enforced_by, collected, collected_artifacts,
                       artifacts))

StoredOutput stored(const CapturedOutput& output) {
  return {output.head, output.tail, output.total_bytes, output.truncated};
}
CapturedOutput restored(StoredOutput output) {
  return {std::move(output.head), std::move(output.tail), output.total_bytes, output.truncated, {}};
}

std::string without(std::string text, const std::vector<std::string>& volatile_names) {
  for (std::size_t i = 0; i < volatile_names.size(); ++i) {
    const std::string& name = volatile_names[i];
    if (name.empty()) continue;
    const std::string token = "<" + std::to_string(i) + ">";
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + token.size())) text.replace(at, name.size(), token);
  }
  return text;
}

}  // namespace

std::string error_body(const Error& error) {
  return core::to_json(Object{{"error", Object{{"code", to_string(error.code)}, {"message", error.message}}}});
}

std::string command_digest(const CommandRequest& request, const std::string& tree, const std::vector<std::string>& volatile_names) {
  Array argv;
  for (const std::string& argument : request.argv) argv.emplace_back(without(argument, volatile_names));
  Object environment;
  for (const auto& [name, value] : request.environment) environment.emplace(name, without(value, volatile_names));
  Object asked{{"argv", std::move(argv)},
               {"shell", without(request.shell, volatile_names)},
               {"folder", request.working_subdirectory},
               {"environment", std::move(environment)},
               {"network", request.network},
               {"tree", tree}};
  return "sha256:" + core::sha256_hex(core::to_json(std::move(asked)));
}

std::string encode(const CommandRecord& record) {
  const CommandResult& result = record.outcome.result;
  return core::write_json(StoredCommand{.exit_code = result.exit_code,
                                        .signal = result.signal,
                                        .exceeded = result.exceeded,
                                        .out = stored(result.out),
                                        .err = stored(result.err),
                                        .duration_ms = result.duration_ms,
                                        .peak_rss_bytes = result.peak_rss_bytes,
                                        .enforced_by = result.enforced_by,
                                        .collected = record.outcome.collected,
                                        .collected_artifacts = record.collected_artifacts,
                                        .artifacts = record.outcome.artifacts});
}

Result<CommandRecord> decode_command_record(std::string_view json) {
  auto stored_command = core::read_json<StoredCommand>(json);
  if (!stored_command) return fail(ErrorCode::data_corrupted, "a recorded command does not read: " + stored_command.error().message);
  CommandRecord record;
  CommandResult& result = record.outcome.result;
  result.exit_code = stored_command->exit_code;
  result.signal = stored_command->signal;
  result.exceeded = stored_command->exceeded;
  result.out = restored(std::move(stored_command->out));
  result.err = restored(std::move(stored_command->err));
  result.duration_ms = stored_command->duration_ms;
  result.peak_rss_bytes = stored_command->peak_rss_bytes;
  result.enforced_by = std::move(stored_command->enforced_by);
  record.outcome.collected = std::move(stored_command->collected);
  record.outcome.artifacts = std::move(stored_command->artifacts);
  record.collected_artifacts = std::move(stored_command->collected_artifacts);
  return record;
}

}  // namespace conductorai::agents
