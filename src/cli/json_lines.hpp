#pragma once
// The lines of `--json`: their keys and order are what users script against.

#include <string>

#include "conductorai/conductorai.hpp"

namespace conductorai::cli {

/// {"type":"event","workflow_id",…}; no line break at the end.
std::string event_line(const EventRecord& record);
/// {"type":"result",…}: the last line of run, resume, status and watch.
std::string result_line(const WorkflowView& view);
/// {"type":"workflow",…}: one line of list.
std::string summary_line(const WorkflowSummary& summary);
std::string artifact_line(const ArtifactRecord& record);

/// Builds one object, keys in the order they are added.
class JsonLine {
 public:
  JsonLine& text(std::string_view key, std::string_view value);
  JsonLine& text_or_null(std::string_view key, std::string_view value);  // null when empty
  JsonLine& number(std::string_view key, std::int64_t value);
  JsonLine& real(std::string_view key, double value);
  JsonLine& flag(std::string_view key, bool value);
  JsonLine& raw(std::string_view key, std::string_view json);
  [[nodiscard]] std::string str() const { return out_.empty() ? "{}" : out_ + "}"; }

 private:
  std::string& key(std::string_view name);
  std::string out_;
};

}  // namespace conductorai::cli
