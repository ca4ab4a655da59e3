#include "infrastructure/releases/container_driver.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <sstream>

#include "infrastructure/releases/container_engine.hpp"
#include "infrastructure/releases/container_guard.hpp"
#include "infrastructure/releases/namespace_door.hpp"
#include "infrastructure/releases/process_figures.hpp"
#include "infrastructure/releases/tcp_port.hpp"
#include "infrastructure/sandbox/text_cleaner.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure::releases {

namespace fs = std::filesystem;

namespace {

constexpr int kPublishedPort = 8080;
constexpr Milliseconds kLook{50};
constexpr Milliseconds kEndTold{2'000};
constexpr std::int64_t kKeptWords = 4096;
constexpr std::size_t kBuildWords = 2000;
constexpr rlim_t kFilesMax = 65'536;
constexpr rlim_t kTasksMax = 8'192;
constexpr const char* kAppLabel = "conductorai.app";
constexpr const char* kReleaseLabel = "conductorai.release";

std::string text_of(const Object& with, std::string_view key, std::string otherwise) {
  const auto found = with.find(key);
  const std::string* text = found == with.end() ? nullptr : found->second.as_string();
  return text == nullptr ? std::move(otherwise) : *text;
}

std::string label(const char* name, const std::string& value) {
  return std::string(name) + "=" + value;
}

/// Engines ask for more than an ordinary machine allows, and then cannot start anything.
std::string files_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto most = std::min(limit.rlim_max, kFilesMax);
  return fmt::format("nofile={}:{}", most, most);
}

std::string mebibytes(std::int64_t bytes) {
  return fmt::format("{} MiB", bytes >> 20);
}

struct Surroundings {
  runtime::Loop& loop;
  ContainerEngine engine;
  fs::path helper;
};

class ContainerInstance final : public Instance {
 public:
  ContainerInstance(const Surroundings& around, StartRequest request, std::string name)
      : around_(around),
        request_(std::move(request)),
        name_(std::move(name)),
        walled_(request_.release.limits.enabled && request_.release.limits.network != Network::full),
        port_(walled_ ? request_.public_port : kPublishedPort),
        run_(around.loop) {
    const auto chosen = request_.release.with.find("container-port");
    if (chosen != request_.release.with.end())
      if (const auto* number = chosen->second.as_int()) port_ = static_cast<int>(*number);
  }

  task<Result<void>> start();
  Result<UniqueFd> dial() override;
  runtime::Event& ended() override { return ended_; }
  [[nodiscard]] std::string how() const override { return how_; }
  [[nodiscard]] const Error* defect() const override { return error_ ? &*error_ : nullptr; }
  [[nodiscard]] Consumption consumption() const override { return ended_.is_set() ? Consumption{} : figures_of(first_); }
  task<void> stop(Milliseconds grace) override;

 private:
  task<Result<bool>> has_image();
  task<Result<bool>> build();
  [[nodiscard]] ProcessSpec create() const;
  task<void> run();
  task<void> tell_end(Result<ProcessResult> result);
  task<Result<void>> until_running();
  task<Result<void>> find_way_in();
  task<void> end(Milliseconds grace);

  Surroundings around_;
  StartRequest request_;
  std::string name_;
  bool walled_;  // has a network of its own, without a way out
  int port_;     // the service's own
  int dialled_ = 0;
  pid_t first_ = 0;
  bool made_ = false;
  TextCleaner out_, err_;
  runtime::Event ended_;
  std::string how_;
  std::optional<Error> error_;
  std::unique_ptr<ContainerGuard> guard_;
  std::unique_ptr<NamespaceDoor> door_;
  runtime::TaskScope run_;
};

/// An image under this name that is not this release's is built anew.
task<Result<bool>> ContainerInstance::has_image() {
  const std::string format =
      fmt::format("{{{{index .Config.Labels \"{}\"}}}} {{{{index .Config.Labels \"{}\"}}}}", kAppLabel, kReleaseLabel);
  auto said = co_await around_.engine.ask({"image", "inspect", "--format", format, image_of(request_.release, request_.files)});
  if (!said && said.error().code == ErrorCode::cancelled) co_return fail(said.error());
  co_return said && *said == request_.files.parent_path().string() + " " + request_.release.id;
}

/// False: the files make no image; `how_` says why.
task<Result<bool>> ContainerInstance::build() {
  auto there = co_await has_image();
  if (!there || *there) co_return there;
  const Release& release = request_.release;
  const fs::path file = request_.files / text_of(release.with, "dockerfile", "Dockerfile");
  std::vector<std::string> arguments{"build",
                                     "--file",
                                     file.string(),
                                     "--tag",
                                     image_of(release, request_.files),
                                     "--label",
                                     label(kAppLabel, request_.files.parent_path().string()),
                                     "--label",
                                     label(kReleaseLabel, release.id),
                                     "--ulimit",
                                     files_limit()};
  if (release.limits.enabled && release.limits.network == Network::none) arguments.insert(arguments.end(), {"--network", "none"});
  arguments.push_back(request_.files.string());
  auto built = co_await run_process(around_.loop, around_.engine.command(std::move(arguments), release.limits.wall));
  if (!built) co_return fail(built.error());
  const std::string printed = built->out + built->err;
  request_.log->add(clean_text(printed));
  if (built->ok()) co_return true;
  how_ = built->timed_out
             ? fmt::format("its image was not built within {} s", release.limits.wall.count() / 1000)
             : around_.engine.name() +
                   " cannot build its image: " + clean_text(printed.substr(printed.size() - std::min(printed.size(), kBuildWords)));
  co_return false;
}

ProcessSpec ContainerInstance::create() const {
  const Release& release = request_.release;
  const SandboxDefinition& limits = release.limits;
  std::vector<std::string> arguments{
      "create", "--name", name_, "--label", label(kAppLabel, request_.files.parent_path().string()), "--label",
      label(kReleaseLabel, release.id),
      // What it prints comes to us; an engine's own file of it would grow without end.
      "--log-driver", "none", "--read-only", "--tmpfs", "/tmp:rw,nosuid,nodev,mode=1777,size=" + std::to_string(limits.disk_bytes),
      "--cap-drop", "all", "--security-opt", "no-new-privileges", "--memory", std::to_string(limits.memory_bytes), "--memory-swap",
      std::to_string(limits.memory_bytes), "--pids-limit", std::to_string(limits.processes), "--ulimit", files_limit()};
  if (around_.engine.name() == "podman") {
    // Its default is above what may be set inside a virtual machine or a container; what bounds the service is the limit of pids.
    rlimit tasks{};
    ::getrlimit(RLIMIT_NPROC, &tasks);
    arguments.insert(arguments.end(), {"--ulimit", fmt::format("nproc={0}:{0}", std::min(tasks.rlim_max, kTasksMax))});
  }
  if (walled_)
    arguments.insert(arguments.end(), {"--network", "none"});
  else
    arguments.insert(arguments.end(), {"--publish", fmt::format("127.0.0.1::{}", port_)});
  auto variables = release.variables;
  variables["PORT"] = std::to_string(port_);
  variables["HOST"] = walled_ ? "127.0.0.1" : "0.0.0.0";
  ProcessSpec spec = around_.engine.command({}, Milliseconds(60'000));
  for (const auto& [name, value] : variables) {
    // By environment, where no list of processes shows it; unless the engine itself listens to that name.
    const bool plain = spec.environment.emplace(name, value).second;
    arguments.insert(arguments.end(), {"--env", plain ? name : name + "=" + value});
  }
  arguments.push_back(image_of(release, request_.files));
  // The image's own command, unless the task names one; what is detected for other drivers is not meant.
  if (const std::string run = text_of(release.with, "run", {}); !run.empty()) {
    arguments.insert(arguments.end() - 1, {"--entrypoint", "/bin/sh"});
    arguments.insert(arguments.end(), {"-c", run});
  }
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  return spec;
}

task<void> ContainerInstance::run() {
  ProcessSpec spec = around_.engine.command({"start", "--attach", name_}, Milliseconds(0));
  spec.timeout.reset();
  spec.output_bytes_max = kKeptWords;
  spec.on_stdout = [this](std::string_view piece) { request_.log->add(out_.feed(piece)); };
  spec.on_stderr = [this](std::string_view piece) { request_.log->add(err_.feed(piece)); };
  auto result = co_await run_process(around_.loop, std::move(spec));
  co_await runtime::shielded(tell_end(std::move(result)));
  ended_.set();
}

task<void> ContainerInstance::tell_end(Result<ProcessResult> result) {
  auto state = co_await around_.engine.state_of(name_);
  if (!state) {
    how_ = "its container is gone";
  } else if (state->out_of_memory) {
    how_ = "stopped: memory limit of " + mebibytes(request_.release.limits.memory_bytes);
  } else if (state->begun && state->exit_code <= 128) {
    how_ = "exit code " + std::to_string(state->exit_code);
  } else if (state->begun) {
    how_ = "killed by signal " + std::to_string(state->exit_code - 128);
  } else {
    const std::string words = result ? clean_text(result->err) : to_string(result.error());
    how_ = around_.engine.name() + " cannot start its container: " + words;
    // What runtimes say of a command that the image does not have: the release's fault, not the machine's.
    if (words.find("exec: \"") == std::string::npos) error_ = fail(ErrorCode::unavailable, how_).error();
  }
}

task<Result<void>> ContainerInstance::until_running() {
  while (!ended_.is_set()) {
    auto state = co_await around_.engine.state_of(name_);
    if (!state) co_return fail(state.error());
    if (state->running && state->process > 0) {
      first_ = state->process;
      co_return Result<void>{};
    }
    (void)co_await runtime::with_deadline(around_.loop, kLook, "the container's start", ended_.wait());
    const TaskEnvironment environment = co_await current_environment();
    if (environment.cancelled()) co_return fail(ErrorCode::cancelled, "cancelled");
  }
  co_return Result<void>{};
}

task<Result<void>> ContainerInstance::find_way_in() {
  if (walled_) {
    dialled_ = port_;
    const WorkArea ourselves{.root = {}, .uid = ::geteuid(), .gid = ::getegid()};
    auto door = co_await NamespaceDoor::open(around_.loop, first_, ourselves, around_.helper);
    if (!door)
      co_return fail(door.error().code, door.error().message, door.error().where, "sandbox.network: full publishes its port instead");
    door_ = std::move(*door);
    co_return Result<void>{};
  }
  auto said = co_await around_.engine.ask({"port", name_, std::to_string(port_) + "/tcp"});
  if (!said) co_return fail(said.error());
  const auto colon = said->rfind(':');
  const char* digits = said->data() + (colon == std::string::npos ? said->size() : colon + 1);
  if (std::from_chars(digits, said->data() + said->size(), dialled_).ec != std::errc{})
    co_return fail(ErrorCode::unavailable, around_.engine.name() + " tells no published port: " + *said);
  co_return Result<void>{};
}

task<Result<void>> ContainerInstance::start() {
  auto built = co_await build();
  if (!built) co_return fail(built.error());
  if (!*built) {
    ended_.set();
    co_return Result<void>{};
  }
  // Before there is anything to guard: what is made while we die is made, not started.
  auto guard = ContainerGuard::start(around_.helper, around_.engine.program(), name_, around_.engine.environment());
  if (!guard) co_return fail(guard.error());
  guard_ = std::move(*guard);
  made_ = true;
  auto created = co_await run_process(around_.loop, create());
  if (!created) co_return fail(created.error());
  if (!created->ok())
    co_return fail(ErrorCode::unavailable, around_.engine.name() + " cannot make the container: " + clean_text(created->err));
  run_.spawn(run());
  auto running = co_await until_running();
  if (running && !ended_.is_set()) running = co_await find_way_in();
  // A service that has ended meanwhile is its own matter: `ended` tells, as soon as the engine does.
  if (!running && running.error().code != ErrorCode::cancelled)
    (void)co_await runtime::with_deadline(around_.loop, kEndTold, "the container's end", ended_.wait());
  if (!running && running.error().code != ErrorCode::cancelled && ended_.is_set()) running = {};
  if (ended_.is_set() && error_) co_return fail(*error_);
  co_return running;
}

Result<UniqueFd> ContainerInstance::dial() {
  if (ended_.is_set() || (walled_ && !door_)) return fail(ErrorCode::unavailable, "the service has ended");
  auto socket = walled_ ? door_->socket() : Result<UniqueFd>(tcp_socket());
  if (!socket) return socket;
  if (auto begun = begin_connect(socket->get(), dialled_); !begun) return fail(begun.error());
  return socket;
}

task<void> ContainerInstance::end(Milliseconds grace) {
  if (!ended_.is_set() && first_ > 0 && grace > Milliseconds(0)) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(grace).count();
    auto stopping = co_await run_process(
        around_.loop, around_.engine.command({"stop", "--time", std::to_string(seconds), name_}, grace + Milliseconds(30'000)));
    if (stopping && stopping->ok()) (void)co_await runtime::with_deadline(around_.loop, grace, "the container's end", ended_.wait());
  }
  if (made_) co_await around_.engine.remove(name_);
}

task<void> ContainerInstance::stop(Milliseconds grace) {
  co_await runtime::shielded(end(grace));
  run_.cancel();
  co_await run_.join();
  if (!ended_.is_set()) ended_.set();
  door_.reset();
  guard_.reset();
}

class ContainerDriver final : public Driver {
 public:
  ContainerDriver(runtime::Loop& loop, std::map<std::string, std::string> environment, fs::path helper)
      : loop_(loop), environment_(std::move(environment)), helper_(std::move(helper)) {}

  task<Result<std::shared_ptr<Instance>>> start(StartRequest request) override;
  task<void> clear(Release release, fs::path app_files) override;
  task<void> forget(Release release, fs::path files) override;

 private:
  task<Result<ContainerEngine>> engine_of(const Release& release) {
    return ContainerEngine::find(loop_, environment_, text_of(release.with, "engine", {}));
  }

  runtime::Loop& loop_;
  std::map<std::string, std::string> environment_;
  fs::path helper_;
  int starts_ = 0;
};

task<Result<std::shared_ptr<Instance>>> ContainerDriver::start(StartRequest request) {
  auto engine = co_await engine_of(request.release);
  if (!engine) co_return fail(engine.error());
  // Of this start alone, so that the guard of an earlier one cannot mean it.
  std::string name = fmt::format("conductorai-{}-{}-{}-{}", request.files.parent_path().parent_path().filename().string(),
                                 request.release.slug, ::getpid(), ++starts_);
  auto instance =
      std::make_shared<ContainerInstance>(Surroundings{loop_, std::move(*engine), helper_}, std::move(request), std::move(name));
  auto started = co_await instance->start();
  if (started) co_return instance;
  co_await runtime::shielded(instance->stop(Milliseconds(0)));
  co_return fail(started.error());
}

task<void> ContainerDriver::clear(Release release, fs::path app_files) {
  auto engine = co_await engine_of(release);
  if (!engine) co_return;
  auto said = co_await engine->ask({"ps", "--all", "--quiet", "--filter", "label=" + label(kAppLabel, app_files.string())});
  if (!said) co_return;
  std::istringstream lines(*said);
  for (std::string container; std::getline(lines, container);) co_await engine->remove(container);
}

task<void> ContainerDriver::forget(Release release, fs::path files) {
  auto engine = co_await engine_of(release);
  if (engine) (void)co_await engine->ask({"rmi", image_of(release, files)});
}

}  // namespace

std::string image_of(const Release& release, const fs::path& files) {
  std::string tag = release.id.substr(0, 120);
  std::ranges::replace_if(tag, [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '_' && c != '.'; }, '-');
  if (tag.empty() || tag.front() == '-' || tag.front() == '.') tag.insert(0, "r");
  return "localhost/conductorai/" + files.parent_path().parent_path().filename().string() + ":" + tag;
}

std::unique_ptr<Driver> make_container_driver(runtime::Loop& loop, std::map<std::string, std::string> environment, fs::path helper) {
  return std::make_unique<ContainerDriver>(loop, std::move(environment), std::move(helper));
}

}  // namespace conductorai::infrastructure::releases
