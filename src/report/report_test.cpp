#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "report/axis.hpp"
#include "report/layout.hpp"
#include "report/samples.hpp"
#include "report/sections.hpp"
#include "report/test_support.hpp"

namespace conductorai::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// The page; also a file for a person to look at where CONDUCTORAI_WRITE_PAGES names a folder.
std::string page_of(const Told& told) {
  std::string page = make_page(told.material);
  if (const char* folder = std::getenv("CONDUCTORAI_WRITE_PAGES"))
    std::ofstream(std::string(folder) + "/" + ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".html") << page;
  return page;
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

// --- markup

TEST(Escaped, LeavesNothingThatActsOrHides) {
  EXPECT_EQ(escaped("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  EXPECT_EQ(escaped("a\x1b[31mb\x1b]0;title\x07"
                    "c\x01\x7f"),
            "abc");
  EXPECT_EQ(escaped("bad \xff utf8 \xed\xa0\x80"), "bad \uFFFD utf8 \uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(escaped("x\u202Ey\u2066z"), "x⟨U+202E⟩y⟨U+2066⟩z");
  EXPECT_EQ(escaped("lines\n\tstay"), "lines\n\tstay");
}

TEST(HtmlForms, EscapeWhatIsNoMarkup) {
  EXPECT_EQ(html("<b title=\"{}\">{}</b>{}", "\"><i>", "{}", html("<i>{}</i>", 7)).str(),
            "<b title=\"&quot;&gt;&lt;i&gt;\">{}</b><i>7</i>");
  EXPECT_EQ(html("{} {} {}", 1.5, 2.0, -0.001).str(), "1.5 2 0");
}

TEST(OneLine, CutsBetweenCodePoints) {
  EXPECT_EQ(one_line("a\nb"), "a b");
  EXPECT_EQ(one_line("äöü", 3), "äö…");
}

// --- the story

TEST(History, KnowsRoundsAndTheTimeToRepair) {
  Told told;
  tell_three_rounds(told);
  const History history = make_history(told.material);
  ASSERT_EQ(history.rounds.size(), 3U);
  EXPECT_EQ(history.rounds[1].kind, "rework");
  EXPECT_EQ(history.rounds[2].kind, "feedback");
  EXPECT_EQ(history.attempts.size(), 4U * 3 + 3U * 2);
  EXPECT_EQ(history.repair_ms, 18'360 - 10'230);
  EXPECT_FALSE(history.repairing);
}

TEST(History, SaysThatARepairHasNotEnded) {
  Told told;
  told.task("watch", "monitor", Phase::monitoring);
  told.completed("watch", 1, 0, 10, "failed", "down");
  const History history = make_history(told.material);
  EXPECT_FALSE(history.repair_ms);
  EXPECT_TRUE(history.repairing);
}

TEST(History, LeavesOutWhatItCannotRead) {
  Told told;
  told.task("code", "coding", Phase::development);
  for (const char* payload : {"", "{", "[]", "null", R"({"id":7})", R"({"id":{"task":3}})"})
    for (const char* tag : {"task.completed", "task.failed", "round.opened", "gate.decided", "from.the.future"})
      told.event(1, tag, payload);
  EXPECT_THAT(page_of(told), HasSubstr("from.the.future"));
}

TEST(Axis, CutsANightOfWaiting) {
  History history{.begin = Told::at(0), .end = Told::at(10'000'000)};
  history.attempts.push_back({.start = Told::at(0), .end = Told::at(1'000)});
  history.attempts.push_back({.start = Told::at(9'999'000), .end = Told::at(10'000'000)});
  const Axis axis(history);
  ASSERT_EQ(axis.cuts().size(), 1U);
  EXPECT_EQ(axis.cuts()[0].ms, 9'998'000);
  EXPECT_NEAR(axis.percent(Told::at(1'000)), 49, 1);
  EXPECT_NEAR(axis.percent(Told::at(9'999'000)), 51, 1);
  EXPECT_LE(axis.ticks().size(), 8U);
}

TEST(Layout, PutsTasksBelowWhatTheyNeedAndPhasesInOrder) {
  Graph graph;
  graph.nodes = {{.needs = {}, .group = 0, .at = {}},
                 {.needs = {0}, .group = 0, .at = {}},
                 {.needs = {0}, .group = 0, .at = {}},
                 {.needs = {1, 2, 0}, .group = 1, .at = {}}};
  lay_out(graph);
  EXPECT_EQ(graph.nodes[0].at.along, 0);
  EXPECT_EQ(graph.nodes[1].at.along, 1);
  EXPECT_EQ(graph.nodes[2].at.along, 1);
  EXPECT_EQ(graph.nodes[3].at.along, 2);
  EXPECT_NE(graph.nodes[1].at.across, graph.nodes[2].at.across);
  const auto past = std::ranges::find_if(graph.edges, [](const GraphEdge& edge) { return edge.from == 0 && edge.to == 3; });
  ASSERT_NE(past, graph.edges.end());
  EXPECT_EQ(past->by.size(), 1U);
}

TEST(Samples, AreReadWithoutTrust) {
  EXPECT_FALSE(read_samples("{"));
  EXPECT_FALSE(read_samples(R"({"probes":7})"));
  const auto odd = read_samples(R"({"probes":[{"samples":[{"ms":"x"},7,null,{"ms":-5,"at_ms":1e999}]}, 3]})");
  EXPECT_TRUE(!odd || odd->probes.size() == 2);
  const auto samples = read_samples(samples_json(false));
  ASSERT_TRUE(samples);
  ASSERT_EQ(samples->probes.size(), 3U);
  ASSERT_EQ(samples->probes[2].metrics.size(), 1U);
  EXPECT_EQ(samples->probes[2].metrics[0].max, 10);
  EXPECT_EQ(samples->probes[2].metrics[0].points.size(), 20U);
  EXPECT_EQ(samples->process.size(), 20U);
  EXPECT_EQ(samples->log_lines_matched, 7);
  EXPECT_TRUE(read_samples(R"({"probes":[{"limits":7,"samples":[{"metrics":7}]}],"process":[7,{"rss_bytes":-1}],"log_matches":{}})"));
  EXPECT_EQ(samples->probes[0].samples.size(), 100U);
  EXPECT_GT(percentile_ms(samples->probes[1], 0.95), 100);
  const auto judged = read_samples(
      R"({"slo":{"p95_ms":50},"probes":[{"name":"a","samples":[{"ok":false,"ms":900,"status":500},{"ok":false,"ms":7000,"status":0}]}]})");
  ASSERT_TRUE(judged);
  EXPECT_EQ(judged->p95_ms, 50);
  EXPECT_EQ(percentile_ms(judged->probes[0], 0.95), 900) << "a wrong answer has a time, none has none";
}

// --- the page

TEST(Page, TellsAWorkflowOfThreeRounds) {
  Told told;
  tell_three_rounds(told);
  const std::string page = page_of(told);
  for (const char* part : {"url-shortener", "COMPLETED", "Time to repair", "8.1 s", "Round 3 · feedback loop", "keep the index in memory",
                           "shortener/store.py:41", "SLO p95 100 ms", "restarted after 6.5 s", "19.1 MiB to 64.8 MiB", "queue_length",
                           "at most 10", "0.08 cores", "Lines of the log that must not be there: 7", "http://127.0.0.1:41873",
                           "class=\"d\">-x = 1", "conductorai artifacts get"})
    EXPECT_THAT(page, HasSubstr(part));
  EXPECT_EQ(count(page, "<article id=\"t"), 7U);
}

TEST(Page, DrawsAnySamplesWithoutANumberThatIsNone) {
  Told told;
  told.task("watch", "monitor", Phase::monitoring);
  told.completed("watch", 1, 0, 10, "failed", "odd",
                 {told.artifact("samples.json", "samples",
                                R"({"probes":[{"name":"m","limits":[{"name":"q","min":-5}],"samples":[{"metrics":{"q":1e308}},)"
                                R"({"at_ms":1e18,"metrics":{"q":-1e308}}]}],"process":[{"at_ms":5,"alive":true,"rss_bytes":7},)"
                                R"({"at_ms":5,"alive":false},{"at_ms":7},)"
                                R"({"at_ms":9,"alive":true,"cpu_ms":1e300,"restarts":1e300}]})")});
  const std::string page = page_of(told);
  for (const char* part : {"nan", "inf", "-nan"})
    EXPECT_THAT(page.substr(page.find("<section id=\"probes\"")), Not(HasSubstr("\"" + std::string(part))));
  EXPECT_THAT(page, HasSubstr("not there after 5 ms"));
  EXPECT_THAT(page, Not(HasSubstr("after 7 ms"))) << "nobody could tell";
}

TEST(Page, AsksForNothingAndRunsNothing) {
  Told told;
  tell_three_rounds(told);
  const std::string page = page_of(told);
  EXPECT_THAT(page, HasSubstr("default-src &#39;none&#39;"));
  for (const char* part : {"<script", "<img", "<link", "<iframe", "@import", "url(http", " style=\"", " src="})
    EXPECT_THAT(page, Not(HasSubstr(part)));
  for (std::size_t at = page.find("href=\""); at != std::string::npos; at = page.find("href=\"", at + 1))
    EXPECT_TRUE(page.substr(at + 6).starts_with("#") || page.substr(at + 6).starts_with("http://127.0.0.1:41873")) << page.substr(at, 60);
}

TEST(Page, LetsNoTextAct) {
  Told told;
  told.task(kHostile, kHostile, Phase::development);
  told.task("second", "coding", Phase::development, {TaskId(kHostile)});
  told.material.view.name = kHostile;
  told.material.view.reason = kHostile;
  told.material.view.warnings = {kHostile};
  told.material.view.branch = kHostile;
  told.material.view.approvals = {{.id = ApprovalId(kHostile), .subject = kHostile, .reason = kHostile}};
  told.material.releases = {
      {.id = kHostile, .driver = kHostile, .version = kHostile, .reason = kHostile, .url = "javascript:window.pwned=5"}};
  told.completed(
      kHostile, 1, 0, 10, "failed", kHostile,
      {told.artifact(kHostile, kHostile, kHostile), told.artifact("d", "diff", "+" + kHostile),
       told.artifact("samples.json", "samples",
                     R"({"probes":[{"name":)" + json_text(kHostile) + R"(,"samples":[{"ok":false,"ms":1,"error":)" + json_text(kHostile) +
                         R"(,"metrics":{)" + json_text(kHostile) + R"(:1}}],"limits":[{"name":)" + json_text(kHostile) +
                         R"(}]}],"process":[{"error":)" + json_text(kHostile) + R"(}],"log_matches":[{"pattern":)" + json_text(kHostile) +
                         R"(,"line":)" + json_text(kHostile) + "}]}")},
      R"(,"outputs":{"a":)" + json_text(kHostile) + "}");
  told.round(20, 2, "rework", "second", "second", kHostile);
  told.event(30, kHostile, kHostile);
  auto definition = std::make_shared<WorkflowDefinition>();
  definition->description = definition->requirement = kHostile;
  told.material.definition = definition;
  const std::string page = page_of(told);
  for (const char* part : {"<script", "<img", "onerror=\"", "<style>*", "\x1b", "\xe2\x80\xae", "href=\"javascript", "\xff"})
    EXPECT_THAT(page, Not(HasSubstr(part)));
  EXPECT_EQ(count(page, "<style>"), 1U);
  EXPECT_THAT(page, HasSubstr("⟨U+202E⟩"));
}

TEST(Page, StaysSmallAndQuickWhateverTheWorkflowHolds) {
  Told told;
  told.task("all", "command", Phase::development);
  const std::string log(200'000, 'x');
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = fmt::format("all[{}]", i);
    told.material.view.tasks.push_back({.id = TaskId(id), .agent = AgentType("command")});
    if (i % 2 == 0) continue;
    const auto file = told.artifact("stdout", "log", std::to_string(i) + log.substr(0, i < 100 ? log.size() : 10));
    told.event(
        i, "task.completed",
        fmt::format(
            R"({{"id":{{"workflow":"w","task":"{}","round":1,"attempt":1}},"verdict":"passed","duration_ms":5,"artifacts":[{{"name":"stdout",)"
            R"("type":"log","digest":"{}","size":{}}}]}})",
            id, file.digest.str(), file.size));
    told.material.view.tasks.back().status = TaskStatus::completed;
    told.material.view.tasks.back().duration_ms = 5;
  }
  const auto before = std::chrono::steady_clock::now();
  const std::string page = page_of(told);
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_LT(page.size(), 6U * 1024 * 1024);
  EXPECT_LT(took, std::chrono::seconds(20));  // with sanitizers, on a busy machine
  EXPECT_THAT(page, AllOf(HasSubstr("more tasks"), HasSubstr("left out")));
}

TEST(Page, DrawsNoGraphThatNobodyCanRead) {
  Told told;
  for (int i = 0; i < 200; ++i) told.task("t" + std::to_string(i), "command", Phase::development);
  EXPECT_THAT(page_of(told), HasSubstr("too many to draw"));
}

TEST(Page, ShowsAnArtifactOnceAndNamesWhatItCannotShow) {
  Told told;
  told.task("a", "command", Phase::development);
  const auto file = told.artifact("build.txt", "log", "the one and only text");
  told.completed("a", 1, 0, 10, "failed", "x", {file});
  told.completed("a", 2, 20, 30, "passed", "y",
                 {file, {.name = "gone", .type = "log", .digest = Digest("sha256:" + std::string(64, 'e')), .size = 9}});
  const std::string page = page_of(told);
  EXPECT_EQ(count(page, "the one and only text"), 1U);
  EXPECT_THAT(page, AllOf(HasSubstr("shown above"), HasSubstr("could not be read")));
}

TEST(Page, TellsOfWorkThatHasNotEnded) {
  Told told;
  tell_three_rounds(told);
  told.material.view.status = WorkflowStatus::paused;
  told.material.view.reason = "waits for an approval";
  told.material.view.tasks[6].status = TaskStatus::in_progress;
  told.material.view.approvals = {{.id = ApprovalId("a1"), .subject = "task deploy"}};
  EXPECT_THAT(page_of(told),
              AllOf(HasSubstr("PAUSED"), HasSubstr("waits for an approval"), HasSubstr("conductorai approve"), HasSubstr("bar running")));
}

TEST(Page, OfNothingIsStillAPage) {
  Told told;
  EXPECT_THAT(page_of(told), AllOf(HasSubstr("<h1>"), HasSubstr("</html>")));
}

}  // namespace
}  // namespace conductorai::report
