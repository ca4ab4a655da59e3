#pragma once
// What was expected of an HTTP answer, held against what came.

#include "conductorai/prober.hpp"
#include "infrastructure/http/http_client.hpp"

namespace conductorai::infrastructure {

/// Errors: invalid_argument for an expectation that cannot be checked (not a regular expression).
Result<void> check_expectations(const Probe& probe);

/// Empty when all that was expected came; else one sentence that says what was expected and what came, with a piece of the answer.
std::string broken_expectation(const Probe& probe, const HttpResponse& answer, double ms);

/// The value at a JSON pointer ("/a/0/b") or dotted path ("a.0.b"); null when there is none.
const Value* value_at(const Value& document, std::string_view path);

}  // namespace conductorai::infrastructure
