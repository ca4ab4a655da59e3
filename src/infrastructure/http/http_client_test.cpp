#include "infrastructure/http/http_client.hpp"

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "runtime/scope.hpp"
#include "tests/support/raw_server.hpp"
#include "tests/support/temp_folder.hpp"

namespace conductorai::infrastructure {
namespace {

using namespace std::chrono_literals;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using testing::http_answer;
using testing::RawConnection;
using testing::RawServer;
using testing::sends;

/// A server that answers with what it was asked.
void echoes(RawConnection& connection) {
  const std::string request = connection.read_request();
  connection.send(http_answer(200, request));
}

Result<HttpResponse> send(HttpRequest request) {
  runtime::Loop loop;
  HttpClient client(loop);
  return runtime::run_to_end(loop, client.send(std::move(request)));
}
Result<HttpResponse> get(std::string url, Milliseconds timeout = 5s) {
  HttpRequest request;
  request.url = std::move(url);
  request.timeout = timeout;
  return send(std::move(request));
}
ErrorCode code_of(const Result<HttpResponse>& result) {
  return result ? ErrorCode::internal : result.error().code;
}

int open_descriptors() {
  int count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

TEST(HttpClient, GivesStatusHeadersInLowerCaseAndBody) {
  RawServer server(sends("HTTP/1.1 418 I'm a teapot\r\nX-Kind:  Green \r\nContent-Length: 3\r\n\r\ntea"));
  auto answer = get(server.url());
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(answer->status, 418);
  EXPECT_EQ(answer->body, "tea");
  ASSERT_NE(find_header(answer->headers, "x-kind"), nullptr);
  EXPECT_EQ(*find_header(answer->headers, "x-kind"), "Green");
  EXPECT_EQ(find_header(answer->headers, "x-other"), nullptr);
  EXPECT_FALSE(answer->truncated);
  EXPECT_GT(answer->total_ms, 0);
}

TEST(HttpClient, SendsMethodHeadersAndBodyAsGiven) {
  RawServer server(echoes);
  HttpRequest request;
  request.method = "PUT";
  request.url = server.url("/a?b=c");
  request.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
  request.body = R"({"a":1})";
  auto answer = send(request);
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_THAT(answer->body, HasSubstr("PUT /a?b=c HTTP/1.1\r\n"));
  EXPECT_THAT(answer->body, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(answer->body, ContainsRegex("X-Empty: ?\r\n"));
  EXPECT_THAT(answer->body, HasSubstr("\r\n\r\n{\"a\":1}"));
}

TEST(HttpClient, AsksForNoContinueAndInventsNoContentType) {
  RawServer server(echoes);
  HttpRequest request;
  request.method = "POST";
  request.url = server.url();
  request.body = std::string(2'000'000, 'x');
  auto answer = send(request);
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_THAT(answer->body, ::testing::Not(HasSubstr("Expect:")));
  EXPECT_THAT(answer->body, ::testing::Not(HasSubstr("Content-Type:")));
}

TEST(HttpClient, AnHeadRequestWaitsForNoBody) {
  RawServer server(sends("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"));
  HttpRequest request;
  request.method = "HEAD";
  request.url = server.url();
  auto answer = send(request);
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(answer->body, "");
}

TEST(HttpClient, FollowsARedirectOnlyWhenAskedTo) {
  std::string target;
  RawServer server([&](RawConnection& connection) {
    const std::string request = connection.read_request();
    connection.send(request.starts_with("GET /to ") ? http_answer(200, "there") : http_answer(302, "", "Location: /to\r\n"));
  });
  HttpRequest request;
  request.url = server.url("/from");
  auto stays = send(request);
  ASSERT_TRUE(stays);
  EXPECT_EQ(stays->status, 302);
  request.follow_redirects = true;
  auto follows = send(request);
  ASSERT_TRUE(follows) << to_string(follows.error());
  EXPECT_EQ(follows->body, "there");
  EXPECT_EQ(find_header(follows->headers, "location"), nullptr) << "headers are those of the last answer";
}

TEST(HttpClient, GivesUpOnARedirectThatGoesInCircles) {
  RawServer server(sends(http_answer(302, "", "Location: /again\r\n")));
  HttpRequest request;
  request.url = server.url();
  request.follow_redirects = true;
  auto answer = send(request);
  EXPECT_EQ(code_of(answer), ErrorCode::invalid_answer);
}

TEST(HttpClient, NeverFollowsARedirectToAnotherKindOfUrl) {
  RawServer server(sends(http_answer(302, "", "Location: file:///etc/passwd\r\n")));
  HttpRequest request;
  request.url = server.url();
  request.follow_redirects = true;
  auto answer = send(request);
  EXPECT_FALSE(answer);
}

TEST(HttpClient, NamesAPortWhereNobodyListens) {
  int port = 0;
  {
    port = RawServer(echoes).port();
  }
  auto answer = get("http://127.0.0.1:" + std::to_string(port) + "/");
  ASSERT_EQ(code_of(answer), ErrorCode::unavailable);
  EXPECT_EQ(answer.error().retry, Retry::backoff);
  EXPECT_THAT(to_string(answer.error()), HasSubstr(std::to_string(port)));
}

TEST(HttpClient, RefusesWhatIsNoUrlMethodOrHeaderWithoutSendingAnything) {
  RawServer server(echoes);
  EXPECT_EQ(code_of(get("")), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(get("http://")), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(get("ftp://127.0.0.1/x")), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(get("file:///etc/passwd")), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(get(server.url("/a b"))), ErrorCode::invalid_argument);
  HttpRequest request;
  request.url = server.url();
  request.method = "GET / HTTP/1.1\r\nX: y";
  EXPECT_EQ(code_of(send(request)), ErrorCode::invalid_argument);
  request.method = "GET";
  request.headers = {{"X-A", "b\r\nX-Evil: c"}};
  EXPECT_EQ(code_of(send(request)), ErrorCode::invalid_argument);
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttpClient, CutsABodyWithoutEndAndSaysSo) {
  RawServer server([](RawConnection& connection) {
    (void)connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\n\r\n");
    while (connection.send(std::string(10'000, 'y'))) {
    }
  });
  HttpRequest request;
  request.url = server.url();
  request.body_bytes_max = 100'000;
  auto answer = send(request);
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_TRUE(answer->truncated);
  EXPECT_EQ(answer->body.size(), 100'000u);
}

TEST(HttpClient, RefusesHeadersWithoutEnd) {
  RawServer server([](RawConnection& connection) {
    (void)connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 10'000; ++i)
      if (!connection.send("X-" + std::to_string(i) + ": " + std::string(1'000, 'h') + "\r\n")) return;
  });
  EXPECT_EQ(code_of(get(server.url())), ErrorCode::invalid_answer);
  RawServer one_line([](RawConnection& connection) {
    (void)connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nX: ");
    while (connection.send(std::string(10'000, 'h'))) {
    }
  });
  EXPECT_NE(code_of(get(one_line.url())), ErrorCode::internal);
}

TEST(HttpClient, TellsWhatWasMissingWhenTimeIsOver) {
  RawServer silent([](RawConnection& connection) { connection.hang(); });
  auto nothing = get(silent.url(), 100ms);
  ASSERT_EQ(code_of(nothing), ErrorCode::timeout);
  EXPECT_THAT(nothing.error().message, HasSubstr("connected, but no answer"));
  RawServer stuck([](RawConnection& connection) {
    (void)connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
    connection.hang();
  });
  auto half = get(stuck.url(), 100ms);
  ASSERT_EQ(code_of(half), ErrorCode::timeout);
  EXPECT_THAT(half.error().message, HasSubstr("status 200 and 5 bytes"));
}

TEST(HttpClient, ADripOfBytesDoesNotKeepAnExchangeAliveForEver) {
  RawServer loris([](RawConnection& connection) {
    (void)connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nX-Slow: ");
    while (connection.pause(5) && connection.send("h")) {
    }
  });
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(code_of(get(loris.url(), 200ms)), ErrorCode::timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - started, 5s);
}

TEST(HttpClient, ABrokenAnswerIsAnErrorAndNeverAnAnswer) {
  for (const char* bytes :
       {"", "complete rubbish\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nnot a chunk\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc",
        "HTTP/9.9 999999 \r\n\r\n"}) {
    RawServer server(sends(bytes));
    auto answer = get(server.url());
    ASSERT_FALSE(answer) << bytes << " gave status " << answer->status;
    EXPECT_THAT(answer.error().code, ::testing::AnyOf(ErrorCode::unavailable, ErrorCode::invalid_answer)) << bytes;
    EXPECT_FALSE(answer.error().message.empty());
  }
}

TEST(HttpClient, TalksThroughAUnixSocket) {
  testing::TempFolder folder("http");
  const std::string path = (folder.path() / "s").string();
  RawServer server(echoes, path);
  HttpRequest request;
  request.url = "http://supervisor/state";
  request.unix_socket = path;
  auto answer = send(request);
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_THAT(answer->body, HasSubstr("Host: supervisor\r\n"));
}

TEST(HttpClient, AsksNoProxyForLoopback) {
  RawServer proxy(sends(http_answer(502, "proxied")));
  RawServer server(sends(http_answer(200, "direct")));
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  auto loopback = get(server.url());
  auto elsewhere = get("http://service.invalid/");
  HttpRequest request;
  request.url = "http://service.invalid/";
  request.proxies = false;
  auto without = send(request);
  ::unsetenv("http_proxy");
  ASSERT_TRUE(loopback) << to_string(loopback.error());
  EXPECT_EQ(loopback->body, "direct");
  ASSERT_TRUE(elsewhere) << to_string(elsewhere.error());
  EXPECT_EQ(elsewhere->body, "proxied");
  EXPECT_FALSE(without);
}

TEST(HttpClient, StreamsABodyAsItArrivesWithItsStatusKnown) {
  RawServer server([](RawConnection& connection) {
    (void)connection.read_request();
    connection.send("HTTP/1.1 206 Partial\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    connection.pause(30);
    connection.send("6\r\nsecond\r\n0\r\n\r\n");
  });
  runtime::Loop loop;
  HttpClient client(loop);
  HttpRequest request;
  request.url = server.url();
  std::vector<std::string> pieces;
  auto answer = runtime::run_to_end(loop, client.stream(request, [&](const HttpResponse& head, std::string_view piece) {
    EXPECT_EQ(head.status, 206);
    pieces.emplace_back(piece);
    return true;
  }));
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(pieces, (std::vector<std::string>{"first", "second"}));
  EXPECT_EQ(answer->body, "");
}

TEST(HttpClient, ASinkThatHasEnoughEndsTheExchange) {
  RawServer server([](RawConnection& connection) {
    (void)connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\n\r\nevent");
    connection.hang();
  });
  runtime::Loop loop;
  HttpClient client(loop);
  HttpRequest request;
  request.url = server.url();
  auto answer = runtime::run_to_end(loop, client.stream(request, [](const HttpResponse&, std::string_view) { return false; }));
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_TRUE(answer->truncated);
}

TEST(HttpClient, ReusesAConnectionUnlessAFreshOneIsAskedFor) {
  RawServer server([](RawConnection& connection) {
    while (!connection.read_request().empty())
      if (!connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) return;
  });
  runtime::Loop loop;
  HttpClient client(loop);
  HttpRequest request;
  request.url = server.url();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(runtime::run_to_end(loop, client.send(request)));
  EXPECT_EQ(server.connections(), 1);
  request.fresh_connection = true;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(runtime::run_to_end(loop, client.send(request)));
  EXPECT_EQ(server.connections(), 4);
}

TEST(HttpClient, DoesNotFailOnAKeptConnectionThatTheServerClosed) {
  RawServer server([](RawConnection& connection) {
    (void)connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");  // promises to stay, and goes
  });
  runtime::Loop loop;
  HttpClient client(loop);
  HttpRequest request;
  request.url = server.url();
  for (int i = 0; i < 5; ++i) {
    auto answer = runtime::run_to_end(loop, client.send(request));
    EXPECT_TRUE(answer) << to_string(answer.error());
  }
}

task<void> keep(HttpClient& client, HttpRequest request, std::vector<Result<HttpResponse>>& out) {
  auto answer = co_await client.send(std::move(request));
  out.push_back(std::move(answer));
}

TEST(HttpClient, ManyRequestsAtOnceDoNotWaitForOneThatHangs) {
  RawServer server([](RawConnection& connection) {
    if (connection.read_request().starts_with("GET /hang ")) return connection.hang();
    connection.send(http_answer(200, "ok"));
  });
  runtime::Loop loop;
  HttpClient client(loop);
  std::vector<Result<HttpResponse>> answers;
  runtime::TaskScope scope(loop);
  HttpRequest request;
  request.url = server.url("/hang");
  scope.spawn(keep(client, request, answers));
  request.url = server.url("/ok");
  for (int i = 0; i < 200; ++i) scope.spawn(keep(client, request, answers));
  loop.run_until([&] { return answers.size() == 200; });
  for (const auto& answer : answers) EXPECT_TRUE(answer) << to_string(answer.error());
  scope.cancel();
  runtime::run_to_end(loop, scope.join());
  ASSERT_EQ(answers.size(), 201u);
  EXPECT_EQ(code_of(answers.back()), ErrorCode::cancelled);
}

TEST(HttpClient, AnExchangeForWhichThereIsNoConnectionWaitsForOne) {
  RawServer server([](RawConnection& connection) {
    while (!connection.read_request().empty())
      if (!connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) return;
  });
  runtime::Loop loop;
  HttpClient client(loop, {.connections_per_host = 2});
  HttpRequest request;
  request.url = server.url();
  std::vector<Result<HttpResponse>> answers;
  runtime::TaskScope scope(loop);
  for (int i = 0; i < 20; ++i) scope.spawn(keep(client, request, answers));
  runtime::run_to_end(loop, scope.join());
  ASSERT_EQ(answers.size(), 20u);
  for (const auto& answer : answers) EXPECT_TRUE(answer) << to_string(answer.error());
  EXPECT_LE(server.connections(), 2);
}

// The client's one timer stands for all of them, whichever comes first.
TEST(HttpClient, EachExchangeEndsAtItsOwnTime) {
  RawServer server([](RawConnection& connection) {
    (void)connection.read_request();
    connection.hang();
  });
  runtime::Loop loop;
  HttpClient client(loop);
  HttpRequest request;
  request.url = server.url();
  std::vector<Result<HttpResponse>> answers;
  runtime::TaskScope scope(loop);
  for (const Milliseconds timeout : {Milliseconds(60'000), Milliseconds(20), Milliseconds(60'000), Milliseconds(40)}) {
    request.timeout = timeout;
    scope.spawn(keep(client, request, answers));
  }
  loop.run_until([&] { return answers.size() == 2; });
  for (const auto& answer : answers) EXPECT_EQ(code_of(answer), ErrorCode::timeout);
  scope.cancel();
  runtime::run_to_end(loop, scope.join());
}

task<void> again_and_again(HttpClient& client, HttpRequest request, int times, int& good) {
  for (int i = 0; i < times; ++i) {
    auto answer = co_await client.send(request);
    good += answer.has_value() ? 1 : 0;
  }
}

TEST(HttpClient, EndsAndBeginsAtTheSameInstantWithoutLosingAnyone) {
  RawServer server(sends(http_answer(200, "ok")));
  runtime::Loop loop;
  HttpClient client(loop);
  HttpRequest request;
  request.url = server.url();
  int good = 0;
  runtime::TaskScope scope(loop);
  for (int i = 0; i < 3; ++i) scope.spawn(again_and_again(client, request, 50, good));
  runtime::run_to_end(loop, scope.join());
  EXPECT_EQ(good, 150);
}

TEST(HttpClient, LeavesNoDescriptorBehind) {
  RawServer server(sends(http_answer(200, "ok")));
  const int before = open_descriptors();
  {
    runtime::Loop loop;
    HttpClient client(loop);
    HttpRequest request;
    request.url = server.url();
    (void)runtime::run_to_end(loop, client.send(request));
  }
  // The server's side of the connection may close a moment later.
  EXPECT_LE(open_descriptors(), before + 1);
}

}  // namespace
}  // namespace conductorai::infrastructure
