#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <map>
#include <memory>

#include "cli/command.hpp"
#include "cli/drive.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_lines.hpp"
#include "cli/run_options.hpp"
#include "cli/session.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"
#include "core/document/words.hpp"
#include "core/json.hpp"
#include "core/json_codec.hpp"

namespace conductorai::cli {

namespace {

constexpr std::int64_t kStatusEveryMs = 5'000;

struct MonitorOptions {
  std::string app, window, workflow, llm, model;
  bool feedback = false;
};

/// What a person sees while it goes on: when a probe begins to fail and with what, when it holds again, and every few seconds how many
/// held.
class Ticker {
 public:
  explicit Ticker(bool json) : json_(json) {}

  void on_sample(const ProbeSample& sample) {
    if (json_) {
      std::cout << JsonLine()
                       .text("type", "sample")
                       .text("probe", sample.probe)
                       .number("at_ms", sample.at_ms)
                       .flag("ok", sample.ok)
                       .real("ms", sample.ms)
                       .number("status", sample.status)
                       .text_or_null("error", sample.error)
                       .str()
                << std::endl;
      return;
    }
    ++count_;
    ok_ += sample.ok ? 1 : 0;
    std::string& before = errors_[sample.probe];
    if (shape_of(sample.error) != before)
      std::cerr << stamp(sample) << clean_line(sample.probe) << ": " << (sample.ok ? "as expected again" : clean_line(sample.error))
                << "\n";
    before = shape_of(sample.error);
    if (sample.at_ms < next_) return;
    next_ = sample.at_ms + kStatusEveryMs;
    std::cerr << stamp(sample) << ok_ << " of " << count_ << " as expected\n";
  }

 private:
  static std::string stamp(const ProbeSample& sample) { return duration_text(sample.at_ms) + "  "; }
  /// Times differ from look to look: an error that differs in digits only is the same one.
  static std::string shape_of(std::string error) {
    std::erase_if(error, [](char c) { return c >= '0' && c <= '9'; });
    return error;
  }
  bool json_;
  std::map<std::string, std::string> errors_;  // by probe, of its latest look
  std::int64_t count_ = 0, ok_ = 0, next_ = kStatusEveryMs;
};

std::string text_of(const Value& summary, std::string_view key, bool percent) {
  const Value* value = summary.find(key);
  if (value == nullptr || value->is_null()) return "-";
  if (const auto* whole = value->as_int()) return std::to_string(*whole);
  const double number = value->as_double() != nullptr ? *value->as_double() : 0;
  return percent ? fmt::format("{:.4g} %", number * 100) : fmt::format("{:.1f} ms", number);
}

std::string table_of(const MonitorReport& report) {
  Table table({"PROBE", "SAMPLES", "AVAILABLE", "P50", "P95", "P99", "MAX"});
  auto samples = core::parse_json(report.samples);
  const Value* summary = samples ? samples->find("summary") : nullptr;
  const Value* probes = summary != nullptr ? summary->find("probes") : nullptr;
  if (probes == nullptr || probes->as_object() == nullptr) return {};
  for (const auto& [name, one] : *probes->as_object())
    table.add({{fit(clean_line(name), 40)},
               {text_of(one, "count", false)},
               {text_of(one, "availability", true),
                one.find("ok") != nullptr && *one.find("ok") == *one.find("count") ? Color::green : Color::red},
               {text_of(one, "p50_ms", false)},
               {text_of(one, "p95_ms", false)},
               {text_of(one, "p99_ms", false)},
               {text_of(one, "max_ms", false)}});
  return table.text(terminal_columns(), use_colors());
}

void tell(const MonitorReport& report, bool json) {
  if (json) {
    std::cout << JsonLine()
                     .text("type", "monitor")
                     .text("workflow_id", report.workflow.str())
                     .text("release", report.release.id)
                     .text_or_null("url", report.release.url)
                     .flag("healthy", report.healthy)
                     .text("summary", report.summary)
                     .raw("findings", core::write_json(report.findings))
                     .raw("samples", report.samples)
                     .str()
              << std::endl;
    return;
  }
  std::cout << table_of(report);
  for (const Evidence& evidence : report.evidence)
    if (evidence.kind != "probes") std::cout << evidence.kind << ": " << clean_line(evidence.summary) << "\n";
  for (const Finding& finding : report.findings) std::cout << to_string(finding.severity) << ": " << clean_line(finding.message) << "\n";
  std::cout << clean_line(report.release.app) << " " << clean_line(report.summary) << std::endl;
}

/// A completed workflow is never opened again: what was found becomes part of the requirement of a new one, on top of its result.
Result<WorkflowDefinition> follow_up(ConductorAI& ai, const MonitorReport& report, const MonitorOptions& options) {
  auto pinned = ai.get_definition(report.workflow);
  if (!pinned) return fail(pinned.error());
  auto view = ai.get_workflow_state(report.workflow);
  if (!view) return fail(view.error());
  WorkflowDefinition definition = **pinned;
  definition.requirement += "\n\nThe running service was watched and broke its thresholds. Mend what these findings show:\n";
  for (const Finding& finding : report.findings) definition.requirement += "- " + clean_line(finding.message) + "\n";
  if (!view->repo.empty()) definition.workspace.repo = view->repo.string();
  if (!view->branch.empty()) definition.workspace.base = view->branch;
  definition.workspace.allow_dirty = true;  // it starts from the branch; the checkout is not looked at
  if (!options.llm.empty()) {
    if (auto checked = check_provider(options.llm); !checked) return fail(checked.error());
    definition.llm.provider = anchor_llm(options.llm);
    definition.llm.script = {};
  }
  if (!options.model.empty()) definition.llm.model = options.model;
  return definition;
}

/// How long the service was known to be broken.
void tell_repair(const WorkflowView& view, std::chrono::steady_clock::time_point found, bool json) {
  if (view.status != WorkflowStatus::completed) return;
  const auto took = std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - found).count();
  if (json)
    std::cout << JsonLine().text("type", "repair").text("workflow_id", view.id.str()).number("repair_ms", took).str() << std::endl;
  else
    std::cout << "repaired in " << duration_text(took) << ", from what was found to a release that is healthy" << std::endl;
}

int start_feedback(Session& session, std::unique_ptr<Progress>& progress, const Globals& globals, const MonitorOptions& options,
                   const MonitorReport& report) {
  const auto found = std::chrono::steady_clock::now();
  auto definition = follow_up(session.ai(), report, options);
  if (!definition) return cli::report(definition.error());
  progress = std::make_unique<Progress>(progress_style(globals.json), &*definition);
  return drive(session, *progress, globals.json, [&](auto watcher) {
    auto view = session.ai().run_workflow(*definition, watcher);
    if (view) {
      progress->clear();
      tell_repair(*view, found, globals.json);
    }
    return view;
  });
}

int monitor(const Globals& globals, const MonitorOptions& options) {
  std::optional<Milliseconds> window;
  if (!options.window.empty()) {
    window = core::document::parse_duration(options.window);
    if (!window)
      return report({.code = ErrorCode::invalid_argument,
                     .message = "not a duration",
                     .where = "--for " + options.window,
                     .hint = "such as 30s, 10m or 2h"});
  }
  std::unique_ptr<Progress> progress;  // of a workflow that mends what was found
  auto session = Session::open(globals, {.on_progress = [&](const std::string& line) {
                                 if (progress) progress->on_notice(line);
                               }});
  if (!session) return report(session.error());
  WorkflowId workflow;
  if (!options.workflow.empty()) {
    auto found = (*session)->find(options.workflow);
    if (!found) return report(found.error());
    workflow = *found;
  }
  Ticker ticker(globals.json);
  (*session)->catch_signals();
  auto seen = (*session)->ai().monitor_release(
      {.app = options.app, .workflow = workflow, .window = window, .on_sample = [&](const ProbeSample& sample) {
         ticker.on_sample(sample);
       }});
  if (Session::signal() != 0) return 128 + Session::signal();  // the watcher ends; the service goes on
  if (!seen) return report(seen.error());
  tell(*seen, globals.json);
  if (seen->healthy) return kOk;
  return options.feedback ? start_feedback(**session, progress, globals, options, *seen) : kFailed;
}

}  // namespace

void add_monitor(CLI::App& app, CommandLine& line) {
  add_command<MonitorOptions>(
      app, line, "monitor", "Watch a running release with the probes of the workflow that made it",
      [](CLI::App& command, MonitorOptions& o) {
        command.add_option("APP", o.app, "Name of its workflow, or a release id (default: what was deployed last)");
        command.add_option("--for", o.window, "How long (default: the window of its monitor task)")->type_name("DURATION");
        command.add_option("--workflow", o.workflow, "Take the probes of this workflow")->type_name("ID");
        command.add_flag("--feedback", o.feedback, "Not healthy: start a new workflow on its branch, with the findings in the requirement");
        command.add_option("--llm", o.llm, "With --feedback: answer with another provider than before")->type_name("PROVIDER");
        command.add_option("--model", o.model, "With --feedback: another model")->type_name("NAME");
      },
      monitor);
}

}  // namespace conductorai::cli
