#pragma once
// Progress of a running workflow: a small table redrawn in place on a terminal, a line an event elsewhere.

#include <cstdio>
#include <string>
#include <vector>

#include "cli/text.hpp"
#include "conductorai/conductorai.hpp"

namespace conductorai::cli {

struct ProgressTask {
  std::string id, agent;
  std::string state = "waiting";  // waiting, running, passed, failed, done, skipped, retrying, approval
  int round = 1;
  std::string note;
};

/// What the events so far say, without drawing.
class ProgressModel {
 public:
  explicit ProgressModel(const WorkflowDefinition* definition);
  void apply(const EventRecord& record);
  /// "task: what it does now"
  void notice(const std::string& line);

  [[nodiscard]] const std::vector<ProgressTask>& tasks() const { return tasks_; }
  [[nodiscard]] int round() const { return round_; }
  [[nodiscard]] const std::string& headline() const { return headline_; }

 private:
  ProgressTask& task(const std::string& id);
  std::vector<ProgressTask> tasks_;
  int round_ = 1;
  std::string headline_;
};

/// Lines of the table, at most `height`.
std::vector<std::string> progress_lines(const ProgressModel& model, std::size_t width, std::size_t height, bool colors);

enum class ProgressStyle { live, plain, json, quiet };

class Progress {
 public:
  Progress(ProgressStyle style, const WorkflowDefinition* definition) : style_(style), model_(definition) {}
  void on_event(const EventRecord& record);
  void on_notice(const std::string& line);
  /// Takes the table off the screen.
  void clear();

 private:
  void draw();
  ProgressStyle style_;
  ProgressModel model_;
  std::size_t drawn_ = 0;
};

ProgressStyle progress_style(bool json);

}  // namespace conductorai::cli
