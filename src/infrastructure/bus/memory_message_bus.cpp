#include "infrastructure/bus/memory_message_bus.hpp"

#include <unordered_map>
#include <vector>

#include "core/message_codec.hpp"
#include "infrastructure/bus/subscriber.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure {

namespace {

constexpr std::string_view kReplyChannel = "conductor:reply";
constexpr std::string_view kWorkflowChannel = "conductor:workflow:";

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

WorkflowId workflow_of(const AgentMessage& message) {
  if (const auto* body = std::get_if<Shared<TaskAssignment>>(&message.body)) return (*body)->id.workflow;
  if (const auto* body = std::get_if<Shared<TaskResult>>(&message.body)) return (*body)->id.workflow;
  if (const auto* body = std::get_if<CancelAttempt>(&message.body)) return body->id.workflow;
  if (const auto* body = std::get_if<Progress>(&message.body)) return body->id.workflow;
  if (message.channel.starts_with(kWorkflowChannel)) return WorkflowId(message.channel.substr(kWorkflowChannel.size()));
  return {};
}

std::unexpected<Error> nobody_listens(const std::string& channel) {
  Error error{.code = ErrorCode::unavailable, .message = "nobody listens", .where = channel, .retry = Retry::backoff};
  return fail(std::move(error));
}

}  // namespace

bool matches(std::string_view pattern, std::string_view channel) {
  std::size_t p = 0, c = 0, star = std::string_view::npos, mark = 0;
  while (c < channel.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = c;
    } else if (p < pattern.size() && pattern[p] == channel[c]) {
      ++p;
      ++c;
    } else if (star != std::string_view::npos) {
      p = star + 1;  // the last star takes one more character
      c = ++mark;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

struct MemoryMessageBus::Impl final : DeliveryLedger, std::enable_shared_from_this<Impl> {
  using Subscribers = std::vector<std::shared_ptr<Subscriber>>;
  class Handle;
  class Waiter;

  Impl(Executor& e, Clock& c, StateManager* l, MemoryBusOptions o)
      : executor(e), clock(c), letters(l), options(o), writes(std::make_unique<runtime::TaskScope>(e)) {}

  void acknowledged() override {
    ++counters.acknowledged;
    settled();
  }
  void dead(const Delivery& delivery, std::string_view reason) override {
    ++counters.dead;
    if (delivery.message->must_deliver || reason == "poison") record(*delivery.message, reason);
    settled();
  }
  void settled() {
    if (--counters.pending == 0) idle.wake();
  }

  void record(const AgentMessage& message, std::string_view reason);
  static task<void> write(std::shared_ptr<Impl> self, DeadLetter letter);
  bool deliver(const std::shared_ptr<Subscriber>& to, const MessagePtr& message);
  [[nodiscard]] bool heard(const std::string& channel) const;
  void take_reply(const MessagePtr& message);

  Executor& executor;
  Clock& clock;
  StateManager* letters;
  MemoryBusOptions options;
  std::unordered_map<std::string, Subscribers, TextHash, std::equal_to<>> exact;
  std::vector<std::pair<std::string, std::shared_ptr<Subscriber>>> patterns;
  std::unordered_map<std::string, Waiter*> requests;  // by correlation
  std::uint64_t last_request = 0;
  std::unique_ptr<Subscription> replies;  // made with the first request
  BusCounters counters;
  std::uint64_t lost = 0;
  runtime::Event idle;
  std::unique_ptr<runtime::TaskScope> writes;  // null once the bus is gone
};

class MemoryMessageBus::Impl::Handle final : public Subscription {
 public:
  Handle(std::weak_ptr<Impl> bus, std::string pattern, std::shared_ptr<Subscriber> subscriber)
      : bus_(std::move(bus)), pattern_(std::move(pattern)), subscriber_(std::move(subscriber)) {}
  ~Handle() override {
    if (auto bus = bus_.lock()) forget(*bus);
    subscriber_->close();
  }

 private:
  void forget(Impl& bus) {
    std::erase_if(bus.patterns, [&](const auto& entry) { return entry.second == subscriber_; });
    auto found = bus.exact.find(pattern_);
    if (found == bus.exact.end()) return;
    std::erase(found->second, subscriber_);
    if (found->second.empty()) bus.exact.erase(found);
  }
  std::weak_ptr<Impl> bus_;
  std::string pattern_;
  std::shared_ptr<Subscriber> subscriber_;
};

/// One request waiting for its response; registered while it lives.
class MemoryMessageBus::Impl::Waiter {
 public:
  Waiter(Impl& bus, std::string correlation) : bus_(bus), correlation_(std::move(correlation)) {
    bus_.requests.emplace(correlation_, this);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { bus_.requests.erase(correlation_); }

  void answer(MessagePtr message) {
    if (response == nullptr) response = std::move(message);
    wait.complete();
  }
  runtime::Suspension wait;
  MessagePtr response;

 private:
  Impl& bus_;
  std::string correlation_;
};

void MemoryMessageBus::Impl::record(const AgentMessage& message, std::string_view reason) {
  if (letters == nullptr || writes == nullptr) {
    ++lost;
    return;
  }
  writes->spawn(write(shared_from_this(), DeadLetter{.channel = message.channel,
                                                     .reason = std::string(reason),
                                                     .message = core::encode_letter(message),
                                                     .workflow = workflow_of(message),
                                                     .at = clock.now()}));
}

task<void> MemoryMessageBus::Impl::write(std::shared_ptr<Impl> self, DeadLetter letter) {
  auto written = co_await self->letters->put_dead_letter(std::move(letter));
  if (!written) ++self->lost;
}

/// False when the subscriber's queue is at its bound.
bool MemoryMessageBus::Impl::deliver(const std::shared_ptr<Subscriber>& to, const MessagePtr& message) {
  ++counters.sent;
  ++counters.pending;
  Delivery delivery{.message = message, .expires_at = {}, .tries = 0};
  if (message->ttl) delivery.expires_at = clock.steady_now() + *message->ttl;
  if (to->waiting() >= options.queue_max) {
    dead(delivery, "undeliverable");
    return false;
  }
  to->push(std::move(delivery));
  return true;
}

bool MemoryMessageBus::Impl::heard(const std::string& channel) const {
  if (exact.contains(channel)) return true;
  for (const auto& [pattern, subscriber] : patterns)
    if (matches(pattern, channel)) return true;
  return false;
}

void MemoryMessageBus::Impl::take_reply(const MessagePtr& message) {
  auto found = requests.find(message->correlation);
  if (found != requests.end()) found->second->answer(message);  // else it came too late: nobody waits any more
}

MemoryMessageBus::MemoryMessageBus(Executor& executor, Clock& clock, StateManager* letters, MemoryBusOptions options)
    : impl_(std::make_shared<Impl>(executor, clock, letters, options)) {}

MemoryMessageBus::~MemoryMessageBus() {
  impl_->replies.reset();
  impl_->writes.reset();
  // Subscribers keep the ledger alive through their handles; what is left in their queues can still be handled or dropped.
  impl_->exact.clear();
  impl_->patterns.clear();
}

Result<void> MemoryMessageBus::publish(AgentMessage message) {
  const MessagePtr shared = std::make_shared<const AgentMessage>(std::move(message));
  std::size_t reached = 0, refused = 0;
  auto hand_over = [&](const std::shared_ptr<Subscriber>& to) { ++(impl_->deliver(to, shared) ? reached : refused); };
  if (auto found = impl_->exact.find(shared->channel); found != impl_->exact.end())
    for (const auto& subscriber : found->second) hand_over(subscriber);
  for (const auto& [pattern, subscriber] : impl_->patterns)
    if (matches(pattern, shared->channel)) hand_over(subscriber);
  if (refused > 0) {
    Error full{.code = ErrorCode::resource_exhausted,
               .message = "a subscriber has " + std::to_string(impl_->options.queue_max) + " messages waiting, its bound",
               .where = shared->channel,
               .retry = Retry::backoff};
    return fail(std::move(full));
  }
  if (reached > 0 || !shared->must_deliver) return {};
  ++impl_->counters.sent;
  ++impl_->counters.pending;
  impl_->dead({.message = shared, .expires_at = {}, .tries = 0}, "undeliverable");
  return nobody_listens(shared->channel);
}

std::unique_ptr<Subscription> MemoryMessageBus::subscribe(std::string pattern, Handler handler) {
  auto subscriber = std::make_shared<Subscriber>(impl_->executor, impl_->clock, impl_, std::move(handler), impl_->options.handler_tries);
  if (pattern.find('*') == std::string::npos)
    impl_->exact[pattern].push_back(subscriber);
  else
    impl_->patterns.emplace_back(pattern, subscriber);
  return std::make_unique<Impl::Handle>(impl_, std::move(pattern), std::move(subscriber));
}

task<Result<MessagePtr>> MemoryMessageBus::request(AgentMessage message, Milliseconds deadline) {
  if (!message.must_deliver && !impl_->heard(message.channel)) co_return nobody_listens(message.channel);
  if (impl_->replies == nullptr) {
    impl_->replies = subscribe(std::string(kReplyChannel), [bus = impl_.get()](MessagePtr reply) {
      bus->take_reply(reply);
      return Result<void>{};
    });
  }
  message.correlation = "request-" + std::to_string(++impl_->last_request);
  message.reply_to = kReplyChannel;
  const std::string channel = message.channel;
  Impl::Waiter waiter(*impl_, message.correlation);
  if (auto sent = publish(std::move(message)); !sent) co_return fail(sent.error());
  auto timer = impl_->clock.call_after(deadline, [&waiter] { waiter.wait.complete(); });
  auto waited = co_await waiter.wait;
  if (waiter.response != nullptr) co_return std::move(waiter.response);
  if (!waited) co_return fail(waited.error());
  Error late{.code = ErrorCode::timeout,
             .message = "no response within " + std::to_string(deadline.count()) + " ms",
             .where = channel,
             .retry = Retry::backoff};
  co_return fail(std::move(late));
}

BusCounters MemoryMessageBus::counters() const {
  return impl_->counters;
}

std::uint64_t MemoryMessageBus::letters_lost() const {
  return impl_->lost;
}

task<Result<void>> MemoryMessageBus::requeue(std::int64_t id) {
  if (impl_->letters == nullptr) co_return fail(ErrorCode::not_found, "no such dead letter", std::to_string(id));
  auto letter = co_await impl_->letters->take_dead_letter(id);
  if (!letter) co_return fail(letter.error());
  auto message = core::decode_message(letter->message);
  if (!message) {
    // Unreadable here, perhaps not by a newer version: it goes back.
    auto kept = co_await impl_->letters->put_dead_letter(std::move(*letter));
    if (!kept) co_return fail(kept.error());
    co_return fail(message.error());
  }
  message->must_deliver = true;  // it was taken out of the store: it must not vanish now
  co_return publish(std::move(*message));
}

task<void> MemoryMessageBus::close() {
  // Handlers publish and dead letters are written while we wait, so both are looked at until both are at rest.
  while (impl_->counters.pending > 0 || impl_->writes->running() > 0) {
    if (impl_->counters.pending > 0) (void)co_await impl_->idle.wait().in({&impl_->executor, nullptr});
    co_await impl_->writes->join();
  }
}

}  // namespace conductorai::infrastructure
