#include "infrastructure/releases/command_driver.hpp"

#include <cstdlib>
#include <fstream>

#include "base/printable.hpp"
#include "infrastructure/process/work_area.hpp"
#include "infrastructure/releases/settings.hpp"
#include "infrastructure/sandbox/sandboxes.hpp"

namespace conductorai::infrastructure::releases {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kStatusBytes = 300;
constexpr int kNotRunningMax = 3;  // 1 to 3: not running; 4 and above: not known
constexpr const char* kOutputName = ".conductorai-output";

/// The last "url=…" of what a command told.
std::string url_told(const fs::path& file) {
  std::ifstream in(file);
  std::string url;
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("url=")) url = line.substr(4);
  return url;
}

void forget_output(const CommandResult& result) {
  std::error_code ignored;
  for (const fs::path& file : {result.out.file, result.err.file})
    if (!file.empty()) fs::remove(file, ignored);
}

class CommandDriver final : public PlatformDriver {
 public:
  CommandDriver(runtime::Loop& loop, fs::path state_dir, fs::path helper)
      : loop_(loop), state_dir_(std::move(state_dir)), helper_(std::move(helper)) {}

  [[nodiscard]] Result<void> check(const Release& release) const override {
    if (text_in(release.with, "deploy").find_first_not_of(" \t\n") != std::string::npos) return {};
    return fail(ErrorCode::invalid_argument, "driver command needs a deploy command", "with.deploy");
  }
  task<Result<PlatformAnswer>> deploy(PlatformJob job) override { return perform(std::move(job), "deploy"); }
  task<Result<PlatformAnswer>> roll_back(PlatformJob job) override { return perform(std::move(job), "rollback"); }
  task<Result<PlatformAnswer>> stop(PlatformJob job) override { return perform(std::move(job), "stop"); }
  task<Result<PlatformLook>> look(Carried one) override;
  [[nodiscard]] bool can_roll_back(const Release& release) const override { return !text_in(release.with, "rollback").empty(); }
  [[nodiscard]] bool can_stop(const Release& release) const override { return !text_in(release.with, "stop").empty(); }

 private:
  [[nodiscard]] SandboxCommand command(const PlatformJob& job, const std::string& which, const Sandbox& sandbox) const;
  [[nodiscard]] std::unique_ptr<Sandbox> sandbox_for(const Release& release) const;
  task<Result<PlatformAnswer>> perform(PlatformJob job, std::string which);

  runtime::Loop& loop_;
  fs::path state_dir_;
  fs::path helper_;
};

SandboxCommand CommandDriver::command(const PlatformJob& job, const std::string& which, const Sandbox& sandbox) const {
  const Release& release = job.release;
  SandboxCommand command;
  command.argv = {"/bin/sh", "-c", text_in(release.with, which)};
  command.workspace = job.files;
  // Credentials come from whoever gives the word, each time: they are in no record.
  for (const std::string& name : host_names(release.with))
    if (const char* value = std::getenv(name.c_str())) command.environment[name] = value;
  for (const auto& [name, value] : release.variables) command.environment[name] = value;
  command.environment["RELEASE_ID"] = release.id;
  command.environment["RELEASE_VERSION"] = release.version;
  command.environment["RELEASE_APP"] = release.app;
  command.environment["RELEASE_ENVIRONMENT"] = release.environment;
  command.environment["PREVIOUS_RELEASE_ID"] = job.before ? job.before->release.id : "";
  command.environment["CONDUCTORAI_OUTPUT"] = (sandbox.workspace_path(job.files) / kOutputName).string();
  command.limits = release.limits;
  const auto network = release.with.find("network");
  const bool* granted = network == release.with.end() ? nullptr : network->second.as_bool();
  command.network = granted == nullptr || *granted;
  if (job.log) command.on_output = [log = job.log](std::string_view text) { log->add(text); };
  return command;
}

std::unique_ptr<Sandbox> CommandDriver::sandbox_for(const Release& release) const {
  SandboxOptions options{.state_dir = state_dir_, .helper = helper_};
  return release.limits.enabled ? make_bubblewrap_sandbox(loop_, std::move(options)) : make_no_sandbox(loop_, std::move(options));
}

/// By the exit codes that status commands have in the Linux Standard Base.
task<Result<PlatformLook>> CommandDriver::look(Carried one) {
  if (text_in(one.release.with, "status").empty()) co_return PlatformLook{};
  const auto sandbox = sandbox_for(one.release);
  const auto said = std::make_shared<std::string>();
  SandboxCommand asked = command({std::move(one), {}, nullptr}, "status", *sandbox);
  asked.on_output = [said](std::string_view text) { *said = (*said + std::string(text)).substr(0, kStatusBytes); };
  auto result = co_await sandbox->run(std::move(asked));
  if (!result) co_return fail(result.error());
  forget_output(*result);
  const std::string words = printable_line(*said, kStatusBytes);
  const std::string why = "the status command: " + result->describe() + (words.empty() ? "" : ": " + words);
  if (result->ok()) co_return PlatformLook{.alive = true, .why = {}};
  const bool down = result->exit_code >= 1 && result->exit_code <= kNotRunningMax;
  co_return PlatformLook{.alive = down ? std::optional(false) : std::nullopt, .why = why};
}

task<Result<PlatformAnswer>> CommandDriver::perform(PlatformJob job, std::string which) {
  const auto sandbox = sandbox_for(job.release);
  const fs::path output = job.files / kOutputName;
  std::error_code ignored;
  fs::remove(output, ignored);
  job.log->add("[conductorai] " + which + " command of " + job.release.id + "\n");
  auto result = co_await sandbox->run(command(job, which, *sandbox));
  if (!result) co_return fail(result.error());
  forget_output(*result);
  PlatformAnswer answer{.done = result->ok(), .why = {}, .url = {}};
  if (!fs::is_symlink(output, ignored)) answer.url = url_told(output);
  if (answer.done) co_return answer;
  const std::string words = job.log->last_words();
  answer.why = "the " + which + " command: " + result->describe() + (words.empty() ? "" : "; it printed last: " + words);
  co_return answer;
}

}  // namespace

std::unique_ptr<PlatformDriver> make_command_driver(runtime::Loop& loop, fs::path state_dir, fs::path helper) {
  return std::make_unique<CommandDriver>(loop, std::move(state_dir), std::move(helper));
}

}  // namespace conductorai::infrastructure::releases
