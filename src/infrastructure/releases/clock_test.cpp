// The wall clock is set while the supervisor waits: what it has promised in milliseconds stays milliseconds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstdlib>
#include <filesystem>

#include "infrastructure/releases/app_supervisor.hpp"
#include "infrastructure/releases/tcp_port.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure::releases {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr auto kTenYears = std::chrono::hours(24 * 3650);

/// The loop's, but for the time of day, which jumps forward and back at every look.
class JumpingClock final : public Clock {
 public:
  explicit JumpingClock(runtime::Loop& loop) : loop_(loop) {}
  [[nodiscard]] Timestamp now() const override {
    forward_ = !forward_;
    return loop_.now() + (forward_ ? kTenYears : -kTenYears);
  }
  [[nodiscard]] Instant steady_now() const override { return loop_.steady_now(); }
  [[nodiscard]] std::unique_ptr<Timer> call_after(std::chrono::nanoseconds delay, std::function<void()> function) override {
    delays.push_back(std::chrono::duration_cast<Milliseconds>(delay));
    return loop_.call_after(delay, std::move(function));
  }
  std::vector<Milliseconds> delays;

 private:
  runtime::Loop& loop_;
  mutable bool forward_ = false;
};

/// Listens, so that connections are taken; or does not.
class Service final : public Instance {
 public:
  explicit Service(bool listens) : bound_(std::move(*bind_port(0))) {
    if (listens) ::listen(bound_.socket.get(), 64);
  }
  Result<UniqueFd> dial() override {
    UniqueFd socket = tcp_socket();
    if (auto begun = begin_connect(socket.get(), bound_.port); !begun) return fail(begun.error());
    return socket;
  }
  runtime::Event& ended() override { return ended_; }
  [[nodiscard]] std::string how() const override { return "exit code 1"; }
  [[nodiscard]] Consumption consumption() const override { return {}; }
  task<void> stop(Milliseconds /*grace*/) override {
    ended_.set();
    co_return;
  }

 private:
  BoundSocket bound_;
  runtime::Event ended_;
};

class Services final : public Driver {
 public:
  task<Result<std::shared_ptr<Instance>>> start(StartRequest request) override {
    latest = std::make_shared<Service>(request.release.run != "deaf");
    ++starts;
    co_return std::static_pointer_cast<Instance>(latest);
  }
  std::shared_ptr<Service> latest;
  int starts = 0;
};

class JumpingClocks : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "clocks-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root = name;
    fs::create_directory(root / "files");
    const AppFolder folder = AppFolder::of(root, "demo", "default");
    ASSERT_TRUE(folder.make());
    Drivers drivers;
    auto made = std::make_unique<Services>();
    services = made.get();
    drivers["process"] = std::move(made);
    app = std::make_unique<AppSupervisor>(loop, clock, folder, AppState{}, std::move(drivers));
  }
  void TearDown() override {
    runtime::run_to_end(loop, app->close());
    app.reset();
    std::error_code ignored;
    fs::remove_all(root, ignored);
  }
  ReleaseInfo deploy(const std::string& id, const std::string& run) {
    Release release{.id = id, .app = "demo", .environment = "default", .driver = "process", .run = run};
    release.health.interval = Milliseconds(20);
    release.health.start_timeout = Milliseconds(400);
    release.with = {{"restart-backoff", "10ms"}, {"restarts", 3}, {"restart-window", "10m"}, {"drain", "0ms"}};
    auto deployed = runtime::run_to_end(loop, app->deploy(std::move(release), root / "files"));
    EXPECT_TRUE(deployed) << (deployed ? "" : to_string(deployed.error()));
    return deployed ? *deployed : ReleaseInfo{};
  }
  /// Runs the loop until it holds, at most ten seconds.
  bool soon(const std::function<bool()>& condition) {
    bool late = false;
    const auto timer = loop.call_after(10s, [&late] { late = true; });
    loop.run_until([&] { return late || condition(); });
    return !late;
  }
  void die() {
    const int before = services->starts;
    services->latest->ended().set();
    ASSERT_TRUE(soon([&] { return services->starts > before && app->get("a.1")->alive; }));
  }

  fs::path root;
  runtime::Loop loop;
  JumpingClock clock{loop};
  Services* services = nullptr;
  std::unique_ptr<AppSupervisor> app;
};

TEST_F(JumpingClocks, LeaveBackOffAndRestartCountersAsTheyAre) {
  ASSERT_EQ(deploy("a.1", "good").state, ReleaseState::serving);
  for (int death = 1; death <= 3; ++death) {
    die();
    EXPECT_EQ(app->get("a.1")->restarts, death);
  }
  for (const auto pause : {10ms, 20ms, 40ms}) EXPECT_THAT(clock.delays, Contains(Milliseconds(pause)));
  // Ten years later by the wall clock, and still the fourth death within ten minutes.
  services->latest->ended().set();
  ASSERT_TRUE(soon([&] { return app->get("a.1")->state == ReleaseState::failed; }));
  EXPECT_THAT(app->get("a.1")->reason, HasSubstr("it died 4 times"));
}

TEST_F(JumpingClocks, LeaveTheDeadlineOfTheHealthCheckAsItIs) {
  ASSERT_EQ(deploy("a.1", "good").state, ReleaseState::serving);
  const Instant began = loop.steady_now();
  const ReleaseInfo deaf = deploy("a.2", "deaf");
  const auto took = loop.steady_now() - began;
  EXPECT_EQ(deaf.state, ReleaseState::failed);
  EXPECT_THAT(deaf.reason, HasSubstr("not healthy within 400 ms"));
  EXPECT_GE(took, 400ms);
  EXPECT_LT(took, 10s);
  EXPECT_EQ(app->get("a.1")->state, ReleaseState::serving);
}

TEST_F(JumpingClocks, LeaveTheOrderOfReleasesAsItIs) {
  for (const char* id : {"a.1", "a.2", "a.3"}) ASSERT_EQ(deploy(id, "good").state, ReleaseState::serving);
  const auto listed = app->list();
  ASSERT_EQ(listed.size(), 3U);
  EXPECT_EQ(listed[0].id, "a.3");
  EXPECT_EQ(listed[2].id, "a.1");
}

}  // namespace
}  // namespace conductorai::infrastructure::releases
