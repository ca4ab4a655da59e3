#include "infrastructure/probe/network_prober.hpp"

#include "base/printable.hpp"
#include "infrastructure/probe/expectations.hpp"
#include "infrastructure/probe/prometheus.hpp"
#include "infrastructure/probe/tcp_connect.hpp"

namespace conductorai::infrastructure {

namespace {

constexpr std::int64_t kBodyBytesMax = std::int64_t{1} << 20;
constexpr std::int64_t kMetricsBytesMax = std::int64_t{8} << 20;
constexpr std::size_t kErrorBytesMax = 500;

HttpRequest request_of(const Probe& probe, std::int64_t body_bytes_max) {
  HttpRequest request{.method = probe.method,
                      .url = probe.url,
                      .body = probe.body,
                      .timeout = probe.timeout,
                      .connect_timeout = probe.timeout,
                      .body_bytes_max = body_bytes_max,
                      .fresh_connection = true};
  request.headers.assign(probe.headers.begin(), probe.headers.end());
  return request;
}

/// What the probe itself or its caller is to blame for; everything else is the service's answer.
bool not_the_service(const Error& error) {
  return error.code == ErrorCode::invalid_argument || error.code == ErrorCode::cancelled;
}

}  // namespace

task<Result<ProbeSample>> NetworkProber::probe(Probe probe) {
  switch (probe.kind) {
    case Probe::Kind::http: return probe_http(std::move(probe));
    case Probe::Kind::tcp: return probe_tcp(std::move(probe));
    case Probe::Kind::metrics: return probe_metrics(std::move(probe));
  }
  return probe_http(std::move(probe));
}

task<Result<ProbeSample>> NetworkProber::probe_http(Probe probe) {
  if (auto checked = check_expectations(probe); !checked) co_return fail(checked.error());
  ProbeSample sample{.probe = probe.name};
  const Instant started = loop_.steady_now();
  auto answer = co_await client_.send(request_of(probe, kBodyBytesMax));
  if (!answer) {
    if (not_the_service(answer.error())) co_return fail(answer.error());
    sample.ms = std::chrono::duration<double, std::milli>(loop_.steady_now() - started).count();
    sample.error = printable_line(answer.error().message, kErrorBytesMax);
    co_return sample;
  }
  sample.ms = answer->total_ms;
  sample.status = answer->status;
  sample.error = broken_expectation(probe, *answer, sample.ms);
  sample.ok = sample.error.empty();
  co_return sample;
}

task<Result<ProbeSample>> NetworkProber::probe_tcp(Probe probe) {
  ProbeSample sample{.probe = probe.name};
  if (!resolver_) resolver_ = std::make_unique<runtime::Worker>();
  auto connected = co_await tcp_connect(loop_, *resolver_, probe.url, probe.timeout);
  if (!connected) {
    if (not_the_service(connected.error())) co_return fail(connected.error());
    sample.error = printable_line(connected.error().message, kErrorBytesMax);
    co_return sample;
  }
  sample.ms = *connected;
  sample.ok = !probe.max_ms || sample.ms <= static_cast<double>(*probe.max_ms);
  if (!sample.ok) sample.error = "expected a connection within " + std::to_string(*probe.max_ms) + " ms, it took longer";
  co_return sample;
}

task<Result<ProbeSample>> NetworkProber::probe_metrics(Probe probe) {
  ProbeSample sample{.probe = probe.name};
  const Instant started = loop_.steady_now();
  auto values = co_await metrics(probe.url, probe.timeout);
  sample.ms = std::chrono::duration<double, std::milli>(loop_.steady_now() - started).count();
  if (!values && not_the_service(values.error())) co_return fail(values.error());
  sample.ok = values.has_value();
  if (!values) sample.error = printable_line(values.error().message, kErrorBytesMax);
  co_return sample;
}

task<Result<std::map<std::string, double>>> NetworkProber::metrics(std::string url, Milliseconds timeout) {
  Probe probe;
  probe.url = std::move(url);
  probe.timeout = timeout;
  probe.headers = {{"Accept", "text/plain; version=0.0.4"}};
  auto answer = co_await client_.send(request_of(probe, kMetricsBytesMax));
  if (!answer) co_return fail(answer.error());
  if (answer->status != 200)
    co_return fail(ErrorCode::unavailable, "expected status 200 from the metrics, got " + std::to_string(answer->status), probe.url);
  if (answer->truncated)
    co_return fail(ErrorCode::invalid_answer, "the metrics are longer than " + std::to_string(kMetricsBytesMax) + " bytes", probe.url);
  co_return parse_prometheus(answer->body);
}

}  // namespace conductorai::infrastructure
