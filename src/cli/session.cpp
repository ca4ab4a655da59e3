#include "cli/session.hpp"

#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>

#include "base/lower.hpp"
#include "cli/exit_code.hpp"
#include "cli/llm_options.hpp"
#include "cli/text.hpp"

extern char** environ;

namespace conductorai::cli {

namespace fs = std::filesystem;

namespace {

std::atomic<ConductorAI*> interruptible{nullptr};
std::atomic<int> caught{0};

void on_signal(int number) {
  if (caught.exchange(number) != 0) ::_exit(128 + number);
  constexpr std::string_view kWord = "\ninterrupting, state is kept; once more to stop at once\n";
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, kWord.data(), kWord.size());
  if (ConductorAI* ai = interruptible.load()) ai->interrupt();
}

Options options_for(const Project& project, const definition::Config& config, SessionRequest request) {
  Options options = configured_options(project, config);
  options.create_state = request.create;
  options.on_progress = std::move(request.on_progress);
  options.on_text = std::move(request.on_text);
  return options;
}

/// What can be written down and is not heeded must be refused, or somebody relies on it.
Result<void> check_heeded(const definition::Config& config) {
  const auto source = config.sources.find("runtime.shutdown-timeout");
  if (source == config.sources.end() || source->second == "default") return {};
  return fail(ErrorCode::unsupported, "runtime.shutdown-timeout: this build stops running attempts at once, and `resume` goes on",
              source->second, "leave it out");
}

}  // namespace

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (auto equals = text.find('='); equals != std::string_view::npos) out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

Result<definition::Config> load_configuration(const Globals& globals, const Project& project, std::map<std::string, std::string> flags) {
  if (!globals.state.empty()) flags.insert_or_assign("runtime.state", globals.state);
  if (!globals.log_level.empty()) flags.insert_or_assign("runtime.log-level", globals.log_level);
  definition::ConfigRequest request{.project_root = project.root, .environment = environment(), .flags = std::move(flags)};
  if (!globals.config_file.empty()) request.file = globals.config_file;
  auto config = definition::load_config(request);
  if (config) return std::move(*config);
  for (std::size_t i = 1; i < config.error().size(); ++i) report(config.error()[i]);
  return fail(config.error().front());
}

Options configured_options(const Project& project, const definition::Config& config) {
  Options options{.project_root = project.root, .state_dir = project.state_dir};
  options.state = config.runtime.state;
  options.artifacts = config.runtime.artifacts;
  options.agents_per_type = config.runtime.agents_per_type;
  options.agent_capacity = config.runtime.agent_capacity;
  options.max_concurrent_tasks = config.runtime.max_concurrent_tasks;
  options.dependency_cache_bytes = config.runtime.dependency_cache;
  options.day_budget = config.budget.per_day;
  options.cleanup_timeout = config.runtime.cleanup_timeout;
  options.breaker_failures = config.runtime.breaker_failures;
  options.breaker_open = config.runtime.breaker_open;
  options.breaker_wait = config.runtime.breaker_wait;
  options.agents = config.runtime.agents;
  options.llm = llm_options(config, project);
  options.secrets = definition::readable_secrets(config);
  return options;
}

Session::Session(Project project, definition::Config config, std::unique_ptr<ConductorAI> ai)
    : project_(std::move(project)), config_(std::move(config)), ai_(std::move(ai)) {}

Session::~Session() {
  interruptible.store(nullptr);
  ai_->shutdown();
}

Result<std::unique_ptr<Session>> Session::open(const Globals& globals, SessionRequest request) {
  Project project = find_project(".", globals.state_dir);
  auto config = load_configuration(globals, project, request.flags);
  if (!config) return fail(config.error());
  if (auto heeded = check_heeded(*config); !heeded) return fail(heeded.error());
  const bool create = request.create;
  auto ai = std::make_unique<ConductorAI>(options_for(project, *config, std::move(request)));
  if (auto ready = ai->initialize(); !ready) {
    // A state directory that is not ours to write is the machine's matter, not the user's text.
    Error error = ready.error();
    if (error.code == ErrorCode::permission_denied) error.code = ErrorCode::unavailable;
    return fail(std::move(error));
  }
  if (create && config->runtime.state != "memory") exclude_from_git(project.state_dir);
  return std::unique_ptr<Session>(new Session(std::move(project), std::move(*config), std::move(ai)));
}

void Session::catch_signals() {
  interruptible.store(ai_.get());
  struct sigaction action{};
  action.sa_handler = on_signal;
  ::sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

int Session::signal() {
  return caught.load();
}

Result<WorkflowId> Session::find_only(const std::function<bool(const WorkflowSummary&)>& fits, const std::string& wanted) {
  auto known = all();
  if (!known) return fail(known.error());
  std::vector<WorkflowSummary> found;
  for (auto& summary : *known)
    if (fits(summary)) found.push_back(std::move(summary));
  if (found.size() == 1) return found.front().id;
  if (found.empty())
    return fail(ErrorCode::not_found, "there is nothing to " + wanted, project_.state_dir.string(), "conductorai list shows all workflows");
  std::string list;
  for (const auto& summary : found)
    list += (list.empty() ? "" : ", ") + summary.id.str() + " " + summary.name + " " + std::string(to_string(summary.status));
  return fail(ErrorCode::invalid_argument, "there are several workflows to " + wanted + ": name one", list);
}

Result<std::vector<WorkflowSummary>> Session::all(WorkflowFilter filter) {
  std::vector<WorkflowSummary> out;
  filter.limit = 500;
  while (true) {
    auto page = ai_->list_workflows(filter);
    if (!page) return fail(page.error());
    out.insert(out.end(), page->begin(), page->end());
    if (page->size() < static_cast<std::size_t>(filter.limit)) return out;
    filter.after = page->back().id.str();
  }
}

Result<WorkflowId> Session::find(const std::string& text) {
  auto known = all();
  if (!known) return fail(known.error());
  if (text.empty()) {
    if (known->empty())
      return fail(ErrorCode::not_found, "there is no workflow yet", project_.state_dir.string(), "conductorai run starts one");
    return known->front().id;
  }
  const std::string wanted = lower(text);
  std::vector<WorkflowId> matches;
  for (const auto& summary : *known) {
    const std::string id = lower(summary.id.str());
    if (id == wanted) return summary.id;
    if (id.starts_with(wanted) || id.starts_with("wf-" + wanted)) matches.push_back(summary.id);
  }
  if (matches.size() == 1) return matches.front();
  if (matches.empty()) return fail(ErrorCode::not_found, "no such workflow", text, "conductorai list shows those of this project");
  std::string list;
  for (const auto& id : matches) list += (list.empty() ? "" : ", ") + id.str();
  return fail(ErrorCode::invalid_argument, "the id is ambiguous: " + text, list);
}

Result<OpenedWorkflow> open_workflow(const Globals& globals, const std::string& id) {
  auto session = Session::open(globals, {});
  if (!session) return fail(session.error());
  auto found = (*session)->find(id);
  if (!found) return fail(found.error());
  return OpenedWorkflow{std::move(*session), std::move(*found)};
}

void warn(const definition::Config& config, const std::string& sentence) {
  if (config.runtime.log_level == "off" || config.runtime.log_level == "error") return;
  std::cerr << "conductorai: warning: " << clean_line(sentence) << "\n";
}

std::string user_name() {
  char host[256] = "localhost";
  (void)::gethostname(host, sizeof host - 1);
  const passwd* entry = ::getpwuid(::getuid());
  return (entry != nullptr ? std::string(entry->pw_name) : std::to_string(::getuid())) + "@" + host;
}

}  // namespace conductorai::cli
