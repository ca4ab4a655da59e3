// The Monitor agent against a real service in Python, by real probes; the release's owner is a fake.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <fstream>

#include "agents/monitoring/agents.hpp"
#include "core/json.hpp"
#include "infrastructure/probe/network_prober.hpp"
#include "tests/support/fake_release_manager.hpp"
#include "tests/support/fake_task_context.hpp"
#include "tests/support/raw_server.hpp"
#include "tests/support/temp_folder.hpp"

namespace conductorai {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;

constexpr const char* kService = R"py(
import http.server, os, sys
class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/healthz": self.answer(200, b'{"ok": true}')
        elif self.path == "/r/abc": self.answer(302, b'', Location="https://example.org")
        elif self.path == "/r/missing": self.answer(500, b'Traceback: KeyError \x1b[31mmissing\xff')
        else: self.answer(404, b'')
    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items(): self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
print(server.server_port, os.getpid(), flush=True)
server.serve_forever()
)py";

class PythonService {
 public:
  PythonService() {
    std::ofstream(folder_.path() / "service.py") << kService;
    pipe_ = ::popen(("exec /usr/bin/python3 " + (folder_.path() / "service.py").string()).c_str(), "r");
    if (pipe_ == nullptr || std::fscanf(pipe_, "%d %d", &port_, &pid_) != 2) ADD_FAILURE() << "the service did not start";
  }
  ~PythonService() { stop(); }
  PythonService(const PythonService&) = delete;
  PythonService& operator=(const PythonService&) = delete;
  void stop() {
    if (pipe_ == nullptr) return;
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    ::pclose(pipe_);
    pipe_ = nullptr;
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  testing::TempFolder folder_{"service"};
  FILE* pipe_ = nullptr;
  int port_ = 0, pid_ = 0;
};

class MonitorAgent : public ::testing::Test {
 protected:
  MonitorAgent() : context(loop, "monitor", "monitor", {{"service.py", kService}}) {
    context.definition.tasks.resize(1);
    context.definition.tasks[0].id = TaskId("code");
    releases.printed = "listening\n";
  }

  void deployed_at(const std::string& url) {
    ReleaseInfo info{.id = "r1"};
    info.state = ReleaseState::serving;
    info.alive = true;
    info.url = url;
    releases.releases = {info};
    context.given.upstream[TaskId("deploy")] = Object{{"release", "r1"}, {"url", url}};
  }
  void with(std::string_view json) {
    auto value = core::parse_json(json);
    ASSERT_TRUE(value);
    context.set_with(*value->as_object());
  }
  TaskResult run() {
    auto agent = agents::make_monitor_agent(AgentId("monitor-01"), 1, prober, releases);
    return runtime::run_to_end(loop, agent->execute_task(context));
  }
  /// What an endless, broken or hostile server makes of a short window.
  TaskResult run_against(testing::RawServer::Handler handler, std::string_view probe = R"({"get":"/","status":200,"timeout":"150ms"})") {
    testing::RawServer server(std::move(handler));
    deployed_at(server.url(""));
    with(R"({"window":"300ms","interval":"20ms","probes":[)" + std::string(probe) + "]}");
    return run();
  }

  runtime::Loop loop;
  infrastructure::NetworkProber prober{loop};
  testing::FakeTaskContext context;
  testing::FakeReleaseManager releases;
};

TEST_F(MonitorAgent, PassesAHealthyServiceWithoutAskingAModel) {
  const PythonService service;
  deployed_at(service.url());
  with(
      R"({"window":"500ms","probes":[{"get":"/healthz","status":200,"expect":{"json":{"ok":true}}},{"get":"/r/abc","status":302},{"tcp":true}],
           "slo":{"availability":1,"p95-ms":2000}})");
  const TaskResult result = run();
  ASSERT_EQ(result.status, ResultStatus::completed) << (result.error ? to_string(*result.error) : "");
  EXPECT_EQ(result.verdict, Verdict::passed) << result.summary;
  EXPECT_EQ(context.asked.size(), 0u);
  EXPECT_EQ(releases.rejected.size(), 0u);
  EXPECT_EQ(result.outputs->at("availability"), Value(1.0));
  EXPECT_THAT(result.evidence, Contains(Field(&Evidence::kind, "slo")));
  for (const Evidence& evidence : result.evidence) EXPECT_FALSE(evidence.artifact.empty());
  auto samples = core::parse_json(context.artifact("samples.json"));
  ASSERT_TRUE(samples);
  EXPECT_EQ(samples->find("probes")->as_array()->size(), 3u);
  EXPECT_EQ(context.recorded.size(), 1u);
  EXPECT_EQ(context.recorded[0].kind, "probe");
}

TEST_F(MonitorAgent, RejectsAReleaseThatAnswersWronglyAndSaysWhatIsWrong) {
  const PythonService service;
  deployed_at(service.url());
  with(R"({"window":"400ms","probes":[{"get":"/healthz","status":200},{"get":"/r/missing","status":404}]})");
  context.answers.push_back(testing::answer_text(
      R"({"diagnosis":"an unknown code raises KeyError","findings":[{"severity":"error","file":"service.py","line":6,"message":"no 404"}],
          "recommendations":["answer 404"],"affected_tasks":["code","nobody"]})"));
  const TaskResult result = run();
  ASSERT_EQ(result.status, ResultStatus::completed) << (result.error ? to_string(*result.error) : "");
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_THAT(releases.rejected, ::testing::ElementsAre("r1"));
  EXPECT_EQ(result.outputs->at("release_state"), Value("degraded"));
  ASSERT_TRUE(result.feedback);
  EXPECT_TRUE(result.feedback->target.empty());
  EXPECT_EQ(result.feedback->severity, Severity::critical);
  ASSERT_EQ(result.feedback->findings.size(), 2u);
  EXPECT_EQ(result.feedback->findings[0].source, "probe");
  EXPECT_THAT(result.feedback->findings[0].message,
              HasSubstr("expected status 404, got 500; the body begins \"Traceback: KeyError missing"));
  EXPECT_EQ(result.feedback->findings[1].source, "llm");
  EXPECT_THAT(result.feedback->affected_tasks, ::testing::ElementsAre(TaskId("code")));
  ASSERT_EQ(context.asked.size(), 1u);
  const std::string& prompt = context.asked[0].messages.back().text;
  EXPECT_THAT(prompt, HasSubstr("<measured>"));
  EXPECT_THAT(prompt, HasSubstr("<log"));
}

TEST_F(MonitorAgent, TheVerdictStandsWithoutAModelOrWithOneThatClaimsHealth) {
  const PythonService service;
  deployed_at(service.url());
  with(R"({"window":"300ms","probes":[{"get":"/nowhere","status":200}]})");
  EXPECT_EQ(run().verdict, Verdict::failed) << "no answer is scripted";
  for (const char* answer : {"", "all is well", "{}",
                             R"({"diagnosis":"healthy","verdict":"passed","findings":[],"recommendations":[],"affected_tasks":["x"]})"}) {
    context.answers.push_back(testing::answer_text(answer));
    const TaskResult result = run();
    EXPECT_EQ(result.verdict, Verdict::failed) << answer;
    ASSERT_TRUE(result.feedback);
    EXPECT_EQ(result.feedback->findings.size(), 1u);
    EXPECT_TRUE(result.feedback->affected_tasks.empty());
  }
}

TEST_F(MonitorAgent, ABudgetThatIsUsedUpSuspendsAfterTheReleaseGaveWay) {
  const PythonService service;
  deployed_at(service.url());
  with(R"({"window":"300ms","probes":[{"get":"/nowhere","status":200}]})");
  context.answers.emplace_back(fail(ErrorCode::budget_exhausted, "no call left"));
  const TaskResult result = run();
  EXPECT_EQ(result.status, ResultStatus::suspended);
  EXPECT_THAT(releases.rejected, ::testing::ElementsAre("r1"));
}

TEST_F(MonitorAgent, AServiceThatIsGoneIsAFailedVerdict) {
  PythonService service;
  deployed_at(service.url());
  service.stop();
  with(R"({"window":"300ms"})");
  const TaskResult result = run();
  EXPECT_EQ(result.verdict, Verdict::failed) << result.summary;
  EXPECT_EQ(result.outputs->at("availability"), Value(0.0));
}

TEST_F(MonitorAgent, EveryHostileServiceIsAFailedVerdictWithEvidence) {
  using Connection = testing::RawConnection;
  const std::vector<std::pair<const char*, testing::RawServer::Handler>> services{
      {"hangs in mid-body",
       [](Connection& c) {
         (void)c.read_request();
         c.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
         c.hang();
       }},
      {"redirects in circles", [](Connection& c) { (void)c.read_request(), c.send(testing::http_answer(302, "", "Location: /\r\n")); }},
      {"chunked garbage",
       [](Connection& c) { (void)c.read_request(), c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nXYZ\r\n"); }},
      {"closes at once", [](Connection&) {}},
      {"drips",
       [](Connection& c) {
         c.send("HTTP/1.1 200 OK\r\nX: ");
         while (c.pause(10) && c.send("x")) {
         }
       }},
      {"wrong length", [](Connection& c) { (void)c.read_request(), c.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort"); }},
      {"headers without end",
       [](Connection& c) {
         (void)c.read_request();
         c.send("HTTP/1.1 200 OK\r\n");
         while (c.send("X-Y: " + std::string(1'000, 'z') + "\r\n")) {
         }
       }},
      {"no HTTP at all", [](Connection& c) { (void)c.read_request(), c.send("\x1b[2J\xff\xfe rubbish\r\n\r\n"); }},
  };
  for (const auto& [name, handler] : services) {
    const TaskResult result = run_against(handler);
    ASSERT_EQ(result.status, ResultStatus::completed) << name << ": " << (result.error ? to_string(*result.error) : "");
    EXPECT_EQ(result.verdict, Verdict::failed) << name;
    EXPECT_FALSE(result.evidence.empty()) << name;
    for (const Finding& finding : result.feedback->findings)
      for (const char c : finding.message) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << name;
  }
}

TEST_F(MonitorAgent, AnAnswerOf200WithRubbishFailsWhereItsContentIsLookedAt) {
  const TaskResult result =
      run_against([](testing::RawConnection& c) { (void)c.read_request(), c.send(testing::http_answer(200, "<html>\xff oops")); },
                  R"({"get":"/","status":200,"expect":{"json":{"ok":true}}})");
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_THAT(result.feedback->findings[0].message, HasSubstr("expected JSON"));
}

TEST_F(MonitorAgent, NeedsARelease) {
  const TaskResult result = run();
  EXPECT_EQ(result.status, ResultStatus::failed);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code, ErrorCode::invalid_argument);
  EXPECT_THAT(result.error->message, HasSubstr("made a release"));
}

}  // namespace
}  // namespace conductorai
