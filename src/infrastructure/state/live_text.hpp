#pragma once
// Live text: what models are answering just now, handed from the process that asks to those that watch. One file a workflow below
// <state_dir>/live, docs/formats/state-db.md. It is never synced and never read back by who wrote it: losing it loses nothing.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "conductorai/answer_piece.hpp"
#include "conductorai/task.hpp"
#include "infrastructure/state/directory_watch.hpp"

namespace conductorai::infrastructure {

/// What one turn of the loop adds is written at once: thousands of answers may come in it. Errors are swallowed: without a disk to write to
/// there is nothing to watch, and the work goes on.
class LiveTextWriter {
 public:
  LiveTextWriter(Executor& executor, std::filesystem::path state_dir);
  ~LiveTextWriter();
  LiveTextWriter(const LiveTextWriter&) = delete;
  LiveTextWriter& operator=(const LiveTextWriter&) = delete;

  /// An answer that begins while no other one of its workflow is coming begins the file anew.
  void add(const AnswerPiece& piece);
  /// Removes its file.
  void forget(const WorkflowId& workflow);

 private:
  struct File {
    int fd = -1;
    std::size_t bytes = 0;         // with those that are due
    std::set<std::string> coming;  // answers, by task and call
    std::string due;               // lines to be written
  };
  void begin_anew(const WorkflowId& workflow, File& file);
  void remove(const WorkflowId& workflow, File& file);
  void write_soon(const WorkflowId& workflow);
  static void write_due(File& file);

  Executor& executor_;
  std::filesystem::path folder_;
  std::map<WorkflowId, File> files_;
  std::vector<WorkflowId> due_;  // whose files have lines to be written
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

/// What a killed run left of a workflow that nobody runs any more.
void remove_live_text(const std::filesystem::path& state_dir, const WorkflowId& workflow);

/// Tells what comes from now on, and first what has come of answers that have not ended. Thread: the loop's.
class LiveTextReader {
 public:
  using Told = std::function<void(const AnswerPiece&)>;
  LiveTextReader(runtime::Loop& loop, const std::filesystem::path& state_dir, WorkflowId workflow, Told told);
  ~LiveTextReader();
  LiveTextReader(const LiveTextReader&) = delete;
  LiveTextReader& operator=(const LiveTextReader&) = delete;
  task<void> close();

 private:
  void open_newest();
  void read_on(const Told& told);
  void tell_unfinished();

  std::filesystem::path file_;
  WorkflowId workflow_;
  Told told_;
  int fd_ = -1;
  unsigned long inode_ = 0;
  std::string begun_;  // of a line that is not whole yet
  DirectoryWatch watch_;
};

}  // namespace conductorai::infrastructure
