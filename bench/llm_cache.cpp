// An answer from the cache: a prompt of 4 KiB, an answer of 2 KiB, both from memory and from disk. The wanted bound is 50 µs.

#include "bench/measurement.hpp"
#include "integrations/llm/answer_cache.hpp"
#include "runtime/sim_loop.hpp"

namespace conductorai::bench {

namespace {

using integrations::AnswerCache;
using integrations::CacheOptions;

LLMRequest question(int number) {
  LLMRequest request;
  request.messages.push_back(
      {.role = Role::user, .text = std::to_string(number) + std::string(4'096, 'q'), .tool_calls = {}, .tool_call_id = {}});
  return request;
}

/// Key and answer, as one call of a model needs both.
Measurement hits(AnswerCache& cache, const std::string& variant, int n, int questions) {
  Measurement measurement{.work = "llm-cache", .variant = variant, .n = n};
  std::vector<LLMRequest> asked;
  asked.reserve(static_cast<std::size_t>(questions));
  for (int i = 0; i < questions; ++i) asked.push_back(question(i));
  const Stopwatch watch;
  for (int i = 0; i < n; ++i)
    if (!cache.find(AnswerCache::key_of("openai m", asked[static_cast<std::size_t>(i % questions)]))) ++measurement.errors;
  watch.end(measurement);
  return measurement;
}

}  // namespace

int run_llm_cache(const Settings& settings) {
  constexpr int kQuestions = 1'000;
  const int n = settings.workflows > 0 ? settings.workflows : 20'000;
  const WorkFolder folder;
  runtime::SimLoop clock;
  const CacheOptions options{.folder = folder.path() / "llm-cache", .ttl = std::chrono::hours(1)};
  AnswerCache cache(clock, options);
  LLMResponse answer;
  answer.text = std::string(2'048, 'a');
  for (int i = 0; i < kQuestions; ++i) cache.put(AnswerCache::key_of("openai m", question(i)), answer);
  CacheOptions small = options;
  small.memory_bytes_max = 1;
  AnswerCache from_disk(clock, small);
  std::int64_t errors = 0;
  for (const auto& measured : {hits(cache, "memory", n, kQuestions), hits(from_disk, "disk", n, kQuestions)}) {
    print(measured, settings.json);
    print_ratio("us a hit from " + measured.variant, measured.wall_s * 1e6 / static_cast<double>(n), "at most 50", settings.json);
    errors += measured.errors;
  }
  return errors == 0 ? 0 : 1;
}

}  // namespace conductorai::bench
