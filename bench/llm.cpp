// llm: requests to a model, all in flight at once, from tasks through the whole stack that `run` puts between an agent and its model;
// beside a bare client of the same wire. The service is a process of its own; so is each variant, so that none measures another's memory.

#include <algorithm>
#include <cstdio>

#include "base/descriptor_limit.hpp"
#include "bench/bare_llm.hpp"
#include "bench/noop_work.hpp"
#include "bench/programs.hpp"

namespace conductorai::bench {
namespace {

constexpr int kDescriptorsBesides = 200;  // what a process has open beside its requests

/// What the asking agent saw.
struct Seen {
  std::vector<double> latencies_ms;  // of the calls that were answered
  int in_flight = 0, in_flight_most = 0;
};

/// Asks once and wants an answer.
class AskingAgent final : public BaseAgent {
 public:
  AskingAgent(int capacity, Seen& seen) : BaseAgent(AgentId("asking-01"), capacity), seen_(seen) {}
  [[nodiscard]] const AgentDescription& description() const override {
    static const AgentDescription description{.type = AgentType("asking"), .uses_llm = true, .summary = "asks a model once"};
    return description;
  }

 protected:
  task<Result<Outcome>> execute(TaskContext& context) override {
    const auto asked_at = std::chrono::steady_clock::now();
    seen_.in_flight_most = std::max(seen_.in_flight_most, ++seen_.in_flight);
    auto call = ask(context);
    auto answer = co_await std::move(call).boxed();
    --seen_.in_flight;
    if (*answer)
      seen_.latencies_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - asked_at).count());
    co_return outcome(*answer);
  }

  // What these make is no part of the frame that waits.
  [[gnu::noinline]] static task<Result<LLMResponse>> ask(TaskContext& context) {
    LLMRequest request;
    request.messages.push_back({.role = Role::user, .text = std::string(200, 'q'), .tool_calls = {}, .tool_call_id = {}});
    return context.ask(std::move(request));
  }
  [[gnu::noinline]] static Result<Outcome> outcome(const Result<LLMResponse>& answer) {
    if (!answer) return fail(answer.error());
    return Outcome{.outputs = {{"bytes", static_cast<std::int64_t>(answer->text.size())}}};
  }

 private:
  Seen& seen_;
};

WorkflowDefinition asking(int tasks) {
  WorkflowDefinition definition = side_by_side(tasks);
  for (TaskDefinition& task : definition.tasks) {
    task.agent = AgentType("asking");
    task.retry.max_attempts = 1;  // an error is an error
  }
  definition.llm.provider = "openai";
  definition.llm.model = "m";
  definition.llm.retries = 0;
  definition.budget.calls = 1'000'000;
  definition.budget.tokens = 1'000'000'000'000;
  return definition;
}

LlmOptions options_for(const LlmService& service, int tasks) {
  LlmOptions options;
  options.base_url = service.url();
  options.connections = tasks;
  options.ca_file = service.certificate();
  options.key = [](const std::string&) -> Result<std::string> { return "key"; };
  return options;
}

struct Asked {
  Measurement measured;
  double kb_each = 0;
};

/// `tasks` of one workflow, each with one request; one before them has warmed the house.
Asked ask(LlmWire wire, const Settings& settings, int tasks) {
  WorkFolder folder;
  const LlmService service(wire, folder.path());
  Seen seen;
  std::vector<double> ignored;
  BenchHouse bench(folder.path(), settings.state, std::make_unique<AskingAgent>(tasks, seen), options_for(service, tasks));
  Asked asked{.measured = {.work = "llm", .variant = std::string(to_string(wire)), .n = tasks}};
  Measurement& out = asked.measured;
  out.errors = run_all(bench, asking(1), 1, 1, ignored);
  seen = {};
  const WorkflowDefinition definition = asking(tasks);
  const std::int64_t before = resident_bytes();
  const Stopwatch watch;
  out.errors += run_all(bench, definition, 1, 1, ignored);
  out.errors += tasks - std::ssize(seen.latencies_ms);
  out.in_flight = seen.in_flight_most;
  watch.end(out, std::move(seen.latencies_ms));
  if (wire == LlmWire::sse) out.n *= kChunks;
  asked.kb_each = static_cast<double>(out.peak_rss_bytes - before) / tasks / 1024;
  return asked;
}

Measurement bare(LlmWire wire, int requests) {
  WorkFolder folder;
  const LlmService service(wire, folder.path());
  switch (wire) {
    case LlmWire::http1: return bare_http1_client(service, requests);
    case LlmWire::http2: return bare_http2_client(service, requests);
    case LlmWire::sse: return bare_sse_reader(service, requests);
  }
  return {};
}

int as_many_as_allowed(int wanted) {
  const int allowed = raise_descriptor_limit() - kDescriptorsBesides;
  if (wanted <= allowed) return wanted;
  std::fprintf(stderr, "conductorai-bench: only %d requests: the hard limit of open descriptors (ulimit -Hn) allows no more\n", allowed);
  return allowed;
}

/// A tenth of them are streams, unless these are counted by themselves.
int requests_of(LlmWire wire, const Settings& settings) {
  const bool counted = !settings.variant.empty() && settings.workflows > 0;
  const int requests = settings.workflows > 0 ? settings.workflows : 10'000;
  return as_many_as_allowed(wire == LlmWire::sse && !counted ? std::max(1, requests / 10) : requests);
}

int run_variant(LlmWire wire, const Settings& settings) {
  const int n = requests_of(wire, settings);
  std::vector<double> seconds, walls, cpus;
  std::int64_t errors = 0;
  double kb_each = 0;
  for (int pair = 0; pair < settings.pairs; ++pair) {
    const Asked ours = ask(wire, settings, n);
    const Measurement limit = bare(wire, n);
    if (pair == 0) kb_each = ours.kb_each;  // later ones find memory that is there already
    print(ours.measured, settings.json);
    print(limit, settings.json);
    seconds.push_back(ours.measured.wall_s);
    walls.push_back(ours.measured.wall_s / limit.wall_s);
    cpus.push_back(ours.measured.cpu_s / limit.cpu_s);
    errors += ours.measured.errors + limit.errors;
  }
  const std::string name(to_string(wire));
  if (wire == LlmWire::sse) {
    print_ratio("CPU over the bare reader, " + name, median(cpus), "at most 2", settings.json);
  } else {
    print_ratio("wall over the bare client, " + name, median(walls), "at most 1.5", settings.json);
    print_ratio("s for all, " + name, median(seconds), "at most 4", settings.json);
    print_ratio("KB a request and its task, " + name, kb_each, "at most 25", settings.json);
  }
  return static_cast<int>(std::min<std::int64_t>(errors, 100));
}

/// The same words for one variant, with its output to ours.
int run_apart(LlmWire wire, const Settings& settings) {
  const int n = requests_of(wire, settings);
  std::vector<std::string> words{beside_us("conductorai-bench"),
                                 "llm",
                                 "--variant",
                                 std::string(to_string(wire)),
                                 "--state",
                                 settings.state,
                                 "--workflows",
                                 std::to_string(n),
                                 "--pairs",
                                 std::to_string(settings.pairs)};
  if (settings.json) words.emplace_back("--json");
  return wait_for(start_program(std::move(words), STDOUT_FILENO)) == 0 ? 0 : 1;
}

}  // namespace

int run_llm(const Settings& settings) {
  int errors = 0;
  for (const LlmWire wire : {LlmWire::http1, LlmWire::http2, LlmWire::sse}) {
    if (settings.variant.empty())
      errors += run_apart(wire, settings);
    else if (settings.variant == to_string(wire))
      errors = run_variant(wire, settings);
  }
  return errors;
}

}  // namespace conductorai::bench
