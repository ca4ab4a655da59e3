#include "cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/event_text.hpp"
#include "cli/json_lines.hpp"
#include "cli/terminal.hpp"
#include "core/json.hpp"

namespace conductorai::cli {

namespace {

constexpr std::size_t kLineBytesMax = 1024;
constexpr std::chrono::milliseconds kTextDrawn{50};  // a model may answer faster than a terminal over a thin line takes

std::string text_of(const Value& value, std::string_view key) {
  const Value* found = value.find(key);
  const std::string* text = found == nullptr ? nullptr : found->as_string();
  return text == nullptr ? "" : clean_line(*text);
}

int int_of(const Value& value, std::string_view key, int otherwise) {
  const Value* found = value.find(key);
  const std::int64_t* number = found == nullptr ? nullptr : found->as_int();
  return number == nullptr ? otherwise : static_cast<int>(*number);
}

Color color_of(const std::string& state) {
  if (state == "passed" || state == "done") return Color::green;
  if (state == "failed") return Color::red;
  if (state == "running" || state == "retrying" || state == "approval") return Color::yellow;
  return Color::dim;
}

bool settled(const std::string& state) {
  return state == "passed" || state == "failed" || state == "done" || state == "skipped";
}

}  // namespace

ProgressModel::ProgressModel(const WorkflowDefinition* definition) {
  if (definition == nullptr) return;
  headline_ = clean_line(definition->name);
  for (const auto& task : definition->tasks) tasks_.push_back({.id = clean_line(task.id.str()), .agent = clean_line(task.agent.str())});
}

ProgressTask& ProgressModel::task(const std::string& id) {
  auto found = std::ranges::find(tasks_, id, &ProgressTask::id);
  if (found != tasks_.end()) return *found;
  // A foreach child stands below its parent.
  auto parent = std::ranges::find(tasks_, id.substr(0, id.find('[')), &ProgressTask::id);
  auto place = parent == tasks_.end() ? tasks_.end() : std::find_if(parent + 1, tasks_.end(), [&](const ProgressTask& other) {
    return !other.id.starts_with(parent->id + "[");
  });
  return *tasks_.insert(place, {.id = id, .agent = parent == tasks_.end() ? "" : parent->agent});
}

void ProgressModel::apply(const EventRecord& record) {
  auto parsed = core::parse_json(record.payload);
  const Value payload = parsed ? std::move(*parsed) : Value(Object{});
  const Value* id = payload.find("id");
  if (record.event == "task.completed" && id != nullptr) {
    auto& row = task(text_of(*id, "task"));
    const std::string verdict = text_of(payload, "verdict");
    row.state = verdict.empty() || verdict == "none" ? "done" : verdict;
    row.round = int_of(*id, "round", row.round);
    row.note = text_of(payload, "summary");
  } else if (record.event == "task.failed" && id != nullptr) {
    auto& row = task(text_of(*id, "task"));
    const Value* error = payload.find("error");
    row.state = text_of(payload, "action") == "retry" ? "retrying" : "failed";
    row.round = int_of(*id, "round", row.round);
    row.note = error == nullptr ? "" : text_of(*error, "message");
  } else if (record.event == "task.skipped") {
    auto& row = task(text_of(payload, "task"));
    row.state = "skipped";
    row.note = text_of(payload, "reason");
  } else if (record.event == "task.expanded") {
    const Value* items = payload.find("items");
    const std::size_t count = items == nullptr || items->as_array() == nullptr ? 0 : items->as_array()->size();
    for (std::size_t i = 0; i < count; ++i) task(fmt::format("{}[{}]", text_of(payload, "task"), i));
  } else if (record.event == "approval.requested") {
    if (const std::string name = text_of(payload, "task"); !name.empty()) {
      task(name).state = "approval";
      task(name).note = text_of(payload, "reason");
    }
  } else if (record.event == "approval.resolved") {
    for (auto& row : tasks_)
      if (row.state == "approval") row.state = "waiting";
  } else if (record.event == "round.opened") {
    round_ = int_of(payload, "round", round_);
    const Value* reset = payload.find("reset");
    if (reset == nullptr || reset->as_array() == nullptr) return;
    for (const Value& name : *reset->as_array())
      if (name.as_string() != nullptr) {
        auto& row = task(clean_line(*name.as_string()));
        row = {.id = row.id, .agent = row.agent, .round = round_};
      }
  } else if (record.event == "workflow.started") {
    headline_ = text_of(payload, "name") + "  " + clean_line(record.workflow.str());
  }
}

void ProgressModel::notice(const std::string& line) {
  const auto colon = line.find(": ");
  if (colon == std::string::npos) return;
  auto& row = task(clean_line(line.substr(0, colon)));
  if (settled(row.state)) return;
  row.state = "running";
  row.note = clean_line(line.substr(colon + 2));
}

void ProgressModel::text(const AnswerPiece& piece) {
  auto& row = task(clean_line(piece.task.str()));
  if (settled(row.state) || piece.text.empty()) return;
  auto& [call, line] = answers_[row.id];
  if (call != piece.call) line.clear();
  call = piece.call;
  line += piece.text;
  // An empty last line says nothing yet; of a long one the beginning is seen.
  if (const auto end = line.find_last_not_of("\r\n"); end != std::string::npos)
    if (const auto begin = line.rfind('\n', end); begin != std::string::npos) line.erase(0, begin + 1);
  if (line.size() > kLineBytesMax) line.resize(kLineBytesMax);
  row.state = "running";
  row.note = clean_line(line);
}

std::vector<std::string> progress_lines(const ProgressModel& model, std::size_t width, std::size_t height, bool colors) {
  Table table({"TASK", "AGENT", "STATE", "ROUND", ""});
  const std::size_t room = height > 4 ? height - 4 : 1;
  std::size_t left_out = 0;
  // Of many, those that are at work say most.
  std::vector<const ProgressTask*> shown;
  for (const auto& task : model.tasks()) shown.push_back(&task);
  if (shown.size() > room) {
    const auto at_work = [](const ProgressTask* task) { return !settled(task->state) && task->state != "waiting"; };
    std::ranges::sort(shown, [&](const ProgressTask* a, const ProgressTask* b) {
      return std::pair(!at_work(a), a - model.tasks().data()) < std::pair(!at_work(b), b - model.tasks().data());
    });
    left_out = shown.size() - room;
    shown.resize(room);
  }
  for (const ProgressTask* task : shown)
    table.add({{task->id}, {task->agent}, {task->state, color_of(task->state)}, {std::to_string(task->round)}, {task->note}});
  std::vector<std::string> out{fit(model.headline() + fmt::format("  round {}", model.round()), width == 0 ? std::string::npos : width)};
  for (auto& line : table.lines(width, colors)) out.push_back(std::move(line));
  if (left_out > 0) out.push_back(fmt::format("… and {} more tasks", left_out));
  return out;
}

void Progress::on_event(const EventRecord& record) {
  if (style_ == ProgressStyle::json) {
    std::fputs((event_line(record) + "\n").c_str(), stdout);
    std::fflush(stdout);
  } else if (style_ == ProgressStyle::plain) {
    print_line(event_text_with_time(record));
  } else if (style_ == ProgressStyle::live) {
    model_.apply(record);
    draw();
  }
}

void Progress::on_notice(const std::string& line) {
  if (style_ == ProgressStyle::plain) {
    print_line(clean_line(line));
  } else if (style_ == ProgressStyle::live) {
    model_.notice(line);
    draw();
  }
}

// The first piece after a while is seen at once; those that follow closely are seen with the next one, or the next event.
void Progress::on_text(const AnswerPiece& piece) {
  if (style_ == ProgressStyle::plain && answers_ == AnswerText::shown) print_text(piece);
  if (style_ != ProgressStyle::live) return;
  model_.text(piece);
  const auto now = std::chrono::steady_clock::now();
  if (now - text_drawn_ < kTextDrawn) return;
  text_drawn_ = now;
  draw();
}

void Progress::print_line(const std::string& line) {
  std::fputs(((open_line_.empty() ? "" : "\n") + line + "\n").c_str(), stdout);
  std::fflush(stdout);
  open_line_.clear();
}

void Progress::print_text(const AnswerPiece& piece) {
  const std::string task = clean_line(piece.task.str());
  const std::string answer = task + " " + piece.call;
  std::string_view rest = piece.text;
  std::string out;
  if (!open_line_.empty() && open_line_ != answer) {
    out += '\n';
    open_line_.clear();
  }
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    if (open_line_.empty()) out += task + " | ";
    out += clean_text(rest.substr(0, end));
    open_line_ = end == std::string_view::npos ? answer : "";
    if (end != std::string_view::npos) out += '\n';
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  std::fputs(out.c_str(), stdout);
  std::fflush(stdout);
}

void Progress::clear() {
  if (!open_line_.empty()) std::fputs("\n", stdout);
  open_line_.clear();
  if (drawn_ > 0) std::fputs(fmt::format("\x1b[{}A\r\x1b[J", drawn_).c_str(), stdout);
  drawn_ = 0;
  std::fflush(stdout);
}

void Progress::draw() {
  const auto lines = progress_lines(model_, terminal_columns(), terminal_lines(), use_colors());
  std::string out = drawn_ > 0 ? fmt::format("\x1b[{}A\r\x1b[J", drawn_) : "";
  for (const auto& line : lines) out += line + "\n";
  drawn_ = lines.size();
  std::fputs(out.c_str(), stdout);
  std::fflush(stdout);
}

ProgressStyle progress_style(bool json) {
  if (json) return ProgressStyle::json;
  return output_is_terminal() ? ProgressStyle::live : ProgressStyle::plain;
}

}  // namespace conductorai::cli
