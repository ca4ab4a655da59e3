#include "integrations/llm/openai/batches.hpp"

#include <algorithm>

#include "core/json.hpp"
#include "integrations/llm/batch/batch_lines.hpp"
#include "integrations/llm/ledger.hpp"
#include "integrations/llm/wire/json_read.hpp"

namespace conductorai::integrations::openai {

namespace {

using wire::at;
using wire::items;
using wire::text;

constexpr const char* kNameKey = "conductorai";  // of the metadata that holds a batch's name
constexpr int kPagesMax = 50;                    // of the list of batches, newest first

std::string lines_of(const std::vector<BatchEntry>& entries, const std::string& endpoint) {
  std::string lines;
  for (const BatchEntry& entry : entries) {
    lines += R"({"custom_id":)";
    core::append_json_string(lines, entry.id);
    lines += R"(,"method":"POST","url":")" + endpoint + R"(","body":)" + entry.body + "}\n";
  }
  return lines;
}

std::string part(const std::string& boundary, const std::string& disposition, const std::string& content) {
  return "--" + boundary + "\r\ncontent-disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n";
}

/// Why none of its calls was made.
Error refusal(const Value& batch) {
  Error error{.code = ErrorCode::invalid_argument, .message = "the provider refused the batch"};
  for (const Value& each : items(batch, {"errors", "data"})) {
    if (const auto told = text(each, {"message"}); !told.empty()) error.message += ": " + std::string(told.substr(0, 600));
    if (text(each, {"code"}) == "token_limit_exceeded") {
      error.code = ErrorCode::rate_limited;
      error.retry = Retry::backoff;
    }
    break;
  }
  return error;
}

BatchLine line_of(const Value& from) {
  BatchLine line;
  if (const Value* response = at(from, {"response"})) {
    line.status = static_cast<int>(wire::integer(*response, {"status_code"}));
    if (const Value* body = at(*response, {"body"})) line.body = *body;
    if (line.status != 0) return line;
  }
  const auto code = text(from, {"error", "code"});
  if (code == "batch_expired")
    line.error = not_made("the batch expired", Retry::backoff);
  else if (code == "batch_cancelled")
    line.error = not_made("the batch was cancelled", Retry::never);
  else
    line.error = at(from, {"error"}) != nullptr ? answer_error(from, false) : not_an_answer("a line of the batch holds no answer");
  return line;
}

}  // namespace

Batches::Batches(ServiceCalls calls) : calls_(std::move(calls)) {
  const bool responses = calls_.service().api == "responses";
  const std::string_view path = responses ? "/responses" : "/chat/completions";
  endpoint_ = "/v1" + std::string(path);
  base_ = calls_.protocol().url;
  base_.erase(std::min(base_.find('?'), base_.size()) - path.size(), path.size());
}

std::string Batches::url(std::string_view path) const {
  return joined_url(base_, path);
}

/// A file costs nothing: if nobody knows whether it arrived, it did not.
task<Result<std::string>> Batches::upload(std::string name, std::vector<BatchEntry> entries) {
  WireRequest request = calls_.request("POST", url("/files"));
  request.headers.emplace_back("content-type", "multipart/form-data; boundary=" + name);
  request.body = part(name, "name=\"purpose\"", "batch");
  request.body += part(name, "name=\"file\"; filename=\"" + name + ".jsonl\"", lines_of(entries, endpoint_));
  request.body += "--" + name + "--\r\n";
  auto reply = co_await calls_.json(std::move(request), kBatchReplyBytesMax);
  Result<std::string> id = reply ? id_in(*reply) : fail(reply.error());
  if (id || settled_status(id.error()) == StepStatus::failed) co_return id;
  Error error = id.error();
  error.code = ErrorCode::unavailable;
  co_return fail(std::move(error));
}

task<Result<std::string>> Batches::submit(std::string name, std::vector<BatchEntry> entries) {
  auto file = co_await upload(name, std::move(entries));
  if (!file) co_return fail(file.error());
  const Object body{
      {"input_file_id", *file}, {"endpoint", endpoint_}, {"completion_window", "24h"}, {"metadata", Object{{kNameKey, name}}}};
  auto reply = co_await calls_.json(calls_.posted(url("/batches"), core::to_json(body)), kBatchReplyBytesMax);
  if (reply) co_return id_in(*reply);
  if (settled_status(reply.error()) == StepStatus::failed) co_await remove_files({url("/files/" + *file)});
  co_return fail(reply.error());
}

task<Result<std::string>> Batches::find(std::string name) {
  std::string after;
  for (int page = 0; page < kPagesMax; ++page) {
    std::string list = url("/batches");
    list += (list.find('?') == std::string::npos ? "?limit=100" : "&limit=100") + (after.empty() ? "" : "&after=" + after);
    auto reply = co_await calls_.json(calls_.request("GET", std::move(list)), kBatchReplyBytesMax);
    if (!reply) co_return fail(reply.error());
    for (const Value& batch : items(*reply, {"data"})) {
      auto id = id_in(batch);
      if (!id) continue;
      if (text(batch, {"metadata", kNameKey}) == name) co_return id;
      after = *id;
    }
    const Value* more = at(*reply, {"has_more"});
    if (more == nullptr || more->as_bool() == nullptr || !*more->as_bool()) break;
  }
  co_return std::string();
}

task<Result<BatchLook>> Batches::look(std::string id) {
  auto batch = co_await calls_.json(calls_.request("GET", url("/batches/" + id)), kBatchReplyBytesMax);
  if (!batch) co_return fail(batch.error());
  const auto status = text(*batch, {"status"});
  BatchLook look;
  if (status == "failed") look.refused = refusal(*batch);
  look.ended = status == "completed" || status == "expired" || status == "cancelled";
  const auto file = [&](const char* kind) { return id_in(Object{{"id", std::string(text(*batch, {kind}))}}); };
  for (const char* kind : {"output_file_id", "error_file_id"})
    if (const auto name = file(kind)) look.results.push_back(url("/files/" + *name + "/content"));
  if (const auto name = file("input_file_id")) look.spent.push_back(url("/files/" + *name));
  if (look.refused) co_await remove_files(std::move(look.spent));
  co_return look;
}

task<Result<BatchLines>> Batches::results(BatchLook ended) {
  auto lines = co_await fetch_lines(calls_, std::move(ended.results), line_of);
  if (lines) co_await remove_files(std::move(ended.spent));
  co_return lines;
}

/// They cost nothing but room with the provider: one that stays is no error.
task<void> Batches::remove_files(std::vector<std::string> urls) {
  for (std::string& file : urls) (void)co_await calls_.body(calls_.request("DELETE", std::move(file)), kBatchReplyBytesMax);
}

task<Result<void>> Batches::cancel(std::string id) {
  return tell(calls_, url("/batches/" + id + "/cancel"), "{}");
}

}  // namespace conductorai::integrations::openai
