#pragma once
// Journal rows and engine commands as bytes (docs/formats/journal.md).

#include <string>
#include <string_view>
#include <vector>

#include "conductorai/events.hpp"
#include "conductorai/result.hpp"
#include "conductorai/time.hpp"
#include "core/decide.hpp"

namespace conductorai::core {

struct RowHeader {
  WorkflowId workflow;
  std::uint64_t first_seq = 1;
  Timestamp at{};
  std::uint64_t epoch = 1;
  std::string prev_sha256;  // of the body of the row before; empty for the first
};
struct Row {
  RowHeader header;
  std::vector<Event> events;
};

/// What a row's text begins with, up to `prev_sha256`: all that is known of it without looking into it.
std::string row_beginning(const WorkflowId& workflow, std::uint64_t first_seq, Timestamp at, std::uint64_t epoch);
std::string encode_row(const RowHeader& header, const std::vector<Event>& events);
/// Upcasts older versions. Errors: data_corrupted (not our format), unsupported (unknown tag or newer version: names it).
Result<Row> decode_row(std::string_view body);

/// "task.completed"
std::string_view event_tag(const Event& event);
int event_version(const Event& event);
std::string encode_payload(const Event& event);  // JSON

std::string encode_command(const Command& command);  // those that may stand in the inbox
Result<Command> decode_command(std::string_view body);

std::string encode_definition(const WorkflowDefinition& definition);
Result<WorkflowDefinition> decode_definition(std::string_view json);
std::string encode_task_result(const TaskResult& result);
Result<TaskResult> decode_task_result(std::string_view json);

std::string sha256_hex(std::string_view bytes);

}  // namespace conductorai::core
