#include "infrastructure/releases/process_driver.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "infrastructure/releases/namespace_door.hpp"
#include "infrastructure/releases/process_figures.hpp"
#include "infrastructure/releases/tcp_port.hpp"
#include "infrastructure/sandbox/process_tree.hpp"
#include "infrastructure/sandbox/sandboxes.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure::releases {

namespace fs = std::filesystem;

namespace {

struct Surroundings {
  runtime::Loop& loop;
  fs::path state_dir;
  fs::path helper;
};

class ProcessInstance final : public Instance {
 public:
  ProcessInstance(const Surroundings& around, StartRequest request)
      : around_(around),
        request_(std::move(request)),
        walled_(request_.release.limits.enabled && request_.release.limits.network != Network::full),
        sandbox_(make()),
        run_(around.loop) {}

  task<Result<void>> start();
  Result<UniqueFd> dial() override;
  runtime::Event& ended() override { return ended_; }
  [[nodiscard]] std::string how() const override { return how_; }
  [[nodiscard]] const Error* defect() const override { return error_ ? &*error_ : nullptr; }
  [[nodiscard]] Consumption consumption() const override { return ended_.is_set() ? Consumption{} : figures_of(first_); }
  task<void> stop(Milliseconds grace) override;

 private:
  std::unique_ptr<Sandbox> make();
  [[nodiscard]] SandboxCommand command() const;
  task<void> run();
  void ask_to_end() const;

  Surroundings around_;
  StartRequest request_;
  bool walled_;  // has a network of its own
  std::unique_ptr<Sandbox> sandbox_;
  int port_ = 0;  // the service's own
  pid_t first_ = 0;
  runtime::Event started_;
  runtime::Event ended_;
  std::string how_;
  std::optional<Error> error_;
  std::unique_ptr<NamespaceDoor> door_;
  runtime::TaskScope run_;
};

std::unique_ptr<Sandbox> ProcessInstance::make() {
  SandboxOptions options{.state_dir = around_.state_dir, .helper = around_.helper};
  options.on_start = [this](int first) {
    first_ = first;
    started_.set();
  };
  return request_.release.limits.enabled ? make_bubblewrap_sandbox(around_.loop, std::move(options))
                                         : make_no_sandbox(around_.loop, std::move(options));
}

SandboxCommand ProcessInstance::command() const {
  SandboxCommand command;
  command.argv = {"/bin/sh", "-c", request_.release.run};
  command.workspace = request_.files;
  command.environment = request_.release.variables;
  command.environment["PORT"] = std::to_string(port_);
  command.environment["HOST"] = "127.0.0.1";
  command.limits = request_.release.limits;
  command.limits.wall = kNoWall;
  command.limits.output_bytes = kNoOutputFile;
  command.network = request_.release.limits.network == Network::full;
  command.on_output = [log = request_.log](std::string_view text) { log->add(text); };
  return command;
}

task<void> ProcessInstance::run() {
  auto result = co_await sandbox_->run(command());
  how_ = result ? result->describe() : to_string(result.error());
  if (!result && result.error().code != ErrorCode::cancelled) error_ = result.error();
  ended_.set();
  started_.set();
}

task<Result<void>> ProcessInstance::start() {
  // In a network of its own the service may have the public number, so that addresses it makes up from $PORT are right outside too.
  port_ = request_.public_port;
  if (!walled_) {
    auto port = free_port();
    if (!port) co_return fail(port.error());
    port_ = *port;
  }
  run_.spawn(run());
  auto begun = co_await started_.wait();
  if (!begun) co_return begun;
  if (ended_.is_set() && error_) co_return fail(*error_);
  if (!walled_ || ended_.is_set()) co_return Result<void>{};
  auto door = co_await NamespaceDoor::open(around_.loop, first_, work_area(around_.state_dir), around_.helper);
  if (door) door_ = std::move(*door);
  // A service that has ended meanwhile is its own matter: `ended` tells.
  if (!door && !ended_.is_set()) co_return fail(door.error());
  co_return Result<void>{};
}

Result<UniqueFd> ProcessInstance::dial() {
  if (ended_.is_set() || (walled_ && !door_)) return fail(ErrorCode::unavailable, "the service has ended");
  auto socket = walled_ ? door_->socket() : Result<UniqueFd>(tcp_socket());
  if (!socket) return socket;
  if (auto begun = begin_connect(socket->get(), port_); !begun) return fail(begun.error());
  return socket;
}

/// A shell that waits for its command is left alone: its end would be the sandbox's, and with it the end of what is to go in peace.
void ProcessInstance::ask_to_end() const {
  auto processes = descendants(first_);
  if (processes.size() > 1 && is_shell(processes.front())) processes.erase(processes.begin());
  for (const pid_t process : processes) ::kill(process, SIGTERM);
}

task<void> ProcessInstance::stop(Milliseconds grace) {
  if (!ended_.is_set() && first_ > 0 && grace > Milliseconds(0)) {
    ask_to_end();
    (void)co_await runtime::with_deadline(around_.loop, grace, "the service's end", ended_.wait());
  }
  run_.cancel();
  co_await run_.join();
  door_.reset();
}

class ProcessDriver final : public Driver {
 public:
  explicit ProcessDriver(Surroundings around) : around_(std::move(around)) {}

  task<Result<std::shared_ptr<Instance>>> start(StartRequest request) override {
    auto instance = std::make_shared<ProcessInstance>(around_, std::move(request));
    auto started = co_await instance->start();
    if (started) co_return instance;
    co_await runtime::shielded(instance->stop(Milliseconds(0)));
    co_return fail(started.error());
  }

 private:
  Surroundings around_;
};

}  // namespace

std::unique_ptr<Driver> make_process_driver(runtime::Loop& loop, fs::path state_dir, fs::path helper) {
  return std::make_unique<ProcessDriver>(Surroundings{loop, std::move(state_dir), std::move(helper)});
}

}  // namespace conductorai::infrastructure::releases
