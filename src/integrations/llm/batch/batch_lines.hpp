#pragma once
// What both providers' batches have alike: results of a JSON object a line, and calls that were never made.

#include <functional>

#include "integrations/llm/batch/batch_service.hpp"
#include "integrations/llm/wire/service_calls.hpp"

namespace conductorai::integrations {

inline constexpr std::size_t kBatchResultBytesMax = std::size_t{256} << 20;
inline constexpr std::size_t kBatchReplyBytesMax = std::size_t{8} << 20;

/// The lines of files of results. A line that is no JSON, or names no call, is passed over: its call is then without one.
/// Errors: those of ServiceCalls::body.
task<Result<BatchLines>> fetch_lines(ServiceCalls& calls, std::vector<std::string> urls, std::function<BatchLine(const Value&)> read);

/// Of a call that the batch ended without: it was not made, and costs nothing.
Error not_made(std::string why, Retry retry);

/// The id in a reply. It becomes a part of URLs, so only what ids are made of is taken. Errors: invalid_answer.
Result<std::string> id_in(const Value& reply);

/// Posts what has no reply worth reading. Errors: those of ServiceCalls::body.
task<Result<void>> tell(ServiceCalls& calls, std::string url, std::string body);

}  // namespace conductorai::integrations
