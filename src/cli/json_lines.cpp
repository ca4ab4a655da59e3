#include "cli/json_lines.hpp"

#include "core/json.hpp"

namespace conductorai::cli {

std::string& JsonLine::key(std::string_view name) {
  out_ += out_.empty() ? '{' : ',';
  core::append_json_string(out_, name);
  return out_ += ':';
}
JsonLine& JsonLine::text(std::string_view name, std::string_view value) {
  core::append_json_string(key(name), value);
  return *this;
}
JsonLine& JsonLine::text_or_null(std::string_view name, std::string_view value) {
  return value.empty() ? raw(name, "null") : text(name, value);
}
JsonLine& JsonLine::number(std::string_view name, std::int64_t value) {
  return raw(name, std::to_string(value));
}
JsonLine& JsonLine::real(std::string_view name, double value) {
  core::append_json(key(name), Value(value));
  return *this;
}
JsonLine& JsonLine::flag(std::string_view name, bool value) {
  return raw(name, value ? "true" : "false");
}
JsonLine& JsonLine::raw(std::string_view name, std::string_view json) {
  key(name) += json;
  return *this;
}

namespace {

std::string evidence_json(const Evidence& evidence) {
  JsonLine out;
  out.text("kind", evidence.kind);
  if (evidence.value) out.number("value", *evidence.value);
  if (evidence.passed) out.number("passed", *evidence.passed);
  if (evidence.failed) out.number("failed", *evidence.failed);
  if (evidence.skipped) out.number("skipped", *evidence.skipped);
  return out.text_or_null("artifact", evidence.artifact.str()).str();
}

template <class List, class Write>
std::string list_json(const List& items, Write write) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ',';
    out += write(item);
  }
  return out + "]";
}

std::string text_json(const std::string& text) {
  std::string out;
  core::append_json_string(out, text);
  return out;
}

std::string task_json(const TaskView& task) {
  return JsonLine()
      .text("agent", task.agent.str())
      .text_or_null("agent_id", task.agent_id.str())
      .text("status", to_string(task.status))
      .number("round", task.round)
      .number("attempts", task.attempts)
      .text("verdict", to_string(task.verdict))
      .raw("evidence", list_json(task.evidence, evidence_json))
      .str();
}

std::string usage_json(const Usage& usage) {
  return JsonLine()
      .number("calls", usage.calls)
      .number("input_tokens", usage.input_tokens)
      .number("output_tokens", usage.output_tokens)
      .number("cached_calls", usage.cached_calls)
      .number("unknown_calls", usage.unknown_calls)
      .real("usd", static_cast<double>(usage.usd_micros) / 1e6)
      .str();
}

std::string release_json(const ReleaseInfo& release) {
  return JsonLine()
      .text("id", release.id)
      .text_or_null("url", release.url)
      .text("state", to_string(release.state))
      .text_or_null("version", release.version)
      .text("environment", release.environment)
      .text("driver", release.driver)
      .text_or_null("reason", release.reason)
      .str();
}

std::string fork_json(const WorkflowForked& forked) {
  return JsonLine()
      .text("workflow_id", forked.workflow.str())
      .number("seq", static_cast<std::int64_t>(forked.seq))
      .raw("tasks", list_json(forked.tasks, [](const TaskId& id) { return text_json(id.str()); }))
      .str();
}

}  // namespace

std::string event_line(const EventRecord& record) {
  return JsonLine()
      .text("type", "event")
      .text("workflow_id", record.workflow.str())
      .number("seq", static_cast<std::int64_t>(record.seq))
      .text("at", core::to_iso8601(record.at))
      .text("event", record.event)
      .number("v", record.version)
      .raw("payload", record.payload.empty() ? "{}" : record.payload)
      .str();
}

std::string result_line(const WorkflowView& view) {
  JsonLine tasks;
  for (const auto& task : view.tasks) tasks.raw(task.id.str(), task_json(task));
  const std::string workspace =
      JsonLine().text_or_null("branch", view.branch).text_or_null("commit", view.commit).text_or_null("tree", view.tree).str();
  JsonLine line;
  line.text("type", "result")
      .text("workflow_id", view.id.str())
      .text("name", view.name)
      .text("status", to_string(view.status))
      .text("phase", to_string(view.phase))
      .number("rounds", view.rounds)
      .number("feedback_loops", view.feedback_loops)
      .raw("tasks", tasks.str())
      .raw("usage", usage_json(view.usage))
      .raw("workspace", workspace)
      .raw("release", view.release ? release_json(*view.release) : "null")
      .raw("warnings", list_json(view.warnings, text_json))
      .text_or_null("owner", view.owner)
      .text_or_null("reason", view.reason)
      .real("duration_s", static_cast<double>(view.duration_ms) / 1e3);
  if (view.forked_from) line.raw("forked_from", fork_json(*view.forked_from));
  return line.str();
}

std::string summary_line(const WorkflowSummary& summary) {
  return JsonLine()
      .text("type", "workflow")
      .text("workflow_id", summary.id.str())
      .text("name", summary.name)
      .text("status", to_string(summary.status))
      .text("phase", to_string(summary.phase))
      .number("round", summary.round)
      .text("created_at", core::to_iso8601(summary.created_at))
      .text("updated_at", core::to_iso8601(summary.updated_at))
      .text_or_null("owner", summary.owner_alive ? summary.owner : "")
      .text_or_null("reason", summary.reason)
      .str();
}

std::string artifact_line(const ArtifactRecord& record) {
  return JsonLine()
      .text("type", "artifact")
      .text("workflow_id", record.workflow.str())
      .text_or_null("task", record.task.str())
      .text_or_null("agent_id", record.agent.str())
      .number("round", record.round)
      .number("attempt", record.attempt)
      .text("artifact_type", record.type)
      .text("name", record.name)
      .text("digest", record.digest.str())
      .number("size", record.size)
      .text("at", core::to_iso8601(record.at))
      .str();
}

}  // namespace conductorai::cli
