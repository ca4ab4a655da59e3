// docs/formats/journal.md is the format; tests/golden holds the bytes.

#include "core/codec.hpp"

#include <array>
#include <boost/json/monotonic_resource.hpp>

#include "base/assert.hpp"
#include "base/sha256.hpp"
#include "core/json_codec.hpp"
#include "core/upcast.hpp"

namespace conductorai::core {

BOOST_DESCRIBE_STRUCT(Pause, (), (kind, reason))
BOOST_DESCRIBE_STRUCT(Resume, (), (by, overrides))
BOOST_DESCRIBE_STRUCT(Cancel, (), (by, reason))
BOOST_DESCRIBE_STRUCT(Resolve, (), (approval, approve, by, comment))
BOOST_DESCRIBE_STRUCT(RetryFailed, (), (by, task))

namespace {

namespace json = boost::json;

/// Wire names and newest versions, in the order of Event's alternatives. A name, once written, never means anything else.
struct Wire {
  std::string_view tag;
  int version;
};
constexpr std::array<Wire, std::variant_size_v<Event>> kWire{{{"workflow.started", 1},
                                                              {"workflow.claimed", 1},
                                                              {"workflow.paused", 1},
                                                              {"workflow.resumed", 1},
                                                              {"workflow.cancel_requested", 1},
                                                              {"workflow.cancelled", 1},
                                                              {"workflow.completed", 1},
                                                              {"workflow.failed", 1},
                                                              {"task.completed", 1},
                                                              {"task.failed", 1},
                                                              {"task.skipped", 1},
                                                              {"task.expanded", 1},
                                                              {"gate.decided", 1},
                                                              {"round.opened", 1},
                                                              {"approval.requested", 1},
                                                              {"approval.resolved", 1},
                                                              {"workflow.cleanup_started", 1},
                                                              {"workflow.forked", 1}}};

Error corrupted(const Error& cause, const std::string& where) {
  return {.code = ErrorCode::data_corrupted,
          .message = "the journal row is damaged: " + cause.message,
          .where = where + (cause.where.empty() ? "" : "." + cause.where)};
}

template <class Variant, std::size_t I = 0>
Result<Variant> read_alternative(std::size_t index, const json::value& payload) {
  if constexpr (I == std::variant_size_v<Variant>) {
    return fail(ErrorCode::internal, "no such alternative");
  } else {
    if (index != I) return read_alternative<Variant, I + 1>(index, payload);
    auto value = read_json_value<std::variant_alternative_t<I, Variant>>(payload);
    if (!value) return fail(value.error());
    return Variant(std::move(*value));
  }
}

/// What every event and command is wrapped in.
struct Envelope {
  std::string tag;
  int version = 0;
  json::object payload;
};

Result<Envelope> open_envelope(json::value& json, std::string_view kind) {
  if (!json.is_object()) return fail(ErrorCode::invalid_argument, "expected an object");
  json::object& object = json.get_object();
  const json::value* tag = object.if_contains(kind);
  const json::value* version = object.if_contains("v");
  json::value* payload = object.if_contains("data");
  if (tag == nullptr || !tag->is_string()) return fail(ErrorCode::invalid_argument, "expected a name", std::string(kind));
  if (version == nullptr || !version->is_int64() || version->get_int64() < 1 || version->get_int64() > 1'000'000)
    return fail(ErrorCode::invalid_argument, "expected a version", "v");
  if (payload == nullptr || !payload->is_object()) return fail(ErrorCode::invalid_argument, "expected an object", "data");
  return Envelope{std::string(std::string_view(tag->get_string())), static_cast<int>(version->get_int64()),
                  std::move(payload->get_object())};
}

Result<Event> read_event(json::value& json, const std::string& where) {
  auto envelope = open_envelope(json, "event");
  if (!envelope) return fail(corrupted(envelope.error(), where));
  for (std::size_t i = 0; i < kWire.size(); ++i) {
    if (kWire.at(i).tag != envelope->tag) continue;
    if (auto r = upcast(upcasters(), envelope->tag, envelope->version, kWire.at(i).version, envelope->payload); !r) return fail(r.error());
    auto event = read_alternative<Event>(i, json::value(std::move(envelope->payload)));
    if (!event) return fail(corrupted(event.error(), where));
    return event;
  }
  return fail(ErrorCode::unsupported,
              "the journal holds an unknown event: " + envelope->tag + " version " + std::to_string(envelope->version), where);
}

template <class T>
Result<T> header_field(const json::object& object, std::string_view name, T otherwise) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return otherwise;
  auto read = read_json_value<T>(*value);
  if (!read) return fail(corrupted(read.error(), std::string(name)));
  return read;
}

Result<RowHeader> read_header(const json::object& object) {
  auto workflow = header_field(object, "workflow", WorkflowId());
  auto first_seq = header_field(object, "first_seq", std::uint64_t{0});
  auto at = header_field(object, "at", Timestamp());
  auto epoch = header_field(object, "epoch", std::uint64_t{0});
  auto prev = header_field(object, "prev_sha256", std::string());
  for (const Error* error : {workflow ? nullptr : &workflow.error(), first_seq ? nullptr : &first_seq.error(), at ? nullptr : &at.error(),
                             epoch ? nullptr : &epoch.error(), prev ? nullptr : &prev.error()})
    if (error != nullptr) return fail(*error);
  if (workflow->empty() || *first_seq == 0 || *epoch == 0)
    return fail(corrupted({.code = ErrorCode::invalid_argument, .message = "it names no workflow, sequence or epoch"}, "header"));
  return RowHeader{*workflow, *first_seq, *at, *epoch, *prev};
}

template <class Payload>
void append_envelope(std::string& out, std::string_view kind, std::string_view tag, int version, const Payload& payload) {
  ((((out += R"({")") += kind) += R"(":")") += tag) += R"(","v":)";
  (out += std::to_string(version)) += R"(,"data":)";
  codec::write(out, payload);
  out += '}';
}

/// Commands that may stand in the inbox. Same rules as for events.
using InboxForm = std::variant<Pause, Resume, Cancel, Resolve, RetryFailed>;
constexpr std::array<std::string_view, std::variant_size_v<InboxForm>> kCommands{"pause", "resume", "cancel", "resolve", "retry"};
constexpr int kCommandVersion = 1;

constexpr std::size_t kUsualRow = 2048;  // bytes; a longer one grows

template <class T>
std::optional<std::size_t> inbox_index() {
  std::size_t index = kCommands.size();
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((std::is_convertible_v<const T&, const std::variant_alternative_t<I, InboxForm>&> ? void(index = I) : void()), ...);
  }(std::make_index_sequence<kCommands.size()>());
  return index == kCommands.size() ? std::nullopt : std::optional(index);
}

template <class T>
Result<T> decode_struct(std::string_view text, std::string_view what) {
  auto value = read_json<T>(text);
  if (value) return value;
  return fail(Error{.code = ErrorCode::data_corrupted,
                    .message = std::string(what) + " can't be read: " + value.error().message,
                    .where = value.error().where});
}

}  // namespace

std::string_view event_tag(const Event& event) {
  return kWire.at(event.index()).tag;
}

int event_version(const Event& event) {
  return kWire.at(event.index()).version;
}

std::string encode_payload(const Event& event) {
  return std::visit([](const auto& payload) { return write_json(payload); }, event);
}

namespace {

void append_beginning(std::string& out, const WorkflowId& workflow, std::uint64_t first_seq, Timestamp at, std::uint64_t epoch) {
  out += R"({"workflow":)";
  append_json_string(out, workflow.value);
  (out += R"(,"first_seq":)") += std::to_string(first_seq);
  (out += R"(,"at":")") += to_iso8601(at);
  ((out += R"(","epoch":)") += std::to_string(epoch)) += ',';
}

}  // namespace

std::string row_beginning(const WorkflowId& workflow, std::uint64_t first_seq, Timestamp at, std::uint64_t epoch) {
  std::string out;
  append_beginning(out, workflow, first_seq, at, epoch);
  return out;
}

std::string encode_row(const RowHeader& header, const std::vector<Event>& events) {
  std::string out;
  out.reserve(kUsualRow);
  append_beginning(out, header.workflow, header.first_seq, header.at, header.epoch);
  ((out += R"("prev_sha256":")") += header.prev_sha256) += R"(","events":[)";
  for (const Event& event : events) {
    if (&event != &events.front()) out += ',';
    std::visit([&](const auto& payload) { append_envelope(out, "event", event_tag(event), event_version(event), payload); }, event);
  }
  out += "]}";
  return out;
}

Result<Row> decode_row(std::string_view body) {
  std::array<unsigned char, kUsualRow> first;
  json::monotonic_resource memory(first.data(), first.size());  // of the JSON in between: all of it is freed at once
  auto parsed = parse_boost(body, &memory);
  if (!parsed) return fail(corrupted(parsed.error(), "row"));
  if (!parsed->is_object()) return fail(corrupted({.message = "it is no object"}, "row"));
  auto header = read_header(parsed->get_object());
  if (!header) return fail(header.error());
  json::value* events = parsed->get_object().if_contains("events");
  if (events == nullptr || !events->is_array() || events->get_array().empty())
    return fail(corrupted({.message = "it holds no events"}, "events"));
  Row row{.header = *header, .events = {}};
  for (json::value& item : events->get_array()) {
    auto event = read_event(item, "events." + std::to_string(row.events.size()));
    if (!event) return fail(event.error());
    row.events.push_back(std::move(*event));
  }
  return row;
}

std::string encode_command(const Command& command) {
  std::string out;
  std::visit(
      [&out]<class T>(const T& payload) {
        if constexpr (requires { write_json(payload); } && std::is_constructible_v<InboxForm, T>) {
          if (const auto index = inbox_index<T>()) append_envelope(out, "command", kCommands.at(*index), kCommandVersion, payload);
        }
      },
      command);
  CONDUCTORAI_ASSERT(!out.empty(), "only commands of users stand in the inbox");
  return out;
}

Result<Command> decode_command(std::string_view body) {
  auto parsed = parse_boost(body);
  if (!parsed) return fail(Error{.code = ErrorCode::data_corrupted, .message = "the command can't be read: " + parsed.error().message});
  auto envelope = open_envelope(*parsed, "command");
  if (!envelope)
    return fail(Error{.code = ErrorCode::data_corrupted,
                      .message = "the command can't be read: " + envelope.error().message,
                      .where = envelope.error().where});
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    if (kCommands.at(i) != envelope->tag || envelope->version != kCommandVersion) continue;
    auto command = read_alternative<InboxForm>(i, json::value(std::move(envelope->payload)));
    if (!command)
      return fail(Error{.code = ErrorCode::data_corrupted,
                        .message = "the command can't be read: " + command.error().message,
                        .where = command.error().where});
    return std::visit([](auto& form) { return Command(std::move(form)); }, *command);
  }
  return fail(ErrorCode::unsupported, "unknown command: " + envelope->tag + " version " + std::to_string(envelope->version));
}

std::string encode_definition(const WorkflowDefinition& definition) {
  return write_json(definition);
}

Result<WorkflowDefinition> decode_definition(std::string_view text) {
  return decode_struct<WorkflowDefinition>(text, "the workflow definition");
}

std::string encode_task_result(const TaskResult& result) {
  return write_json(result);
}

Result<TaskResult> decode_task_result(std::string_view text) {
  return decode_struct<TaskResult>(text, "the task result");
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

}  // namespace conductorai::core
