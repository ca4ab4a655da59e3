#pragma once
// Prober: one look at a running service from outside, measured. What was expected and whether it held is judged from the sample alone.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/result.hpp"
#include "conductorai/task.hpp"
#include "conductorai/time.hpp"
#include "conductorai/value.hpp"

namespace conductorai {

struct Probe {
  enum class Kind { http, tcp, metrics } kind = Kind::http;
  std::string name;                            // for people, unique in a plan: "GET /healthz"
  std::string url;                             // "http://127.0.0.1:41873/healthz"; tcp: "127.0.0.1:41873"
  std::string method = "GET";                  //
  std::map<std::string, std::string> headers;  // sent
  std::string body;                            // sent
  Milliseconds timeout{5'000};
  // --- what is expected of the answer; what is left out is not looked at
  std::optional<int> status;
  std::optional<std::int64_t> max_ms;
  std::map<std::string, std::string> expect_headers;  // regular expressions that a header's value must hold
  std::string expect_body;                            // regular expression that the body must hold
  std::map<std::string, Value> expect_json;           // by JSON pointer or dotted path: the value there
  friend bool operator==(const Probe&, const Probe&) = default;
};

struct ProbeSample {
  std::string probe;       // its name
  std::int64_t at_ms = 0;  // since the window began
  double ms = 0;           // from connecting to the last byte
  bool ok = false;         // answered, and as expected
  int status = 0;          // http; 0: no answer
  std::string error;       // one sentence when it is not ok: what was expected, what came
  friend bool operator==(const ProbeSample&, const ProbeSample&) = default;
};

class Prober {
 public:
  virtual ~Prober() = default;
  /// A service that does not answer, or wrongly, is a sample that is not ok. Errors: invalid_argument (the probe itself), cancelled.
  virtual task<Result<ProbeSample>> probe(Probe probe) = 0;
  /// Prometheus text of `url`: value by "name{labels}". Errors: unavailable, invalid_answer, timeout, cancelled.
  virtual task<Result<std::map<std::string, double>>> metrics(std::string url, Milliseconds timeout) = 0;
};

}  // namespace conductorai
