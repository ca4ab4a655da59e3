// bus: publish to one exact channel, delivered to its subscriber.

#include "bench/bare_limits.hpp"
#include "infrastructure/bus/memory_message_bus.hpp"
#include "runtime/event.hpp"
#include "runtime/loop.hpp"
#include "runtime/scope.hpp"

namespace conductorai::bench {
namespace {

constexpr std::int64_t kWaiting = 1'000;  // published ahead of what is delivered

struct Gate {
  std::int64_t delivered = 0;
  runtime::Event moved;
};

task<void> publish_all(MessageBus& bus, Gate& gate, std::int64_t messages, std::int64_t& errors) {
  const std::string text(1024, 'x');
  for (std::int64_t i = 0; i < messages; ++i) {
    AgentMessage message{.channel = "conductor:agent:bench", .from = "bench", .body = Progress{.id = {}, .agent = {}, .text = text}};
    if (!bus.publish(std::move(message))) ++errors;
    while (i - gate.delivered > kWaiting) {
      gate.moved.reset();
      (void)co_await gate.moved.wait();
    }
  }
  while (gate.delivered < messages) {
    gate.moved.reset();
    (void)co_await gate.moved.wait();
  }
}

Measurement ours(std::int64_t messages) {
  runtime::Loop loop;
  Measurement out{.work = "bus", .variant = "memory", .n = messages};
  infrastructure::MemoryMessageBus bus(loop, loop, nullptr);
  Gate gate;
  auto subscription = bus.subscribe("conductor:agent:bench", [&gate](MessagePtr) -> Result<void> {
    ++gate.delivered;
    gate.moved.set();
    return {};
  });
  const Stopwatch watch;
  runtime::run_to_end(loop, publish_all(bus, gate, messages, out.errors));
  watch.end(out);
  runtime::run_to_end(loop, bus.close());
  return out;
}

}  // namespace

int run_bus(const Settings& settings) {
  const std::int64_t messages = settings.workflows > 0 ? settings.workflows : 500'000;
  std::vector<double> ratios;
  int errors = 0;
  for (int pair = 0; pair < settings.pairs; ++pair) {
    const Measurement measured = ours(messages);
    const Measurement bare = bare_bus(messages);
    print(measured, settings.json);
    print(bare, settings.json);
    ratios.push_back(measured.per_s() / bare.per_s());
    errors += static_cast<int>(measured.errors + bare.errors);
  }
  print_ratio("publish to deliver over the bare bus", median(ratios), "at least 0.2, aim 0.5", settings.json);
  return errors;
}

}  // namespace conductorai::bench
