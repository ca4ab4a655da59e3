#include "integrations/llm/batch/batch_lines.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "integrations/llm/wire/json_read.hpp"

namespace conductorai::integrations {

namespace {

void read_lines(std::string_view text, const std::function<BatchLine(const Value&)>& read, BatchLines& lines) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view written = text.substr(0, end);
    auto line = wire::parse(written);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line) continue;
    const auto id = wire::text(*line, {"custom_id"});
    if (id.empty()) continue;
    BatchLine answer = read(*line);
    if (answer.status == 200 && !is_utf8(written)) answer.error = not_an_answer("the answer holds bytes that are no UTF-8");
    lines.insert_or_assign(std::string(id), std::move(answer));
  }
}

}  // namespace

task<Result<BatchLines>> fetch_lines(ServiceCalls& calls, std::vector<std::string> urls, std::function<BatchLine(const Value&)> read) {
  BatchLines lines;
  for (const std::string& url : urls) {
    auto text = co_await calls.body(calls.request("GET", url), kBatchResultBytesMax);
    if (!text) co_return fail(text.error());
    read_lines(*text, read, lines);
  }
  co_return lines;
}

Error not_made(std::string why, Retry retry) {
  return {.code = ErrorCode::unavailable, .message = std::move(why) + " before this call was made", .retry = retry};
}

Result<std::string> id_in(const Value& reply) {
  std::string id(wire::text(reply, {"id"}));
  const auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_'; };
  if (id.empty() || id.size() > 256 || !std::ranges::all_of(id, fits)) return fail(not_an_answer("the provider's reply holds no id"));
  return id;
}

task<Result<void>> tell(ServiceCalls& calls, std::string url, std::string body) {
  auto reply = co_await calls.body(calls.posted(std::move(url), std::move(body)), kBatchReplyBytesMax);
  if (!reply) co_return fail(reply.error());
  co_return Result<void>{};
}

}  // namespace conductorai::integrations
