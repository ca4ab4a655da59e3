#pragma once
// Progress of a running workflow: a small table redrawn in place on a terminal, a line an event elsewhere.

#include <chrono>
#include <cstdio>
#include <map>
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
  /// Of a model's answer: the line that it has come to is the task's note.
  void text(const AnswerPiece& piece);

  [[nodiscard]] const std::vector<ProgressTask>& tasks() const { return tasks_; }
  [[nodiscard]] int round() const { return round_; }
  [[nodiscard]] const std::string& headline() const { return headline_; }

 private:
  ProgressTask& task(const std::string& id);
  std::vector<ProgressTask> tasks_;
  int round_ = 1;
  std::string headline_;
  std::map<std::string, std::pair<std::string, std::string>> answers_;  // by task: the call, the last line of its answer so far
};

/// Lines of the table, at most `height`.
std::vector<std::string> progress_lines(const ProgressModel& model, std::size_t width, std::size_t height, bool colors);

enum class ProgressStyle { live, plain, json, quiet };
/// Whether lines tell what models answer, too. A table shows it in any case, JSON never.
enum class AnswerText { left_out, shown };

class Progress {
 public:
  Progress(ProgressStyle style, const WorkflowDefinition* definition, AnswerText answers = AnswerText::left_out)
      : style_(style), answers_(answers), model_(definition) {}
  void on_event(const EventRecord& record);
  void on_notice(const std::string& line);
  void on_text(const AnswerPiece& piece);
  /// Takes the table off the screen.
  void clear();

 private:
  void draw();
  void print_line(const std::string& line);
  void print_text(const AnswerPiece& piece);
  ProgressStyle style_;
  AnswerText answers_;
  ProgressModel model_;
  std::size_t drawn_ = 0;
  std::string open_line_;                               // plain: the answer whose text the last line holds and has not ended
  std::chrono::steady_clock::time_point text_drawn_{};  // when a piece of an answer last moved the table
};

ProgressStyle progress_style(bool json);

}  // namespace conductorai::cli
