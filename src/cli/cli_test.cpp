#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "cli/event_text.hpp"
#include "cli/exit_code.hpp"
#include "cli/files.hpp"
#include "cli/json_lines.hpp"
#include "cli/progress.hpp"
#include "cli/project.hpp"
#include "cli/run_options.hpp"
#include "cli/summary.hpp"
#include "cli/text.hpp"
#include "core/json.hpp"

namespace conductorai::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "conductorai-cli-XXXXXX").string();
    path_ = fs::canonical(::mkdtemp(name.data()));
  }
  ~Folder() { fs::remove_all(path_); }
  [[nodiscard]] const fs::path& path() const { return path_; }
  void put(const std::string& file, std::string_view text) const {
    fs::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file) << text;
  }
  [[nodiscard]] std::string get(const std::string& file) const {
    std::ifstream in(path_ / file);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  fs::path path_;
};

EventRecord event(std::string tag, std::string payload, std::uint64_t seq = 1) {
  return {.workflow = WorkflowId("wf-1"),
          .seq = seq,
          .at = Timestamp(Milliseconds(1'700'000'000'123)),
          .event = std::move(tag),
          .payload = std::move(payload)};
}

WorkflowView finished() {
  WorkflowView view{
      .id = WorkflowId("wf-1"), .name = "url-shortener", .status = WorkflowStatus::completed, .phase = Phase::development, .rounds = 2};
  view.tasks.push_back({.id = TaskId("test"),
                        .agent = AgentType("test"),
                        .agent_id = AgentId("test-01"),
                        .status = TaskStatus::completed,
                        .round = 2,
                        .attempts = 1,
                        .verdict = Verdict::passed,
                        .summary = "7 of 7 tests pass",
                        .evidence = {{.kind = "exit_code", .summary = "", .value = 0, .artifact = Digest("sha256:aa")},
                                     {.kind = "test_report", .summary = "", .passed = 7, .failed = 0, .artifact = Digest("sha256:bb")}}});
  view.usage = {.calls = 9, .input_tokens = 1234, .output_tokens = 567, .usd_micros = 1'500'000};
  view.branch = "conductorai/wf-1";
  view.commit = std::string(40, 'c');
  view.tree = "tree";
  view.repo = "/a repo";
  view.duration_ms = 3'200;
  return view;
}

// --- JSON
// ---------------------------------------------------------------------------------------------------------------------------------

TEST(JsonLines, ResultHasExactlyTheKeysOfTheContract) {
  EXPECT_EQ(result_line(finished()),
            R"({"type":"result","workflow_id":"wf-1","name":"url-shortener","status":"COMPLETED","phase":"DEVELOPMENT","rounds":2,)"
            R"("feedback_loops":0,"tasks":{"test":{"agent":"test","agent_id":"test-01","status":"COMPLETED","round":2,"attempts":1,)"
            R"("verdict":"passed","evidence":[{"kind":"exit_code","value":0,"artifact":"sha256:aa"},)"
            R"({"kind":"test_report","passed":7,"failed":0,"artifact":"sha256:bb"}]}},)"
            R"("usage":{"calls":9,"input_tokens":1234,"output_tokens":567,"cached_calls":0,"unknown_calls":0,"usd":1.5},)"
            R"("workspace":{"branch":"conductorai/wf-1","commit":"cccccccccccccccccccccccccccccccccccccccc","tree":"tree"},)"
            R"("release":null,"warnings":[],"owner":null,"reason":null,"duration_s":3.2})");
}

TEST(JsonLines, ResultOfAnInterruptedWorkflowIsOneValidLineWhateverItHolds) {
  WorkflowView view{
      .id = WorkflowId("wf-2"), .name = "a\"b\n\x1b[31m", .status = WorkflowStatus::in_progress, .owner = "none (interrupted)"};
  view.warnings = {"one", "two\nlines"};
  const std::string line = result_line(view);
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  auto parsed = core::parse_json(line);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed->find("owner")->as_string(), "none (interrupted)");
  EXPECT_TRUE(parsed->find("tasks")->as_object()->empty());
  EXPECT_TRUE(parsed->find("workspace")->find("commit")->is_null());
}

TEST(JsonLines, EventKeepsThePayloadAsAnObject) {
  EXPECT_EQ(
      event_line(event("task.skipped", R"({"task":"x"})", 7)),
      R"({"type":"event","workflow_id":"wf-1","seq":7,"at":"2023-11-14T22:13:20.123Z","event":"task.skipped","v":1,"payload":{"task":"x"}})");
}

// --- exit codes
// ---------------------------------------------------------------------------------------------------------------------------

TEST(ExitCode, FollowsTheStatusAndTheSignal) {
  WorkflowView view;
  auto with = [&](WorkflowStatus status, int signal = 0) {
    view.status = status;
    return exit_code(view, signal);
  };
  EXPECT_EQ(with(WorkflowStatus::completed), 0);
  EXPECT_EQ(with(WorkflowStatus::failed), 1);
  EXPECT_EQ(with(WorkflowStatus::cancelled), 1);
  EXPECT_EQ(with(WorkflowStatus::paused), 3);
  EXPECT_EQ(with(WorkflowStatus::in_progress, 2), 130);
  EXPECT_EQ(with(WorkflowStatus::in_progress, 15), 143);
  EXPECT_EQ(with(WorkflowStatus::completed, 2), 0);
  view.approvals.push_back({.id = ApprovalId("a1")});
  EXPECT_EQ(with(WorkflowStatus::in_progress), 3);
}

TEST(ExitCode, TellsTheUsersMistakesFromTheMachines) {
  for (auto code : {ErrorCode::invalid_argument, ErrorCode::not_found, ErrorCode::conflict, ErrorCode::already_exists})
    EXPECT_EQ(exit_code(code), 2);
  for (auto code :
       {ErrorCode::unavailable, ErrorCode::resource_exhausted, ErrorCode::unsupported, ErrorCode::data_corrupted, ErrorCode::fenced})
    EXPECT_EQ(exit_code(code), 4);
  EXPECT_EQ(exit_code(ErrorCode::budget_exhausted), 3);
}

TEST(ExitCode, ErrorsSayWhatWhereAndAHint) {
  EXPECT_EQ(
      error_text(
          {.code = ErrorCode::invalid_argument, .message = "unknown key 'nmae'", .where = "w.yaml:1:1", .hint = "did you mean name?"}),
      "conductorai: error: unknown key 'nmae' (w.yaml:1:1)\nhint: did you mean name?\n");
  EXPECT_THAT(error_text({.message = "evil \x1b]0;title\a text\nhint: forged"}),
              AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\nhint: forged"))));
}

// --- text
// -----------------------------------------------------------------------------------------------------------------------------------

TEST(Text, LosesEverythingThatSteersATerminal) {
  EXPECT_EQ(clean_line("a\x1b[31mred\x1b[0m b"), "ared b");
  EXPECT_EQ(clean_line("x\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\y"), "xlinky");
  EXPECT_EQ(clean_line("title\x1b]0;pwned\a!"), "title!");
  EXPECT_EQ(clean_line("dcs\x1bP+q544e\x1b\\z"), "dcsz");
  EXPECT_EQ(clean_line("\xc2\x9b"
                       "31m c1"),
            "31m c1");
  EXPECT_EQ(clean_line("one\r\ntwo\tthree\b\b\x07\x7f"), "one  two three");
  EXPECT_EQ(clean_line("abc\u202Egnp.exe"), "abcgnp.exe");
  EXPECT_EQ(clean_line("bad \xff\xc3( utf8 \xed\xa0\x80"), "bad \uFFFD\uFFFD( utf8 \uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(clean_line("half \x1b["), "half");
  EXPECT_EQ(clean_line("an unended \x1b]0; title"), "an unended 0; title");
  EXPECT_EQ(clean_text("a\r\nb\tc\x1b[2J"), "a\nb\tc");
}

TEST(Text, TakesTheLastLines) {
  EXPECT_EQ(clean_tail("1\n2\n3\n4\n", 2), "3\n4");
  EXPECT_EQ(clean_tail("1\n2", 5), "1\n2");
  EXPECT_EQ(clean_tail("", 5), "");
}

TEST(Text, MeasuresColumnsNotBytes) {
  EXPECT_EQ(display_width("äöü"), 3U);
  EXPECT_EQ(display_width("日本"), 4U);
  EXPECT_EQ(fit("äöüäöü", 4), "äöü…");
  EXPECT_EQ(fit("日本語", 4), "日…");
  EXPECT_EQ(fit("abc", 3), "abc");
}

TEST(Text, WritesAmountsForPeople) {
  EXPECT_EQ(duration_text(350), "350 ms");
  EXPECT_EQ(duration_text(4'200), "4.2 s");
  EXPECT_EQ(duration_text(190'000), "3 min 10 s");
  EXPECT_EQ(duration_text(7'260'000), "2 h 1 min");
  EXPECT_EQ(size_text(512), "512 B");
  EXPECT_EQ(size_text(3'482), "3.4 KiB");
}

TEST(Tables, AlignColumnsAndStayWithinTheWidth) {
  Table table({"A", "NAME", ""});
  table.add({{"1"}, {"äö"}, {"a long closing note"}});
  table.add({{"22"}, {"x", Color::red}, {""}});
  EXPECT_EQ(table.text(0, false), "A   NAME\n1   äö    a long closing note\n22  x\n");
  for (std::size_t width = 1; width < 40; ++width)
    for (const auto& line : table.lines(width, false)) EXPECT_LE(display_width(line), width);
  EXPECT_THAT(table.text(0, true), HasSubstr("\x1b[31mx\x1b[0m"));
}

TEST(Summary, SaysWhereTheResultIsAndHowToLookAtIt) {
  const std::string text = summary_text(finished(), "/p/.conductorai", 0, false);
  EXPECT_THAT(text, AllOf(HasSubstr("url-shortener  wf-1  COMPLETED  2 rounds, 3.2 s"), HasSubstr("exit code 0, 7 tests passed"),
                          HasSubstr("branch     conductorai/wf-1 at cccccccccccc in '/a repo'"),
                          HasSubstr("git -C '/a repo' log --stat cccccccccccc"), HasSubstr("conductorai events wf-1"),
                          HasSubstr("/p/.conductorai/artifacts")));
  EXPECT_THAT(text, Not(HasSubstr("next")));
  EXPECT_THAT(summary_text(finished(), "", 0, false), Not(HasSubstr("conductorai events")));
}

TEST(Summary, TellsOfProbesByTheObjectiveTheyHold) {
  WorkflowView view = finished();
  view.tasks[0].evidence = {{.kind = "probes", .summary = "GET /: 20 of 20"},
                            {.kind = "probes", .summary = "POST /shorten: 20 of 20"},
                            {.kind = "slo", .summary = "availability 100 %; 2 of 2 probes hold it"}};
  EXPECT_THAT(summary_text(view, "/s", 0, false), AllOf(HasSubstr("2 of 2 probes hold it"), Not(HasSubstr("POST /shorten"))));
  view.tasks[0].evidence.pop_back();
  EXPECT_THAT(summary_text(view, "/s", 0, false), HasSubstr("POST /shorten: 20 of 20"));
}

TEST(Summary, TellsWhatFailedInItsOwnWordsAndStaysShort) {
  WorkflowView view = finished();
  view.tasks[0].verdict = Verdict::failed;
  view.tasks[0].attempts = 3;
  EXPECT_THAT(summary_text(view, "/s", 0, false), AllOf(HasSubstr("7 of 7 tests pass"), HasSubstr("2, try 3")));
  for (int i = 0; i < 5'000; ++i) view.tasks.push_back({.id = TaskId(std::to_string(i)), .status = TaskStatus::completed});
  const std::string text = summary_text(view, "/s", 80, false);
  EXPECT_LT(std::ranges::count(text, '\n'), 20);
  EXPECT_THAT(text, AllOf(HasSubstr("test  COMPLETED  failed"), HasSubstr("5000 of 5001 tasks went well")));
}

TEST(Summary, NamesTheReleaseAndHowToStopIt) {
  WorkflowView view = finished();
  view.release = {.id = "deploy/3/1", .state = ReleaseState::serving, .url = "http://127.0.0.1:41873"};
  EXPECT_THAT(summary_text(view, "/s", 0, false),
              AllOf(HasSubstr("release    serving http://127.0.0.1:41873"), HasSubstr("conductorai releases stop deploy/3/1"),
                    HasSubstr("conductorai report wf-1")));
}

TEST(Summary, NamesTheNextStep) {
  WorkflowView view = finished();
  view.status = WorkflowStatus::paused;
  EXPECT_THAT(summary_text(view, "/s", 0, false), HasSubstr("conductorai resume wf-1"));
  view.approvals.push_back({.id = ApprovalId("approval-1"), .subject = "task deploy"});
  EXPECT_THAT(summary_text(view, "/s", 0, false), HasSubstr("conductorai approve wf-1 approval-1"));
  view.tasks[0].reason = "\x1b[2Jgone?";
  EXPECT_THAT(summary_text(view, "/s", 0, false), Not(HasSubstr("\x1b")));
}

// --- progress
// ---------------------------------------------------------------------------------------------------------------------------------

WorkflowDefinition two_tasks() {
  WorkflowDefinition definition{.name = "demo"};
  definition.tasks = {{.id = TaskId("code"), .agent = AgentType("coding")},
                      {.id = TaskId("test"), .agent = AgentType("test"), .needs = {TaskId("code")}}};
  return definition;
}

TEST(ProgressModel, FollowsEventsAndNotices) {
  const auto definition = two_tasks();
  ProgressModel model(&definition);
  model.notice("code: asking the model");
  EXPECT_EQ(model.tasks()[0].state, "running");
  model.apply(event("task.completed", R"({"id":{"task":"code","round":1,"attempt":1},"summary":"2 files"})"));
  EXPECT_EQ(model.tasks()[0].state, "done");
  model.notice("code: late word of an ended attempt");
  EXPECT_EQ(model.tasks()[0].note, "2 files");
  model.apply(event("task.completed", R"({"id":{"task":"test","round":1,"attempt":1},"verdict":"failed","summary":"1 fails"})"));
  EXPECT_EQ(model.tasks()[1].state, "failed");
  model.apply(event("round.opened", R"({"round":2,"reset":["code","test"]})"));
  EXPECT_EQ(model.round(), 2);
  EXPECT_EQ(model.tasks()[1].state, "waiting");
  EXPECT_EQ(model.tasks()[1].round, 2);
}

TEST(ProgressModel, ShowsTheLineAnAnswerHasComeTo) {
  const auto definition = two_tasks();
  ProgressModel model(&definition);
  const auto say = [&](const std::string& call, const std::string& text) {
    model.text({.workflow = WorkflowId("wf-1"), .task = TaskId("code"), .call = call, .text = text});
    return model.tasks()[0].note;
  };
  EXPECT_EQ(say("1/1/1", "Here"), "Here");
  EXPECT_EQ(say("1/1/1", " it is.\n\n"), "Here it is.");
  EXPECT_EQ(say("1/1/1", "\x1b[2Jdef"), "def");
  EXPECT_EQ(say("1/1/2", "Again"), "Again") << "another answer begins";
  EXPECT_EQ(say("1/1/2", ""), "Again");
  EXPECT_LT(say("1/1/2", std::string(10'000, 'x')).size(), 2'000U);
  model.apply(event("task.completed", R"({"id":{"task":"code","round":1,"attempt":1},"summary":"2 files"})"));
  EXPECT_EQ(say("1/1/2", "late"), "2 files");
}

TEST(ProgressModel, PutsForeachChildrenBelowTheirParent) {
  const auto definition = two_tasks();
  ProgressModel model(&definition);
  model.apply(event("task.expanded", R"({"task":"code","items":["a","b"]})"));
  ASSERT_EQ(model.tasks().size(), 4U);
  EXPECT_EQ(model.tasks()[1].id, "code[0]");
  EXPECT_EQ(model.tasks()[2].id, "code[1]");
  EXPECT_EQ(model.tasks()[3].id, "test");
}

TEST(ProgressModel, SurvivesUnknownAndBrokenEvents) {
  ProgressModel model(nullptr);
  for (const char* payload : {"", "{", "[]", "null", R"({"id":7})", R"({"id":{"task":3}})"})
    for (const char* tag : {"task.completed", "task.failed", "task.expanded", "round.opened", "approval.requested", "from.the.future"})
      model.apply(event(tag, payload));
  model.notice("no colon");
}

TEST(ProgressLines, FitTheTerminalAndShowWhatIsAtWork) {
  WorkflowDefinition definition{.name = "many"};
  for (int i = 0; i < 50; ++i) definition.tasks.push_back({.id = TaskId("task" + std::to_string(i)), .agent = AgentType("command")});
  ProgressModel model(&definition);
  model.notice("task49: \x1b[2Jrunning " + std::string(300, 'x'));
  const auto lines = progress_lines(model, 80, 12, false);
  EXPECT_LE(lines.size(), 12U);
  std::string all;
  for (const auto& line : lines) {
    EXPECT_LE(display_width(line), 80U);
    all += line;
  }
  EXPECT_THAT(all, AllOf(HasSubstr("task49"), HasSubstr("and 42 more"), Not(HasSubstr("\x1b"))));
}

TEST(EventText, TellsEventsInOneCleanLine) {
  EXPECT_EQ(event_text(event("task.completed", R"({"id":{"task":"test","round":2,"attempt":1},"verdict":"passed","summary":"7 of 7"})")),
            "task.completed     test  passed: 7 of 7 (round 2, attempt 1)");
  EXPECT_EQ(event_text(event("workflow.paused", R"({"kind":"budget","reason":"calls: 10 of 10\n\u001b[31mused"})")),
            "workflow.paused    calls: 10 of 10 used");
  EXPECT_THAT(
      event_text(event("task.failed", R"({"id":{"task":"t","round":1,"attempt":3},"error":{"message":"no answer"},"action":"retry"})")),
      HasSubstr("t  no answer – retry (round 1, attempt 3)"));
  EXPECT_THAT(event_text(event("from.the.future", "not json")), HasSubstr("from.the.future"));
}

// --- options
// ----------------------------------------------------------------------------------------------------------------------------------

TEST(RunOptions, ReadsBudgets) {
  auto budget = parse_budget("calls=10,wall-minutes=0.5,usd=1.25,tokens=1000");
  ASSERT_TRUE(budget);
  EXPECT_EQ(budget->calls, 10);
  EXPECT_EQ(budget->wall_ms, 30'000);
  EXPECT_EQ(budget->usd_micros, 1'250'000);
  EXPECT_EQ(budget->tokens, 1000);
  for (const char* text : {"", "calls", "calls=", "calls=-1", "calls=0", "calls=1.5", "calls=x", "cal=1", "calls=1,,", "usd=inf",
                           "tokens=1e30", "calls=1 ", "usd=1,usd=2"})
    EXPECT_FALSE(parse_budget(text)) << text;
}

TEST(RunOptions, TellsTheProjectsBudgetFromTheWorkflows) {
  auto budget = parse_added_budget("calls=10,calls-per-day=20,usd-per-day=0.5");
  ASSERT_TRUE(budget);
  EXPECT_EQ(budget->own, (BudgetDefinition{.calls = 10}));
  EXPECT_EQ(budget->day, (BudgetDefinition{.usd_micros = 500'000, .calls = 20}));
  EXPECT_FALSE(parse_added_budget("cal-per-day=1"));
  EXPECT_FALSE(parse_budget("calls-per-day=20")) << "a run has no day of its own";
}

TEST(RunOptions, KeepsTheStricterLimit) {
  BudgetDefinition limits{.calls = 5, .wall_ms = 100};
  tighten(limits, {.tokens = 7, .calls = 9, .wall_ms = 50});
  EXPECT_EQ(limits, (BudgetDefinition{.tokens = 7, .calls = 5, .wall_ms = 50}));
}

TEST(RunOptions, RefusesAWorkflowThatNeedsAModelAndHasNone) {
  const std::vector<AgentDescription> agents{
      {.type = AgentType("coding"), .uses_llm = true}, {.type = AgentType("test"), .uses_llm = true}, {.type = AgentType("command")}};
  WorkflowDefinition definition;
  definition.tasks = {{.id = TaskId("lint"), .agent = AgentType("command")}};
  EXPECT_TRUE(check_llm(definition, agents));
  definition.tasks.push_back({.id = TaskId("test"), .agent = AgentType("test"), .with = {{"write-tests", Value(false)}}});
  EXPECT_TRUE(check_llm(definition, agents));
  definition.tasks.push_back({.id = TaskId("code"), .agent = AgentType("coding")});
  auto refused = check_llm(definition, agents);
  ASSERT_FALSE(refused);
  EXPECT_EQ(exit_code(refused.error().code), 4);
  EXPECT_THAT(refused.error().hint, HasSubstr("--llm mock"));
  definition.llm.provider = "mock:answers.yaml";
  EXPECT_TRUE(check_llm(definition, agents));
  for (const char* provider : {"openai", "anthropic", "replay:x", "record:openai:x"}) {
    definition.llm.provider = provider;
    EXPECT_TRUE(check_llm(definition, agents)) << provider;
  }
  for (const char* provider : {"record:x", "replay:", "record:openai", "gemini"}) {
    definition.llm.provider = provider;
    refused = check_llm(definition, agents);
    ASSERT_FALSE(refused) << provider;
    EXPECT_EQ(exit_code(refused.error().code), 2) << provider;
    EXPECT_FALSE(refused.error().hint.empty()) << provider;
  }
}

TEST(RunOptions, AnchorsTheScriptWhereTheUserStands) {
  EXPECT_EQ(anchor_llm("mock"), "mock");
  EXPECT_EQ(anchor_llm("mock:/a/b.yaml"), "mock:/a/b.yaml");
  EXPECT_EQ(anchor_llm("mock:b.yaml"), "mock:" + (fs::current_path() / "b.yaml").string());
  EXPECT_EQ(anchor_llm("record:openai:b.jsonl"), "record:openai:" + (fs::current_path() / "b.jsonl").string());
  EXPECT_EQ(*parse_sandbox("none"), false);
  EXPECT_EQ(*parse_sandbox(""), std::nullopt);
  EXPECT_FALSE(parse_sandbox("docker"));
}

// --- project
// ------------------------------------------------------------------------------------------------------------------------------------

TEST(Projects, BeginAtTheNearestMarker) {
  Folder folder;
  folder.put("repo/.git/HEAD", "");
  folder.put("repo/service/conductorai.yaml", "");
  folder.put("repo/service/src/deep/x", "");
  folder.put("repo/docs/x", "");
  EXPECT_EQ(find_project(folder.path() / "repo/service/src/deep", "").root, folder.path() / "repo/service");
  EXPECT_EQ(find_project(folder.path() / "repo/docs", "").root, folder.path() / "repo");
  EXPECT_EQ(find_project(folder.path() / "repo/docs", "").state_dir, folder.path() / "repo/.conductorai");
  EXPECT_EQ(find_project(folder.path() / "repo/docs", "../state").state_dir, folder.path() / "repo/state");
}

TEST(Projects, KeepTheirStateOutOfGitOnce) {
  Folder folder;
  folder.put("repo/.git/info/exclude", "*.tmp");
  for (int i = 0; i < 2; ++i) exclude_from_git(folder.path() / "repo/.conductorai");
  EXPECT_EQ(folder.get("repo/.git/info/exclude"), "*.tmp\n/.conductorai/\n");
  exclude_from_git(folder.path() / "repo/sub/state");
  EXPECT_EQ(folder.get("repo/.git/info/exclude"), "*.tmp\n/.conductorai/\n/sub/state/\n");
  folder.put("plain/x", "");
  exclude_from_git(folder.path() / "plain/.conductorai");
}

TEST(Projects, ExcludeInLinkedWorktreesToo) {
  Folder folder;
  folder.put("main/.git/worktrees/side/commondir", "../..\n");
  folder.put("side/.git", "gitdir: " + (folder.path() / "main/.git/worktrees/side").string() + "\n");
  exclude_from_git(folder.path() / "side/.conductorai");
  EXPECT_EQ(folder.get("main/.git/info/exclude"), "/.conductorai/\n");
}

TEST(Files, AreNeverOverwritten) {
  Folder folder;
  EXPECT_TRUE(write_new_file(folder.path() / "a", "1"));
  EXPECT_EQ(write_new_file(folder.path() / "a", "2").error().code, ErrorCode::already_exists);
  EXPECT_EQ(folder.get("a"), "1");
}

TEST(Tools, SayWhatTheyPrintedOrWhyNot) {
  EXPECT_EQ(*run_tool({"sh", "-c", "echo hello"}), "hello\n");
  EXPECT_EQ(run_tool({"sh", "-c", "echo broken >&2; exit 3"}).error().message, "sh failed: broken");
  EXPECT_FALSE(run_tool({"/nonexistent/tool"}));
}

}  // namespace
}  // namespace conductorai::cli
