#include "agents/monitoring/probe_plan.hpp"

#include <algorithm>
#include <array>

#include "agents/base/with_reader.hpp"
#include "base/pattern.hpp"
#include "core/json.hpp"

namespace conductorai::agents {
namespace {

constexpr std::array<std::string_view, 7> kMethods{"get", "head", "post", "put", "patch", "delete", "options"};
constexpr Milliseconds kShortest{10};
constexpr Milliseconds kLongest{60'000};

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

bool is_whole_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

void read_target(WithReader& entry, std::string_view key, Probe& probe) {
  probe.url = entry.text(key);
  const bool blank = probe.url.find_first_of(" \t\r\n") != std::string::npos;
  if (!entry.failed() && (blank || (!probe.url.starts_with('/') && !is_whole_url(probe.url))))
    entry.wrong(key, "expected a path that begins with / or an http URL, found '" + probe.url + "'");
}

std::map<std::string, std::string> read_headers(WithReader& entry, std::string_view key) {
  std::map<std::string, std::string> out;
  const Object* headers = entry.object(key);
  if (headers == nullptr) return out;
  for (const auto& [name, value] : *headers) {
    const bool scalar = value.as_array() == nullptr && value.as_object() == nullptr && !value.is_null();
    if (!scalar) entry.wrong(key, "expected a text for the header " + name);
    out[name] = value.as_string() != nullptr ? *value.as_string() : core::to_json(value);
  }
  return out;
}

void check_pattern_at(WithReader& reader, std::string_view key, const std::string& pattern) {
  if (pattern.empty()) return;
  if (auto checked = check_pattern(pattern); !checked) reader.wrong(key, checked.error().message + ": '" + pattern + "'");
}

void read_expectations(WithReader& entry, Probe& probe) {
  const Object* object = entry.object("expect");
  if (object == nullptr) return;
  WithReader expect(*object, entry.path("expect"));
  expect.allow({"status", "headers", "body", "json"});
  if (auto status = expect.whole("status", 100, 599)) probe.status = static_cast<int>(*status);
  probe.expect_headers = read_headers(expect, "headers");
  for (const auto& [name, pattern] : probe.expect_headers) check_pattern_at(expect, "headers", pattern);
  probe.expect_body = expect.text("body");
  check_pattern_at(expect, "body", probe.expect_body);
  if (const Object* json = expect.object("json"))
    for (const auto& [path, value] : *json) probe.expect_json.emplace(path, value);
  entry.take(expect.result());
}

void read_body(WithReader& entry, Probe& probe) {
  const Value* json = entry.find("json");
  probe.body = entry.text("body");
  if (json == nullptr) return;
  if (!probe.body.empty()) entry.wrong("json", "give either json or body");
  probe.body = core::to_json(*json);
  const bool typed = std::ranges::any_of(probe.headers, [](const auto& header) { return upper(header.first) == "CONTENT-TYPE"; });
  if (!typed) probe.headers["Content-Type"] = "application/json";
}

void read_http(WithReader& entry, std::string_view method, Probe& probe) {
  entry.allow({std::string(method), "name", "status", "max-ms", "timeout", "headers", "body", "json", "expect"});
  read_target(entry, method, probe);
  probe.method = upper(method);
  probe.headers = read_headers(entry, "headers");
  read_body(entry, probe);
  if (auto status = entry.whole("status", 100, 599)) probe.status = static_cast<int>(*status);
  read_expectations(entry, probe);
}

void read_tcp(WithReader& entry, Probe& probe) {
  entry.allow({"tcp", "name", "max-ms", "timeout"});
  probe.kind = Probe::Kind::tcp;
  const Value* target = entry.find("tcp");
  if (const std::string* address = target->as_string())
    probe.url = *address;
  else if (!entry.flag("tcp"))
    entry.wrong("tcp", "expected true or HOST:PORT");
}

void read_metrics(WithReader& entry, PlannedProbe& planned) {
  entry.allow({"metrics", "name", "max-ms", "timeout", "thresholds"});
  planned.probe.kind = Probe::Kind::metrics;
  read_target(entry, "metrics", planned.probe);
  const Object* thresholds = entry.object("thresholds");
  if (thresholds == nullptr) return;
  for (const auto& [name, value] : *thresholds) {
    MetricLimit limit{.name = name};
    if (const Object* both = value.as_object()) {
      WithReader reader(*both, entry.path("thresholds") + "." + name);
      reader.allow({"min", "max"});
      limit.min = reader.number("min", -1e300, 1e300);
      limit.max = reader.number("max", -1e300, 1e300);
      if (both->empty()) reader.wrong("", "expected min, max or both");
      entry.take(reader.result());
    } else {
      WithReader reader(*thresholds, entry.path("thresholds"));
      limit.max = reader.number(name, -1e300, 1e300);
      entry.take(reader.result());
    }
    planned.limits.push_back(std::move(limit));
  }
}

}  // namespace

Result<PlannedProbe> read_probe(const Value& value, const std::string& path, Milliseconds default_timeout) {
  if (value.as_object() == nullptr)
    return fail(ErrorCode::invalid_argument, "expected a mapping such as { get: /healthz, status: 200 }", path);
  WithReader entry(*value.as_object(), path);
  std::vector<std::string> kinds{"tcp", "metrics"};
  kinds.insert(kinds.end(), kMethods.begin(), kMethods.end());
  std::vector<std::string> named;
  std::ranges::copy_if(kinds, std::back_inserter(named), [&](const std::string& kind) { return entry.find(kind) != nullptr; });
  if (named.size() != 1)
    return fail(ErrorCode::invalid_argument, named.empty() ? "a probe has nothing to look at" : "a probe looks at one thing, not several",
                path, "one of get, head, post, put, patch, delete, options, tcp, metrics");
  PlannedProbe planned;
  Probe& probe = planned.probe;
  if (named[0] == "tcp")
    read_tcp(entry, probe);
  else if (named[0] == "metrics")
    read_metrics(entry, planned);
  else
    read_http(entry, named[0], probe);
  probe.max_ms = entry.whole("max-ms", 1, kLongest.count());
  probe.timeout = entry.duration("timeout", kShortest, kLongest).value_or(default_timeout);
  probe.name = entry.text("name");
  if (probe.name.empty()) probe.name = upper(named[0]) + (probe.url.empty() ? "" : " " + probe.url);
  if (auto read = entry.result(); !read) return fail(read.error());
  return planned;
}

}  // namespace conductorai::agents
