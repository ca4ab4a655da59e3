#pragma once
// A prober and releases that tests script, in simulated time.

#include <functional>
#include <map>

#include "agents/monitoring/monitor_plan.hpp"
#include "core/json.hpp"
#include "runtime/scope.hpp"
#include "runtime/sim_loop.hpp"
#include "tests/support/fake_release_manager.hpp"

namespace conductorai::agents::testing {

inline Object with_of(std::string_view json) {
  auto value = core::parse_json(json);
  return value && value->as_object() != nullptr ? *value->as_object() : Object{{"not JSON", std::string(json)}};
}

class ScriptedProber final : public Prober {
 public:
  explicit ScriptedProber(Clock& clock) : clock_(clock) {}

  /// How one look ends, `n` from 1; time passes before it answers.
  struct Answer {
    ProbeSample sample;
    Milliseconds takes{1};
  };
  std::function<Answer(const Probe&, int n)> answers = [](const Probe&, int) {
    return Answer{.sample = {.ms = 1, .ok = true, .status = 200}};
  };
  std::optional<Error> error;
  std::map<std::string, double> metric_values;
  std::map<std::string, int> looks;
  int at_once = 0, most_at_once = 0;

  task<Result<ProbeSample>> probe(Probe probe) override {
    if (error) co_return fail(*error);
    most_at_once = std::max(most_at_once, ++at_once);
    Answer answer = answers(probe, ++looks[probe.name]);
    const bool in_time = answer.takes <= probe.timeout;
    auto slept = co_await sleep_for(clock_, in_time ? answer.takes : probe.timeout);
    --at_once;
    if (!slept) co_return fail(slept.error());
    if (!in_time) answer.sample = {.error = "no answer in time"};
    answer.sample.probe = probe.name;
    co_return answer.sample;
  }
  task<Result<std::map<std::string, double>>> metrics(std::string, Milliseconds) override { co_return metric_values; }

 private:
  Clock& clock_;
};

inline ReleaseInfo serving(std::string id = "r1") {
  ReleaseInfo info{.id = std::move(id)};
  info.state = ReleaseState::serving;
  info.url = "http://127.0.0.1:4711";
  info.alive = true;
  info.rss_bytes = 10 << 20;
  return info;
}

}  // namespace conductorai::agents::testing
