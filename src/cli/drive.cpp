#include "cli/drive.hpp"

#include <fmt/format.h>

#include <iostream>

#include "cli/exit_code.hpp"
#include "cli/report_file.hpp"
#include "cli/retention.hpp"
#include "cli/summary.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"

namespace conductorai::cli {

namespace {

enum class Answer { approve, reject, later };

Answer ask(const ApprovalView& approval) {
  std::cerr << clean_line(approval.subject) << " needs an approval" << (approval.reason.empty() ? "" : ": " + clean_line(approval.reason))
            << "\nGo on? [y]es, [n]o, anything else decides later: " << std::flush;
  std::string line;
  if (!std::getline(std::cin, line)) return Answer::later;
  if (line == "y" || line == "Y" || line == "yes") return Answer::approve;
  return line == "n" || line == "N" || line == "no" ? Answer::reject : Answer::later;
}

/// True when at least one open approval was decided.
Result<bool> ask_all(Session& session, const WorkflowView& view) {
  bool decided = false;
  for (const auto& approval : view.approvals) {
    const Answer answer = ask(approval);
    if (answer == Answer::later || Session::signal() != 0) continue;
    auto told =
        session.ai().control(view.id, ResolveApproval{.approval = approval.id, .approve = answer == Answer::approve, .by = user_name()});
    if (!told) return fail(told.error());
    decided = true;
  }
  return decided;
}

bool waits_for_people(const WorkflowView& view) {
  return !view.approvals.empty() && (view.status == WorkflowStatus::in_progress || view.status == WorkflowStatus::paused);
}

/// What stands in memory ends with this process: no command could look at it.
bool keeps_state(const Session& session) {
  return session.config().runtime.state != "memory" && session.config().runtime.artifacts != "memory";
}

/// A report is a convenience: a run is not worse for one that cannot be written. Returns how long repairs took.
std::optional<std::int64_t> leave_report(Session& session, const WorkflowView& view) {
  auto made = make_report(session.ai(), view.id);
  const auto written = made ? write_report(report_path(session.project().state_dir, view.id), made->page) : fail(made.error());
  if (!written) warn(session.config(), to_string(written.error()));
  return made ? made->repair_ms : std::nullopt;
}

void tell_end(const Session& session, const WorkflowView& view, bool json) {
  print_view(view, keeps_state(session) ? session.project().state_dir : std::filesystem::path(), json);
  const bool resumable = view.status == WorkflowStatus::in_progress || view.status == WorkflowStatus::paused;
  if (Session::signal() != 0 && resumable && keeps_state(session))
    std::cerr << "interrupted; to go on: conductorai resume " << view.id.str() << std::endl;
}

}  // namespace

Result<std::unique_ptr<Session>> open_session(const Globals& globals, const std::unique_ptr<Progress>& progress) {
  return Session::open(globals, {.on_progress =
                                     [&progress](const std::string& line) {
                                       if (progress) progress->on_notice(line);
                                     },
                                 .on_text =
                                     [&progress](const AnswerPiece& piece) {
                                       if (progress) progress->on_text(piece);
                                     }});
}

int drive(Session& session, Progress& progress, bool json, const Launch& launch) {
  session.catch_signals();
  auto watcher = [&progress](const EventRecord& record) { progress.on_event(record); };
  auto view = launch(watcher);
  while (view && waits_for_people(*view) && Session::signal() == 0 && !json && can_ask()) {
    progress.clear();
    auto decided = ask_all(session, *view);
    if (!decided) return report(decided.error());
    if (!*decided) break;
    // A refusal may have ended it.
    auto now = session.ai().get_workflow_state(view->id);
    const bool open = now && (now->status == WorkflowStatus::in_progress || now->status == WorkflowStatus::paused);
    view = open ? session.ai().resume_workflow(view->id, {}, watcher) : std::move(now);
  }
  progress.clear();
  if (!view) return Session::signal() != 0 && view.error().code == ErrorCode::cancelled ? 128 + Session::signal() : report(view.error());
  const auto repair_ms = keeps_state(session) ? leave_report(session, *view) : std::nullopt;
  tell_end(session, *view, json);
  if (repair_ms && !json) std::cout << "repaired   in " << duration_text(*repair_ms) << ", from the probes' no to their yes" << std::endl;
  if (keeps_state(session) && Session::signal() == 0) apply_retention(session);
  return exit_code(*view, Session::signal());
}

}  // namespace conductorai::cli
