#include <algorithm>
#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_lines.hpp"
#include "cli/session.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"
#include "core/json.hpp"

namespace conductorai::cli {

namespace {

constexpr std::int64_t kLogBytes = std::int64_t{64} << 10;

struct ListOptions {};
struct OneOptions {
  std::string id;
};
struct LogOptions {
  std::string id;
  std::int64_t bytes = kLogBytes;
};
struct StopOptions {
  std::string id, reason;
};

std::string release_line(const ReleaseInfo& release) {
  return JsonLine()
      .text("type", "release")
      .text("id", release.id)
      .text("app", release.app)
      .text("environment", release.environment)
      .text("driver", release.driver)
      .text_or_null("version", release.version)
      .text_or_null("workflow_id", release.workflow.str())
      .text("state", to_string(release.state))
      .text_or_null("reason", release.reason)
      .text_or_null("url", release.url)
      .text("created_at", core::to_iso8601(release.created_at))
      .text("changed_at", core::to_iso8601(release.changed_at))
      .raw("alive", !release.alive_known ? "null"
                    : release.alive      ? "true"
                                         : "false")
      .raw("pid", release.pid == 0 ? "null" : std::to_string(release.pid))
      .raw("restarts", release.restarts < 0 ? "null" : std::to_string(release.restarts))
      .number("rss_bytes", release.rss_bytes)
      .number("cpu_ms", release.cpu_ms)
      .number("log_bytes", release.log_bytes)
      .str();
}

bool has_traffic(const ReleaseInfo& release) {
  return release.state == ReleaseState::serving || release.state == ReleaseState::degraded;
}

bool is_down(const ReleaseInfo& release) {
  return release.alive_known && !release.alive;
}

Color color_of(const ReleaseInfo& release) {
  if (release.state == ReleaseState::failed || (has_traffic(release) && is_down(release))) return Color::red;
  if (release.state == ReleaseState::serving) return Color::green;
  return release.state == ReleaseState::degraded || release.state == ReleaseState::candidate ? Color::yellow : Color::dim;
}

/// Only what has the traffic answers there.
std::string url_of(const ReleaseInfo& release) {
  return has_traffic(release) && !is_down(release) && !release.url.empty() ? clean_line(release.url) : "-";
}

std::string age_of(const ReleaseInfo& release) {
  const auto now = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
  return duration_text(std::max<std::int64_t>(0, (now - release.created_at).count()));
}

/// The whole id, or a piece that only one has. Errors: not_found, invalid_argument (several, listed).
Result<ReleaseInfo> find(ConductorAI& ai, const std::string& text) {
  auto known = ai.list_releases();
  if (!known) return fail(known.error());
  std::vector<ReleaseInfo> found;
  for (auto& release : *known) {
    if (release.id == text) return release;
    if (release.id.find(text) != std::string::npos) found.push_back(std::move(release));
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) return fail(ErrorCode::not_found, "no such release", text, "conductorai releases list shows those of this project");
  std::string list;
  for (const auto& release : found) list += (list.empty() ? "" : ", ") + release.id;
  return fail(ErrorCode::invalid_argument, "the id is ambiguous: " + text, list);
}

int list(const Globals& globals, const ListOptions&) {
  auto session = Session::open(globals, {});
  if (!session && session.error().code == ErrorCode::not_found) {
    if (!globals.json) std::cerr << "no releases yet\n";
    return kOk;
  }
  if (!session) return report(session.error());
  auto releases = (*session)->ai().list_releases();
  if (!releases) return report(releases.error());
  Table table({"ID", "APP", "STATE", "VERSION", "URL", "AGE", "PID", "RESTARTS", "MEMORY", ""});
  for (const auto& release : *releases) {
    const std::string app = release.environment == "default" ? release.app : release.app + "@" + release.environment;
    if (globals.json)
      std::cout << release_line(release) << "\n";
    else
      table.add({{clean_line(release.id)},
                 {fit(clean_line(app), 30)},
                 {std::string(to_string(release.state)), color_of(release)},
                 {fit(clean_line(release.version), 14)},
                 {url_of(release)},
                 {age_of(release)},
                 {release.pid == 0 ? "-" : std::to_string(release.pid)},
                 {release.restarts < 0 ? "-" : std::to_string(release.restarts)},
                 {release.rss_bytes == 0 ? "-" : size_text(release.rss_bytes)},
                 {clean_line(release.reason)}});
  }
  if (!globals.json && !table.empty()) std::cout << table.text(terminal_columns(), use_colors());
  if (!globals.json && table.empty()) std::cerr << "no releases yet\n";
  std::cout << std::flush;
  return kOk;
}

void print(const ReleaseInfo& release) {
  const auto line = [](std::string_view name, const std::string& value) {
    std::cout << name << std::string(name.size() < 12 ? 12 - name.size() : 1, ' ') << clean_line(value) << "\n";
  };
  line("release", release.id);
  line("app", release.app + (release.environment == "default" ? "" : " in " + release.environment));
  line("state", std::string(to_string(release.state)) + (is_down(release) ? ", not running" : ""));
  if (!release.reason.empty()) line("reason", release.reason);
  line("url", url_of(release));
  line("version", release.version.empty() ? "-" : release.version);
  line("driver", release.driver);
  line("workflow", release.workflow.empty() ? "-" : release.workflow.str());
  line("created", core::to_iso8601(release.created_at));
  line("changed", core::to_iso8601(release.changed_at));
  if (release.pid == 0) return;
  line("pid", std::to_string(release.pid));
  line("restarts", std::to_string(release.restarts));
  line("memory", size_text(release.rss_bytes));
  line("cpu", duration_text(release.cpu_ms));
  line("printed", size_text(release.log_bytes));
}

int tell(const Globals& globals, const ReleaseInfo& release, const std::string& sentence) {
  if (globals.json)
    std::cout << release_line(release) << "\n";
  else if (sentence.empty())
    print(release);
  else
    std::cout << clean_line(sentence) << "\n";
  std::cout << std::flush;
  return kOk;
}

int show(const Globals& globals, const OneOptions& options) {
  auto session = Session::open(globals, {});
  if (!session) return report(session.error());
  auto release = find((*session)->ai(), options.id);
  return release ? tell(globals, *release, "") : report(release.error());
}

int logs(const Globals& globals, const LogOptions& options) {
  auto session = Session::open(globals, {});
  if (!session) return report(session.error());
  auto release = find((*session)->ai(), options.id);
  if (!release) return report(release.error());
  auto text = (*session)->ai().release_logs(release->id, options.bytes);
  if (!text) return report(text.error());
  if (globals.json)
    std::cout << JsonLine().text("type", "release_log").text("id", release->id).text("text", clean_text(*text)).str() << "\n";
  else
    std::cout << clean_text(*text);
  std::cout << std::flush;
  return kOk;
}

int stop(const Globals& globals, const StopOptions& options) {
  auto session = Session::open(globals, {});
  if (!session) return report(session.error());
  auto release = find((*session)->ai(), options.id);
  if (!release) return report(release.error());
  const std::string reason = options.reason.empty() ? "stopped by " + user_name() : options.reason;
  auto stopped = (*session)->ai().stop_release(release->id, reason);
  if (!stopped) return report(stopped.error());
  return tell(globals, *stopped, stopped->id + " is " + std::string(to_string(stopped->state)));
}

int rollback(const Globals& globals, const OneOptions& options) {
  auto session = Session::open(globals, {});
  if (!session) return report(session.error());
  auto release = find((*session)->ai(), options.id);
  if (!release) return report(release.error());
  auto back = (*session)->ai().rollback_release(release->id);
  if (!back) return report(back.error());
  return tell(globals, *back, back->id + " is " + std::string(to_string(back->state)) + " again at " + back->url);
}

void declare_id(CLI::App& command, std::string& id) {
  command.add_option("ID", id, "The release's id, or a piece that only one has")->required();
}

}  // namespace

void add_releases(CLI::App& app, CommandLine& line) {
  CLI::App* releases = app.add_subcommand("releases", "Deployed versions: what serves, what served, its logs");
  releases->require_subcommand(1);
  releases->fallthrough();
  const auto only_id = [](CLI::App& command, OneOptions& o) { declare_id(command, o.id); };
  add_command<ListOptions>(*releases, line, "list", "List them, newest first", [](CLI::App&, ListOptions&) {}, list);
  add_command<OneOptions>(*releases, line, "show", "All about one", only_id, show);
  add_command<LogOptions>(
      *releases, line, "logs", "The newest of what its service printed",
      [](CLI::App& command, LogOptions& o) {
        declare_id(command, o.id);
        command.add_option("--bytes", o.bytes, "At most so many bytes (65536)")->type_name("N")->check(CLI::Range(1, 1 << 30));
      },
      logs);
  add_command<StopOptions>(
      *releases, line, "stop", "Stop one; nothing serves in its place",
      [](CLI::App& command, StopOptions& o) {
        declare_id(command, o.id);
        command.add_option("--reason", o.reason, "Kept with the release")->type_name("TEXT");
      },
      stop);
  add_command<OneOptions>(*releases, line, "rollback", "Go back to the release before this one", only_id, rollback);
}

}  // namespace conductorai::cli
