// conductorai-bench WORK [--state memory|sqlite] [--workflows N] [--in-flight K] [--pairs P] [--json]

#include <CLI/CLI.hpp>
#include <map>

#include "bench/llm_service.hpp"
#include "bench/measurement.hpp"
#include "conductorai/conductorai.hpp"

int main(int argc, char** argv) {
  using namespace conductorai;
  if (const auto exit_code = run_internal_command(argc, argv)) return *exit_code;
  if (const auto exit_code = bench::run_llm_service(argc, argv)) return *exit_code;
  const std::map<std::string, std::pair<const char*, int (*)(const bench::Settings&)>> works{
      {"chain", {"workflows of seven no-op tasks, against bare hops or bare appends", bench::run_chain}},
      {"fanout", {"one workflow of 10,000 tasks, in a row and side by side, against ten", bench::run_fanout}},
      {"bus", {"publish to deliver, against a bare bus", bench::run_bus}},
      {"journal", {"appends to the StateManager, against a bare group commit", bench::run_journal}},
      {"stored", {"workflows beside 20,000 stored ones, against beside 1,000", bench::run_stored}},
      {"waiting", {"10,000 tasks that wait a second, against a bare epoll client", bench::run_waiting}},
      {"startup", {"the command line as a whole process", bench::run_startup}},
      {"recover", {"10,000 unfinished workflows of 100 events taken over", bench::run_recover}},
      {"llm-cache", {"answers of models given again, from memory and from disk", bench::run_llm_cache}},
      {"first-token", {"a model's tokens, from its service to the screen of watch", bench::run_first_token}},
      {"llm", {"10,000 requests to a model in flight, 1,000 streams of its answers, against bare clients", bench::run_llm}}};
  CLI::App app("Measures ConductorAI beside the bare limit of the same work, in the same run", "conductorai-bench");
  app.require_subcommand(1);
  bench::Settings settings;
  int errors = 0;
  for (const auto& [name, work] : works) {
    CLI::App* sub = app.add_subcommand(name, work.first);
    sub->add_option("--state", settings.state, "memory or sqlite")->check(CLI::IsMember({"memory", "sqlite"}))->capture_default_str();
    sub->add_option("--workflows", settings.workflows, "how many (of tasks, messages, rows where these are counted)")
        ->check(CLI::PositiveNumber);
    sub->add_option("--in-flight", settings.in_flight, "at once")->check(CLI::PositiveNumber)->capture_default_str();
    sub->add_option("--pairs", settings.pairs, "interleaved repetitions; ratios are their median")->check(CLI::PositiveNumber);
    if (name == "llm") sub->add_option("--variant", settings.variant, "one of them only")->check(CLI::IsMember({"http1", "http2", "sse"}));
    sub->add_flag("--json", settings.json, "one object a line");
    sub->callback([&errors, &settings, run = work.second] { errors = run(settings); });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return errors == 0 ? 0 : 1;
}
