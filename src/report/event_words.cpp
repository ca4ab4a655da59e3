#include "report/event_words.hpp"

#include <fmt/format.h>

#include "core/json.hpp"

namespace conductorai::report {

namespace {

/// Reads a payload without minding its shape: what is not there is empty.
class Payload {
 public:
  explicit Payload(const EventRecord& record) {
    if (auto parsed = core::parse_json(record.payload)) root_ = std::move(*parsed);
  }
  [[nodiscard]] const Value* at(std::initializer_list<std::string_view> path) const {
    const Value* value = &root_;
    for (std::string_view key : path)
      if (value != nullptr) value = value->find(key);
    return value;
  }
  [[nodiscard]] std::string text(std::initializer_list<std::string_view> path) const {
    const Value* value = at(path);
    if (value == nullptr) return {};
    if (const std::string* text = value->as_string()) return *text;
    return value->is_null() ? "" : core::to_json(*value);
  }
  [[nodiscard]] std::string list(std::initializer_list<std::string_view> path) const {
    const Value* value = at(path);
    std::string out;
    if (value == nullptr || value->as_array() == nullptr) return out;
    for (const Value& item : *value->as_array())
      out += (out.empty() ? "" : ", ") + (item.as_string() != nullptr ? *item.as_string() : core::to_json(item));
    return out;
  }

 private:
  Value root_;
};

std::string with(std::string_view separator, const std::string& text) {
  return text.empty() ? "" : std::string(separator) + text;
}

std::string attempt_text(const Payload& p) {
  return fmt::format(" (round {}, attempt {})", p.text({"id", "round"}), p.text({"id", "attempt"}));
}

std::string task_text(const EventRecord& record, const Payload& p) {
  if (record.event == "task.completed") {
    const std::string verdict = p.text({"verdict"});
    return p.text({"id", "task"}) + "  " + (verdict.empty() || verdict == "none" ? "done" : verdict) + with(": ", p.text({"summary"})) +
           attempt_text(p);
  }
  if (record.event == "task.failed")
    return p.text({"id", "task"}) + "  " + p.text({"error", "message"}) + with(" – ", p.text({"action"})) + attempt_text(p);
  if (record.event == "task.skipped") return p.text({"task"}) + with("  ", p.text({"reason"}));
  const Value* items = p.at({"items"});
  const std::size_t count = items != nullptr && items->as_array() != nullptr ? items->as_array()->size() : 0;
  return fmt::format("{}  {} items", p.text({"task"}), count);
}

std::string workflow_text(const EventRecord& record, const Payload& p) {
  if (record.event == "workflow.started") return p.text({"name"}) + with("  on ", p.text({"branch"}));
  if (record.event == "workflow.forked")
    return fmt::format("from {} before event {}{}", p.text({"workflow"}), p.text({"seq"}),
                       with(", with the results of ", p.list({"tasks"})));
  if (record.event == "workflow.claimed") return "by " + p.text({"owner"}) + with(", in flight: ", p.list({"in_flight"}));
  if (record.event == "workflow.cleanup_started") return p.list({"tasks"});
  if (record.event == "workflow.completed") return p.list({"warnings"});
  if (record.event == "workflow.resumed") return "by " + p.text({"by"});
  return p.text({"reason"});
}

}  // namespace

std::string event_words(const EventRecord& record) {
  const Payload p(record);
  if (record.event.starts_with("task.")) return task_text(record, p);
  if (record.event.starts_with("workflow.")) return workflow_text(record, p);
  if (record.event == "gate.decided")
    return p.text({"phase"}) + (p.text({"passed"}) == "true" ? "  passed" : "  not passed") + with(": ", p.list({"reasons"}));
  if (record.event == "round.opened")
    return fmt::format("{} {} for {}{}", p.text({"kind"}), p.text({"round"}), p.text({"target"}),
                       with(": ", p.text({"feedback", "summary"})));
  if (record.event == "approval.requested") return p.text({"approval"}) + with("  ", p.text({"reason"}));
  if (record.event == "approval.resolved")
    return p.text({"approval"}) + "  " + p.text({"outcome"}) + with(" by ", p.text({"by"})) + with(": ", p.text({"comment"}));
  return record.payload;
}

}  // namespace conductorai::report
