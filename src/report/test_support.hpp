#pragma once
// Workflows made up for tests: told by events, as a journal would.

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "core/json.hpp"
#include "report/history.hpp"
#include "report/page.hpp"

namespace conductorai::report {

/// What every text of a model, a test or a file may try.
inline const std::string kHostile =
    "</script></pre></title><script>window.pwned=1</script><img src=x onerror=\"window.pwned=2\"> \x1b[31mred\x1b]0;t\a "
    "\xe2\x80\xae"
    "evil' \" onmouseover='window.pwned=3 <style>*{display:none}</style> \xff\xfe &lt; {} {0} javascript:window.pwned=4";

inline std::string json_text(std::string_view text) {
  std::string out;
  core::append_json_string(out, text);
  return out;
}

class Told {
 public:
  Told() {
    material.view.id = WorkflowId("wf-01TESTTESTTESTTESTTESTTEST");
    material.view.name = "url-shortener";
    material.view.started_at = at(0);
    material.view.branch = "conductorai/wf-01TEST";
    material.view.commit = std::string(40, 'c');
    material.made_at = at(0);
    material.version = "0.1.0";
    material.fetch = [this](const Digest& digest) -> Result<std::string> {
      const auto known = bytes.find(digest);
      if (known == bytes.end()) return fail(ErrorCode::not_found, "no such artifact");
      return known->second;
    };
  }
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;

  static Timestamp at(std::int64_t ms) { return Timestamp(Milliseconds(1'790'000'000'000 + ms)); }

  void task(std::string id, std::string agent, Phase phase, std::vector<TaskId> needs = {}) {
    material.view.tasks.push_back(
        {.id = TaskId(std::move(id)), .agent = AgentType(std::move(agent)), .phase = phase, .needs = std::move(needs)});
  }
  void event(std::int64_t ms, std::string tag, std::string payload) {
    material.events.push_back({.workflow = material.view.id,
                               .seq = material.events.size() + 1,
                               .at = at(ms),
                               .event = std::move(tag),
                               .version = 1,
                               .payload = std::move(payload)});
    material.view.duration_ms = std::max(material.view.duration_ms, ms);
  }
  ArtifactRef artifact(std::string name, std::string type, std::string text) {
    const Digest digest(fmt::format("sha256:{:064x}", bytes.size() + 1));
    const auto size = static_cast<std::int64_t>(text.size());
    bytes[digest] = std::move(text);
    return {.name = std::move(name), .type = std::move(type), .digest = digest, .size = size};
  }
  /// A completed attempt, and the view as the facade would then show it.
  void completed(const std::string& id, int round, std::int64_t from, std::int64_t to, const std::string& verdict,
                 const std::string& summary, const std::vector<ArtifactRef>& files = {}, const std::string& more = "") {
    std::string artifacts, evidence;
    for (const ArtifactRef& file : files) {
      artifacts += fmt::format(R"({}{{"name":{},"type":{},"digest":"{}","size":{}}})", artifacts.empty() ? "" : ",", json_text(file.name),
                               json_text(file.type), file.digest.str(), file.size);
      evidence += fmt::format(R"({}{{"kind":"{}","summary":{},"artifact":"{}"}})", evidence.empty() ? "" : ",", file.type,
                              json_text(file.name), file.digest.str());
    }
    event(to, "task.completed",
          fmt::format(
              R"({{"id":{{"workflow":"w","task":{},"round":{},"attempt":1}},"agent":"a-01","verdict":"{}","summary":{},"duration_ms":{},)"
              R"("artifacts":[{}],"evidence":[{}]{}}})",
              json_text(id), round, verdict, json_text(summary), to - from, artifacts, evidence, more));
    for (TaskView& task : material.view.tasks) {
      if (task.id.str() != id) continue;
      task.status = TaskStatus::completed;
      task.verdict = verdict == "passed" ? Verdict::passed : verdict == "failed" ? Verdict::failed : Verdict::none;
      task.round = round;
      task.attempts = 1;
      task.duration_ms = to - from;
      task.summary = summary;
    }
  }
  void round(std::int64_t ms, int number, const std::string& kind, const std::string& from, const std::string& target,
             const std::string& summary) {
    event(
        ms, "round.opened",
        fmt::format(
            R"({{"round":{},"kind":"{}","target":"{}","reset":["{}"],"feedback":{{"from":"{}","target":"{}","severity":"error","summary":{},)"
            R"("findings":[{{"severity":"error","file":"shortener/store.py","line":41,"message":{},"source":"{}"}}],)"
            R"("recommendations":["keep the index in memory"]}}}})",
            number, kind, target, target, from, target, json_text(summary), json_text(summary + "\nsecond line\nthird line"), from));
    material.view.rounds = number;
  }

  Material material;
  std::map<Digest, std::string> bytes;
};

inline std::string samples_json(bool healthy) {
  std::string text = R"({"window_s":10,"probes":[)";
  for (const char* name : {"GET /healthz", "POST /shorten"}) {
    text += fmt::format(R"({}{{"name":"{}","kind":"http","samples":[)", text.ends_with('[') ? "" : ",", name);
    for (int i = 0; i < 100; ++i) {
      const bool slow = !healthy && name[0] == 'P' && i % 3 == 0;
      text += fmt::format(R"({}{{"at_ms":{},"ok":{},"ms":{:.2f},"status":{},"error":"{}"}})", i == 0 ? "" : ",", i * 100,
                          slow && i % 9 == 0 ? "false" : "true", slow ? 180 + 20 * std::sin(i) : 6 + 3 * std::sin(i * 0.7),
                          slow ? 500 : 200, slow && i % 9 == 0 ? "status 500, expected 201" : "");
    }
    text += "]}";
  }
  text += R"(,{"name":"METRICS /metrics","kind":"metrics","limits":[{"name":"queue_length","max":10}],"samples":[)";
  for (int i = 0; i < 20; ++i)
    text += fmt::format(R"({}{{"at_ms":{},"ok":true,"ms":1,"status":200,"metrics":{{"queue_length":{}}}}})", i == 0 ? "" : ",", i * 500,
                        healthy ? 3 + i % 2 : i);
  text += R"(]}],"process":[)";
  for (int i = 0; i < 20; ++i)
    text += fmt::format(R"({}{{"at_ms":{},"alive":true,"restarts":{},"rss_bytes":{},"cpu_ms":{}}})", i == 0 ? "" : ",", i * 500,
                        !healthy && i > 12 ? 1 : 0, healthy ? 23'000'000 : 20'000'000 + (i % 13) * 4'000'000, i * 40);
  text += R"(],"log_lines_matched":)" + std::string(healthy ? "0" : R"(7,"log_matches":[{"pattern":"Traceback","line":"Traceback 1"}])");
  return text + R"(,"summary":{"samples":200,"availability":)" + (healthy ? "1.0" : "0.94") + "}}";
}

/// Three rounds: tests fail, then the probes, then all is well.
inline void tell_three_rounds(Told& told) {
  const auto id = [](const char* text) { return TaskId(text); };
  told.task("code", "coding", Phase::development);
  told.task("review", "review", Phase::development, {id("code")});
  told.task("test-data", "test_data", Phase::development, {id("code")});
  told.task("test", "test", Phase::development, {id("code"), id("test-data")});
  told.task("package", "devops", Phase::devops, {id("review"), id("test")});
  told.task("deploy", "deploying", Phase::devops, {id("package")});
  told.task("monitor", "monitor", Phase::monitoring, {id("deploy")});
  told.event(0, "workflow.started", R"({"name":"url-shortener","branch":"b"})");
  const std::string diff = "diff --git a/s.py b/s.py\n--- a/s.py\n+++ b/s.py\n@@ -1,2 +1,2 @@\n-x = 1\n+x = 2\n y = 3\n";
  const auto development = [&](int round, std::int64_t from, bool good) {
    told.completed("code", round, from, from + 900, "passed", "3 files changed", {told.artifact("diff.patch", "diff", diff)},
                   R"(,"usage":{"calls":1,"input_tokens":1200,"output_tokens":800},"commit":"abcdef0123456789")");
    told.completed("review", round, from + 900, from + 1500, "passed", "no finding above info");
    told.completed("test-data", round, from + 900, from + 1250, "none", "2 fixtures written");
    told.completed("test", round, from + 1250, from + 2100, good ? "passed" : "failed",
                   good ? "12 of 12 tests pass" : "1 of 12 tests failed",
                   {told.artifact("tests.stdout", "log", "ran 12 tests in round " + std::to_string(round))});
  };
  development(1, 10, false);
  told.event(2'110, "gate.decided",
             R"({"phase":"development","round":1,"passed":false,"reasons":["1 of 4 verdicts failed"],"evidence":["sha256:1"]})");
  told.round(2'110, 2, "rework", "test", "code", "1 of 12 tests failed: test_a_long_address");
  development(2, 2'120, true);
  const auto operations = [&](int round, std::int64_t from, bool good) {
    told.completed("package", round, from, from + 700, "passed", "bundle of 9 files",
                   {told.artifact("bundle.tar", "bundle", std::string("\0\1", 2))});
    told.completed("deploy", round, from + 700, from + 1'300, "passed", "serving on http://127.0.0.1:41873", {},
                   R"(,"outputs":{"url":"http://127.0.0.1:41873","release":"r-01"})");
    told.completed("monitor", round, from + 1'300, from + 6'000, good ? "passed" : "failed",
                   good ? "healthy" : "p95 of POST /shorten is 191 ms, at most 100 ms wanted",
                   {told.artifact("samples.json", "samples", samples_json(good))});
  };
  operations(2, 4'230, false);
  told.round(10'240, 3, "feedback", "monitor", "code", "p95 of POST /shorten is 191 ms, at most 100 ms wanted");
  told.material.view.feedback_loops = 1;
  development(3, 10'250, true);
  operations(3, 12'360, true);
  told.event(18'370, "workflow.completed", "{}");
  told.material.view.status = WorkflowStatus::completed;
  told.material.view.phase = Phase::monitoring;
  told.material.releases = {
      {.id = "deploy/3/1", .driver = "process", .version = "0.1.0", .state = ReleaseState::serving, .url = "http://127.0.0.1:41873"}};
  auto definition = std::make_shared<WorkflowDefinition>();
  definition->description = "Shortens URLs over HTTP";
  definition->requirement = "A service that shortens addresses.";
  definition->tasks.push_back(
      {.id = id("monitor"), .with = {{"slo", Value(Object{{"p95-ms", Value(100)}, {"availability", Value(0.99)}})}}});
  told.material.definition = definition;
}

}  // namespace conductorai::report
