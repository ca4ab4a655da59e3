#include "core/message_codec.hpp"

#include <array>

#include "core/json_codec.hpp"

namespace conductorai {
BOOST_DESCRIBE_STRUCT(BudgetLimits, (), (workflow, day, task, agent))
BOOST_DESCRIBE_STRUCT(TaskAssignment, (), (id, epoch, phase, task, workflow, foreach_item, findings, upstream, base, workflow_base, limits))
BOOST_DESCRIBE_STRUCT(CancelAttempt, (), (id, reason))
BOOST_DESCRIBE_STRUCT(Progress, (), (id, agent, text))
BOOST_DESCRIBE_STRUCT(Heartbeat, (), (agent, running))
}  // namespace conductorai

namespace conductorai::core {

namespace {

constexpr int kVersion = 2;

// In the order of MessageBody's alternatives.
constexpr std::array<std::string_view, std::variant_size_v<MessageBody>> kTypes{
    "none", "task_assignment", "task_result", "cancel_attempt", "progress", "heartbeat", "feedback", "value"};

struct Envelope {
  int v = kVersion;
  std::string type;
  std::string channel, from, correlation, reply_to;
  int priority = 0;
  std::optional<Milliseconds> ttl;
  bool must_deliver = false;
};
BOOST_DESCRIBE_STRUCT(Envelope, (), (v, type, channel, from, correlation, reply_to, priority, ttl, must_deliver))

std::unexpected<Error> corrupted(const Error& cause) {
  Error error{.code = ErrorCode::data_corrupted, .message = "this is no bus message: " + cause.message, .where = cause.where};
  return fail(std::move(error));
}

template <class T>
struct Carried {
  using Type = T;
};
template <class T>
struct Carried<Shared<T>> {
  using Type = T;
};

/// Version 1 of an assignment told the limits by the scopes of its budget.
Result<BudgetLimits> limits_of_scopes(const boost::json::object& assignment) {
  BudgetLimits limits;
  const auto* listed = assignment.if_contains("scopes");
  if (listed == nullptr) return limits;
  auto scopes = read_json_value<std::vector<BudgetScope>>(*listed);
  if (!scopes) return fail(scopes.error());
  for (const BudgetScope& scope : *scopes) {
    const BudgetDefinition limit{.usd_micros = scope.usd_micros, .tokens = scope.tokens, .calls = scope.calls, .wall_ms = scope.wall_ms};
    if (scope.key.starts_with("workflow/")) limits.workflow = limit;
    if (scope.key.starts_with("project/")) limits.day = limit;
  }
  return limits;
}

template <class Body>
Result<MessageBody> read_body(const boost::json::value& json, int version) {
  using T = Carried<Body>::Type;
  if constexpr (std::is_same_v<T, std::monostate>) {
    return MessageBody{};
  } else {
    auto body = read_json_value<T>(json);
    if (!body) return corrupted(body.error());
    if constexpr (std::is_same_v<T, TaskAssignment>) {
      // A foreach item may be null itself, which the generic reader takes for "absent".
      const auto* item = json.get_object().if_contains("foreach_item");
      if (item != nullptr && item->is_null()) body->foreach_item.emplace();
      if (version < 2) {
        auto limits = limits_of_scopes(json.get_object());
        if (!limits) return corrupted(limits.error());
        body->limits = *limits;
      }
    }
    return MessageBody(std::in_place_type<Body>, std::move(*body));
  }
}

template <std::size_t... I>
Result<MessageBody> read_body_of(std::string_view type, const boost::json::value& json, int version, std::index_sequence<I...>) {
  Result<MessageBody> body = fail(ErrorCode::unsupported, "unknown bus message type '" + std::string(type) + "'");
  ((type == kTypes[I] ? void(body = read_body<std::variant_alternative_t<I, MessageBody>>(json, version)) : void()), ...);
  return body;
}

/// The task's own words; a foreach item has those of its task.
TaskDefinition as_written(const TaskAssignment& assignment) {
  const std::string& name = assignment.task->id.value;
  const std::string_view base = std::string_view(name).substr(0, name.find('['));
  if (assignment.workflow != nullptr)
    for (const TaskDefinition& task : assignment.workflow->tasks)
      if (task.id.value == base) return task;
  return {.id = assignment.task->id, .agent = assignment.task->agent};
}

}  // namespace

std::string encode_letter(const AgentMessage& message) {
  const auto* assignment = std::get_if<Shared<TaskAssignment>>(&message.body);
  if (assignment == nullptr) return encode_message(message);
  TaskAssignment kept = **assignment;
  kept.task = as_written(kept);
  AgentMessage letter = message;
  letter.body = Shared<TaskAssignment>(std::move(kept));
  return encode_message(letter);
}

std::string encode_message(const AgentMessage& message) {
  std::string out = write_json(Envelope{.type = std::string(kTypes[message.body.index()]),
                                        .channel = message.channel,
                                        .from = message.from,
                                        .correlation = message.correlation,
                                        .reply_to = message.reply_to,
                                        .priority = message.priority,
                                        .ttl = message.ttl,
                                        .must_deliver = message.must_deliver});
  if (message.body.index() == 0) return out;
  out.back() = ',';  // the body follows where the envelope closed
  out += "\"body\":";
  std::visit(
      [&](const auto& body) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(body)>, std::monostate>) codec::write(out, body);
      },
      message.body);
  return out += '}';
}

Result<AgentMessage> decode_message(std::string_view json) {
  auto parsed = parse_boost(json);
  if (!parsed) return corrupted(parsed.error());
  auto envelope = read_json_value<Envelope>(*parsed);
  if (!envelope) return corrupted(envelope.error());
  if (envelope->v > kVersion)
    return fail(ErrorCode::unsupported,
                "bus message of version " + std::to_string(envelope->v) + ", newer than " + std::to_string(kVersion));
  const auto* found = parsed->get_object().if_contains("body");
  auto body = read_body_of(envelope->type, found != nullptr ? *found : boost::json::value(), envelope->v,
                           std::make_index_sequence<kTypes.size()>());
  if (!body) return fail(body.error());
  return AgentMessage{.channel = std::move(envelope->channel),
                      .from = std::move(envelope->from),
                      .correlation = std::move(envelope->correlation),
                      .reply_to = std::move(envelope->reply_to),
                      .priority = envelope->priority,
                      .ttl = envelope->ttl,
                      .must_deliver = envelope->must_deliver,
                      .body = std::move(*body)};
}

}  // namespace conductorai::core
