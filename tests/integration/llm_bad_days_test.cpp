// Bad days of real services, over real sockets: each ends typed, bounded, tried again only where that helps, said in one line, without the
// key.

#include <gtest/gtest.h>

#include <atomic>

#include "facade/llm_services.hpp"
#include "facade/llm_transport.hpp"
#include "integrations/llm/ledger.hpp"
#include "integrations/llm/retries.hpp"
#include "tests/support/llm_fixture.hpp"
#include "tests/support/raw_server.hpp"

namespace conductorai::facade {
namespace {

using namespace conductorai::testing;

constexpr const char* kKey = "sk-proj-0123456789abcdefSECRET";
constexpr const char* kJson = "Content-Type: application/json\r\n";

std::string openai_stream() {
  return "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"one \"}}]}\n\n"
         "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"two\"}}]}\n\n"
         "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
         "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}\n\n"
         "data: [DONE]\n\n";
}

std::string anthropic_stream() {
  return "event: message_start\ndata: "
         "{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"m\",\"role\":\"assistant\",\"content\":[],"
         "\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n"
         "event: content_block_start\ndata: "
         "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
         "event: content_block_delta\ndata: "
         "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"one \"}}\n\n"
         "event: content_block_delta\ndata: "
         "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"two\"}}\n\n"
         "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
         "event: message_delta\ndata: "
         "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\n"
         "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
}

/// Ends with the connection, so that only the protocol itself tells a whole answer from a cut one.
std::string until_close(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + std::string(body);
}

std::string api_error(int status, std::string_view code = "made_up") {
  return http_answer(status, R"({"error":{"message":"no, not with )" + std::string(kKey) + R"(","type":")" + std::string(code) + R"("}})",
                     kJson);
}

LlmOptions options_for(const std::string& base_url) {
  LlmOptions options;
  options.base_url = base_url;
  options.connect_timeout = Milliseconds(2'000);
  options.first_byte_timeout = Milliseconds(400);
  options.idle_timeout = Milliseconds(400);
  options.timeout = Milliseconds(3'000);
  options.key = [](const std::string&) -> Result<std::string> { return std::string(kKey); };
  return options;
}

Result<LLMResponse> ask(const LlmOptions& options, const std::string& provider, int retries) {
  runtime::Loop loop;
  CountingEntropy entropy;
  LlmServices services(loop, entropy, options, [](const std::string&) {});
  auto opened = services.open(provider, "m");
  if (!opened) return fail(opened.error());
  integrations::RetryingProvider retrying(**opened, loop, entropy,
                                          {.retries = retries, .backoff = Milliseconds(1), .max_backoff = Milliseconds(1)});
  return runtime::run_to_end(loop, retrying.chat(request_of("coding", "hi")));
}

void expect_one_line_without_key(const Error& error) {
  const std::string shown = to_string(error) + error.hint;
  EXPECT_EQ(shown.find(kKey), std::string::npos) << shown;
  EXPECT_EQ(shown.find("0123456789abcdef"), std::string::npos) << shown;
  EXPECT_EQ(shown.find_first_of("\n\r\x1b"), std::string::npos) << shown;
  EXPECT_LT(shown.size(), 1'500u) << shown;
  EXPECT_NE(error.hint, "") << shown;
}

struct Day {
  std::string name;
  RawServer::Handler handler;
  ErrorCode code;
  bool again;
  StepStatus settled;
  std::string word;  // of message or hint
};

RawServer::Handler slowly(std::string head, std::string body, int pause_ms) {
  return [head = std::move(head), body = std::move(body), pause_ms](RawConnection& connection) {
    if (connection.read_request().empty() || !connection.send(head)) return;
    for (const char c : body)
      if (!connection.pause(pause_ms) || !connection.send(std::string_view(&c, 1))) return;
    connection.hang();
  };
}

std::vector<Day> days() {
  using enum ErrorCode;
  constexpr auto kFree = StepStatus::failed;
  constexpr auto kUnknown = StepStatus::unknown;
  std::vector<Day> all{
      {"a wrong key", sends(api_error(401, "authentication_error")), permission_denied, false, kFree, "llm.openai-key"},
      {"a key without the right", sends(api_error(403)), permission_denied, false, kFree, "status 403"},
      {"a wrong request", sends(api_error(400)), invalid_argument, false, kFree, "status 400"},
      {"an unknown model", sends(api_error(404, "model_not_found")), invalid_argument, false, kFree, "llm models"},
      {"no credit left", sends(api_error(429, "insufficient_quota")), permission_denied, false, kFree, "credit"},
      {"too many requests", sends(api_error(429)), rate_limited, true, kFree, "status 429"},
      {"a redirect", sends(http_answer(302, "", "Location: http://127.0.0.1:1/\r\n")), invalid_argument, false, kFree, "base-url"},
      {"HTML with a success", sends(http_answer(200, "<html>\n<body>Sign in</body></html>", "Content-Type: text/html\r\n")), invalid_answer,
       true, kUnknown, "no JSON"},
      {"HTML with an error", sends(http_answer(502, "<html>\n\x1b[31mBad Gateway</html>", "Content-Type: text/html\r\n")), unavailable,
       true, kFree, "status 502"},
      {"invalid UTF-8", sends(until_close("data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe\"}}]}\n\n")), invalid_answer, true,
       kUnknown, "no UTF-8"},
      {"invalid UTF-8 in an error", sends(http_answer(500, "{\"error\":{\"message\":\"\xff\xfe\"}}", kJson)), unavailable, true, kFree,
       "status 500"},
      {"JSON that is no object", sends(http_answer(200, "null", kJson)), invalid_answer, true, kUnknown, "no choice"},
      {"plain words", sends(http_answer(200, "sign in first", "Content-Type: text/plain\r\n")), invalid_answer, true, kUnknown, "no JSON"},
      {"an empty answer", sends(http_answer(200, "", kJson)), invalid_answer, true, kUnknown, "empty"},
      {"an empty choice", sends(http_answer(200, R"({"choices":[]})", kJson)), invalid_answer, true, kUnknown, ""},
      {"no answer at all", sends(""), invalid_answer, true, kUnknown, "connection was lost"},
      {"headers only", sends("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n"), invalid_answer, true, kUnknown, ""},
      {"a body cut short", sends("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"choi"), invalid_answer, true, kUnknown, ""},
      {"no HTTP", sends("SSH-2.0-OpenSSH_9.2\r\n"), invalid_answer, true, kUnknown, ""},
      {"an answer that never begins", slowly("", "", 1), timeout, true, kUnknown, "no answer began"},
      {"a stream that stalls", slowly(until_close("data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n"), "", 1), timeout, true,
       kUnknown, "no further piece"},
      {"a byte now and then", slowly(until_close(""), std::string(1'000, ' '), 100), timeout, false, kUnknown, ""},
  };
  for (const int status : {408, 409, 500, 502, 503, 529})
    all.push_back(
        {"status " + std::to_string(status), sends(api_error(status)), unavailable, true, kFree, "status " + std::to_string(status)});
  return all;
}

TEST(BadDays, EndTypedAndInOneLineAndAreTriedAgainOnlyWhereThatHelps) {
  for (const Day& day : days()) {
    SCOPED_TRACE(day.name);
    RawServer server(day.handler);
    const bool endless = day.name == "a byte now and then";
    auto answer = ask(options_for(server.url("/v1")), "openai", endless ? 0 : 1);
    ASSERT_FALSE(answer);
    const Error& error = answer.error();
    EXPECT_EQ(error.code, day.code) << to_string(error.code) << ": " << error.message;
    if (!endless) EXPECT_EQ(server.connections(), day.again ? 2 : 1) << error.message;
    EXPECT_EQ(integrations::settled_status(error), day.settled) << error.message;
    EXPECT_NE((error.message + error.hint).find(day.word), std::string::npos) << error.message << " / " << error.hint;
    expect_one_line_without_key(error);
  }
}

TEST(BadDays, AnEndlessAnswerIsCutAtItsBoundAndNotAskedForAgain) {
  RawServer server([](RawConnection& connection) {
    const std::string piece = "data: {\"choices\":[{\"delta\":{\"content\":\"" + std::string(1 << 20, 'x') + "\"}}]}\n\n";
    if (connection.read_request().empty() || !connection.send(until_close(""))) return;
    for (int i = 0; i < 100; ++i)
      if (!connection.send(piece)) return;
  });
  LlmOptions options = options_for(server.url("/v1"));
  options.timeout = Milliseconds(60'000);
  auto answer = ask(options, "openai", 2);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::invalid_answer);
  EXPECT_NE(answer.error().message.find("larger than"), std::string::npos) << answer.error().message;
  EXPECT_EQ(server.connections(), 1);
}

TEST(BadDays, WhatCannotBeReachedCostsNothingAndSaysWhy) {
  RawServer silent(sends(http_answer(200, "plain words", kJson)));
  RawServer refusing(sends("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
  LlmOptions by_proxy = options_for("https://llm.example.org/v1");
  by_proxy.proxy = refusing.url("/");
  LlmOptions no_proxy = options_for(silent.url("/v1"));
  no_proxy.proxy = "http://127.0.0.1:1";
  const std::vector<std::pair<std::string, LlmOptions>> ways{
      {"nobody listens", options_for("http://127.0.0.1:1/v1")},
      {"no such host", options_for("http://no-such-host.invalid/v1")},
      {"no TLS there", options_for("https://127.0.0.1:" + std::to_string(silent.port()) + "/v1")},
      {"no proxy there", no_proxy},
      {"the proxy refuses", by_proxy},
  };
  for (const auto& [name, options] : ways) {
    SCOPED_TRACE(name);
    auto answer = ask(options, "anthropic", 1);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::unavailable) << answer.error().message;
    EXPECT_EQ(integrations::settled_status(answer.error()), StepStatus::failed);
    expect_one_line_without_key(answer.error());
  }
}

task<void> exchange_into(LlmTransport& transport, integrations::WireRequest request, std::optional<Result<integrations::WireHead>>& out) {
  out = co_await transport.exchange(std::move(request), [](const integrations::WireHead&, std::string_view) { return true; });
}

TEST(BadDays, WhatGotNoConnectionInTimeWasNeverSentAndCostsNothing) {
  RawServer server([](RawConnection& connection) {
    connection.read_request();
    connection.hang();
  });
  runtime::Loop loop;
  LlmTransport transport(loop, 1);
  runtime::TaskScope scope(loop);
  std::optional<Result<integrations::WireHead>> holds, waits;
  const integrations::WireRequest request{.url = server.url("/"), .body = "x"};
  scope.spawn(exchange_into(transport, request, holds));
  auto hasty = request;
  hasty.timeout = Milliseconds(300);
  scope.spawn(exchange_into(transport, hasty, waits));
  loop.run_until([&] { return waits.has_value(); });
  ASSERT_FALSE(*waits);
  EXPECT_EQ(waits->error().code, ErrorCode::unavailable);
  EXPECT_EQ(waits->error().message, "no connection was free for 300 ms");
  EXPECT_EQ(integrations::settled_status(waits->error()), StepStatus::failed);
  EXPECT_FALSE(holds);
  EXPECT_EQ(server.connections(), 1);
  scope.cancel();
  runtime::run_to_end(loop, scope.join());
}

TEST(BadDays, WithoutAKeyTheProvidersOwnServiceIsNotAsked) {
  for (const char* provider : {"openai", "anthropic"}) {
    LlmOptions options = options_for("");
    options.key = [](const std::string&) -> Result<std::string> { return std::string(); };
    auto answer = ask(options, provider, 1);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(answer.error().hint.find("_API_KEY"), std::string::npos);
  }
}

TEST(BadDays, AStreamThatBreaksOffAtAnyByteIsNoAnswer) {
  for (const auto& [provider, body] : {std::pair{"openai", openai_stream()}, std::pair{"anthropic", anthropic_stream()}}) {
    std::atomic<std::size_t> cut = 0;
    RawServer server([&](RawConnection& connection) {
      if (!connection.read_request().empty()) connection.send(until_close(std::string_view(body).substr(0, cut)));
    });
    runtime::Loop loop;
    CountingEntropy entropy;
    LlmServices services(loop, entropy, options_for(server.url("/v1")), [](const std::string&) {});
    auto opened = services.open(provider, "m");
    ASSERT_TRUE(opened);
    std::size_t whole = 0;
    for (cut = 0; cut <= body.size(); ++cut) {
      auto answer = runtime::run_to_end(loop, (*opened)->chat(request_of("coding", "hi")));
      if (answer) {
        ++whole;
        ASSERT_EQ(answer->text, "one two") << provider << " cut at " << cut;
        ASSERT_EQ(answer->finish, FinishReason::stop) << provider << " cut at " << cut;
        continue;
      }
      ASSERT_EQ(whole, 0u) << provider << ": a shorter stream was whole, cut at " << cut;
      ASSERT_EQ(answer.error().code, ErrorCode::invalid_answer) << provider << " cut at " << cut << ": " << answer.error().message;
      ASSERT_EQ(answer.error().retry, Retry::backoff) << provider << " cut at " << cut;
    }
    EXPECT_GT(whole, 0u) << provider;
  }
}

}  // namespace
}  // namespace conductorai::facade
