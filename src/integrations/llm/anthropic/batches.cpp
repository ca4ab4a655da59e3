#include "integrations/llm/anthropic/batches.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/codec.hpp"
#include "core/json.hpp"
#include "integrations/llm/batch/batch_lines.hpp"
#include "integrations/llm/wire/json_read.hpp"

namespace conductorai::integrations::anthropic {

namespace {

using wire::at;
using wire::text;

constexpr std::size_t kReadableMax = 39;  // of the 64 characters that an id may have; the rest makes it one of its own
constexpr std::size_t kDigestDigits = 24;

/// The status that a direct call would have been answered with.
int status_of(const Value& error) {
  constexpr std::array<std::pair<std::string_view, int>, 8> kStatuses{{{"invalid_request_error", 400},
                                                                       {"authentication_error", 401},
                                                                       {"permission_error", 403},
                                                                       {"not_found_error", 404},
                                                                       {"request_too_large", 413},
                                                                       {"rate_limit_error", 429},
                                                                       {"timeout_error", 504},
                                                                       {"overloaded_error", 529}}};
  const auto type = text(error, {"error", "type"});
  for (const auto& [name, status] : kStatuses)
    if (type == name) return status;
  return 500;
}

BatchLine line_of(const Value& from) {
  BatchLine line;
  const auto type = text(from, {"result", "type"});
  if (const Value* message = at(from, {"result", "message"}); type == "succeeded" && message != nullptr) {
    line.status = 200;
    line.body = *message;
  } else if (const Value* error = at(from, {"result", "error"}); type == "errored" && error != nullptr) {
    line.status = status_of(*error);
    line.body = *error;
  } else if (type == "expired") {
    line.error = not_made("the batch expired", Retry::backoff);
  } else if (type == "canceled") {
    line.error = not_made("the batch was cancelled", Retry::never);
  } else {
    line.error = not_an_answer("a line of the batch holds no answer");
  }
  return line;
}

}  // namespace

std::string Batches::custom_id(const std::string& step) const {
  std::string id = step.substr(step.size() - std::min(step.size(), kReadableMax));
  std::ranges::replace_if(id, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return id + "-" + core::sha256_hex(step).substr(0, kDigestDigits);
}

std::string Batches::url(const std::string& path) const {
  return joined_url(calls_.protocol().url, "/batches" + path);
}

task<Result<std::string>> Batches::submit(std::string, std::vector<BatchEntry> entries) {
  std::string body = R"({"requests":[)";
  for (const BatchEntry& entry : entries) {
    if (&entry != &entries.front()) body += ',';
    body += R"({"custom_id":)";
    core::append_json_string(body, entry.id);
    body += R"(,"params":)" + entry.body + "}";
  }
  auto reply = co_await calls_.json(calls_.posted(url(""), body + "]}"), kBatchReplyBytesMax);
  if (!reply) co_return fail(reply.error());
  co_return id_in(*reply);
}

task<Result<std::string>> Batches::find(std::string) {
  co_return fail(ErrorCode::unsupported, "the provider keeps no names of batches, and its id was not recorded yet");
}

task<Result<BatchLook>> Batches::look(std::string id) {
  auto batch = co_await calls_.json(calls_.request("GET", url("/" + id)), kBatchReplyBytesMax);
  if (!batch) co_return fail(batch.error());
  // What the reply says of the results' place is not followed: the key goes to the service that is configured, and nowhere else.
  co_return BatchLook{.ended = text(*batch, {"processing_status"}) == "ended", .refused = {}, .results = {url("/" + id + "/results")}};
}

task<Result<BatchLines>> Batches::results(BatchLook ended) {
  return fetch_lines(calls_, std::move(ended.results), line_of);
}

task<Result<void>> Batches::cancel(std::string id) {
  return tell(calls_, url("/" + id + "/cancel"), "");
}

}  // namespace conductorai::integrations::anthropic
