#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "infrastructure/probe/expectations.hpp"
#include "infrastructure/probe/network_prober.hpp"
#include "infrastructure/probe/prometheus.hpp"
#include "runtime/scope.hpp"
#include "tests/support/raw_server.hpp"

namespace conductorai::infrastructure {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::http_answer;
using ::testing::Pair;
using testing::RawConnection;
using testing::RawServer;
using testing::sends;

Result<ProbeSample> look(Probe probe) {
  runtime::Loop loop;
  NetworkProber prober(loop);
  return runtime::run_to_end(loop, prober.probe(std::move(probe)));
}
Probe get(const RawServer& server, std::string_view path = "/") {
  Probe probe;
  probe.name = "GET " + std::string(path);
  probe.url = server.url(path);
  probe.timeout = 2s;
  return probe;
}
/// The sample's error; "ok" when it has none.
std::string verdict(Probe probe) {
  auto sample = look(std::move(probe));
  if (!sample) return "error " + std::string(to_string(sample.error().code));
  return sample->ok ? "ok" : sample->error;
}

TEST(Prober, AnAnswerAsExpectedIsOkWithItsStatusAndTime) {
  RawServer server(sends(http_answer(201, R"({"code":"abc","n":3})", "Content-Type: application/json\r\n")));
  Probe probe = get(server);
  probe.status = 201;
  probe.max_ms = 1'500;
  probe.expect_headers = {{"Content-Type", "^application/json"}};
  probe.expect_body = "\"code\":\"[a-z]+\"";
  probe.expect_json = {{"/code", "abc"}, {"n", 3}};
  auto sample = look(probe);
  ASSERT_TRUE(sample) << to_string(sample.error());
  EXPECT_TRUE(sample->ok) << sample->error;
  EXPECT_EQ(sample->status, 201);
  EXPECT_GT(sample->ms, 0);
  EXPECT_EQ(sample->probe, "GET /");
}

TEST(Prober, SaysWhatWasExpectedAndWhatCame) {
  RawServer server(sends(http_answer(500, "Traceback: boom", "Content-Type: text/html\r\n")));
  Probe probe = get(server);
  probe.status = 200;
  EXPECT_EQ(verdict(probe), "expected status 200, got 500; the body begins \"Traceback: boom\"");
  probe.status.reset();
  probe.expect_headers = {{"content-type", "json"}};
  EXPECT_EQ(verdict(probe), "expected the header content-type to match /json/, got \"text/html\"");
  probe.expect_headers = {{"X-Missing", ".*"}};
  EXPECT_EQ(verdict(probe), "expected a header X-Missing, there was none");
  probe.expect_headers.clear();
  probe.expect_body = "^ok$";
  EXPECT_THAT(verdict(probe), HasSubstr("to match /^ok$/; the body begins"));
  probe.expect_body.clear();
  probe.expect_json = {{"a", 1}};
  EXPECT_THAT(verdict(probe), HasSubstr("expected JSON, got what is none"));
}

TEST(Prober, ComparesValuesOfAJsonAnswer) {
  RawServer server(sends(http_answer(200, R"({"a":{"b":[1,{"c/d":"x"}]},"half":0.5,"none":null})")));
  Probe probe = get(server);
  probe.expect_json = {{"/a/b/1/c~1d", "x"}, {"a.b.0", 1.0}, {"half", 0.5}, {"none", nullptr}};
  EXPECT_EQ(verdict(probe), "ok");
  probe.expect_json = {{"a.b.0", 2}};
  EXPECT_EQ(verdict(probe), "expected 2 at a.b.0 of the JSON answer, got 1");
  probe.expect_json = {{"a.b.7", 2}};
  EXPECT_THAT(verdict(probe), HasSubstr("there is nothing"));
}

TEST(Prober, MeasuresSlownessAgainstItsLimit) {
  RawServer server([](RawConnection& connection) {
    (void)connection.read_request();
    connection.pause(60);
    connection.send(http_answer(200, "late"));
  });
  Probe probe = get(server);
  probe.max_ms = 20;
  EXPECT_THAT(verdict(probe), HasSubstr("within 20 ms, it took"));
}

TEST(Prober, SendsWhatItWasGiven) {
  RawServer server([](RawConnection& connection) {
    const std::string request = connection.read_request();
    const bool right = request.starts_with("POST /shorten ") && request.contains("X-Key: v\r\n") && request.ends_with("{\"url\":\"x\"}");
    connection.send(http_answer(right ? 201 : 400, request));
  });
  Probe probe = get(server, "/shorten");
  probe.method = "POST";
  probe.headers = {{"X-Key", "v"}};
  probe.body = R"({"url":"x"})";
  probe.status = 201;
  EXPECT_EQ(verdict(probe), "ok");
}

TEST(Prober, AServiceThatDoesNotAnswerIsASampleAndNoError) {
  int port = 0;
  {
    port = RawServer(sends("")).port();
  }
  Probe probe;
  probe.url = "http://127.0.0.1:" + std::to_string(port) + "/";
  EXPECT_THAT(verdict(probe), HasSubstr("no usable answer"));
  RawServer hangs([](RawConnection& connection) { connection.hang(); });
  probe = get(hangs);
  probe.timeout = 80ms;
  EXPECT_THAT(verdict(probe), HasSubstr("no answer in time"));
  RawServer rubbish(sends("\xff\xfe\x00rubbish"));
  EXPECT_THAT(verdict(get(rubbish)), HasSubstr("no usable answer"));
}

TEST(Prober, AnUnusableProbeIsAnErrorOfItsAuthor) {
  RawServer server(sends(http_answer(200, "")));
  Probe probe = get(server);
  probe.expect_body = "([";
  EXPECT_EQ(verdict(probe), "error invalid_argument");
  probe = get(server);
  probe.method = "NOT A METHOD";
  EXPECT_EQ(verdict(probe), "error invalid_argument");
  probe = get(server);
  probe.url = "127.0.0.1 8080";
  EXPECT_EQ(verdict(probe), "error invalid_argument");
}

TEST(Prober, TextOfTheServiceCannotSteerATerminal) {
  RawServer server(sends(http_answer(500, "\x1b[2J\x1b]0;title\x07red\xff\xc0 \r\n\x00 end")));
  Probe probe = get(server);
  probe.status = 200;
  const std::string said = verdict(probe);
  EXPECT_THAT(said, HasSubstr("red"));
  for (const char c : said) EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20) << said;
}

TEST(Prober, APatternThatExplodesOnABodyIsASampleThatIsNotOk) {
  RawServer server(sends(http_answer(200, std::string(100'000, 'a'))));
  Probe probe = get(server);
  probe.expect_body = "^(a+)+$b";
  EXPECT_NE(verdict(probe), "ok");
}

TEST(TcpProbe, AnOpenPortIsOkAndAClosedOneIsNot) {
  int port = 0;
  {
    RawServer server([](RawConnection& connection) { connection.hang(); });
    port = server.port();
    Probe probe{.kind = Probe::Kind::tcp, .name = "tcp", .url = "127.0.0.1:" + std::to_string(port)};
    EXPECT_EQ(verdict(probe), "ok");
    probe.url = "localhost:" + std::to_string(port);
    EXPECT_EQ(verdict(probe), "ok");
    probe.url = server.url("/any/path");
    EXPECT_EQ(verdict(probe), "ok");
  }
  EXPECT_EQ(verdict({.kind = Probe::Kind::tcp, .name = "tcp", .url = "127.0.0.1:" + std::to_string(port)}),
            "no connection: Connection refused");
}

TEST(TcpProbe, AConnectionThatIsDroppedAtOnceDoesNotCount) {
  RawServer server([](RawConnection&) {});
  EXPECT_EQ(verdict({.kind = Probe::Kind::tcp, .name = "tcp", .url = "127.0.0.1:" + std::to_string(server.port())}),
            "the connection was taken and closed at once");
}

TEST(TcpProbe, AServiceThatSpeaksFirstIsOk) {
  RawServer server([](RawConnection& connection) { connection.send("220 hello\r\n"); });
  EXPECT_EQ(verdict({.kind = Probe::Kind::tcp, .name = "tcp", .url = "127.0.0.1:" + std::to_string(server.port())}), "ok");
}

TEST(TcpProbe, RefusesWhatIsNoAddress) {
  for (const char* address : {"", "nowhere", ":80", "host:", "host:0", "host:99999", "host:8x"})
    EXPECT_EQ(verdict({.kind = Probe::Kind::tcp, .name = "tcp", .url = address}), "error invalid_argument") << address;
}

TEST(Prometheus, ReadsNamesLabelsAndValues) {
  auto values = parse_prometheus(
      "# HELP http_requests_total The total.\n# TYPE http_requests_total counter\n"
      "http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n"
      "up 1\r\n  spaced { b = \"2\" , a = \"x \\\" } y\", }  -3.5e2\nbig +Inf\n\n");
  ASSERT_TRUE(values) << to_string(values.error());
  EXPECT_THAT(*values, ElementsAre(Pair("big", std::numeric_limits<double>::infinity()),
                                   Pair("http_requests_total{code=\"200\",method=\"post\"}", 1027),
                                   Pair("spaced{a=\"x \\\" } y\",b=\"2\"}", -350), Pair("up", 1)));
}

TEST(Prometheus, RefusesRubbishNamingItsLine) {
  for (const char* text :
       {"up 1\n<html>oops</html>\n", "up 1\nx{a=\"b} 1\n", "up 1\nx{a=b} 1\n", "up 1\nx\n", "up 1\nx one\n", "up 1\nx 1 then\n"}) {
    auto values = parse_prometheus(text);
    ASSERT_FALSE(values) << text;
    EXPECT_EQ(values.error().code, ErrorCode::invalid_answer);
    EXPECT_EQ(values.error().where, "line 2");
  }
}

TEST(Prometheus, IsReadFromAServiceThatOffersIt) {
  RawServer server(sends(http_answer(200, "up 1\n")));
  runtime::Loop loop;
  NetworkProber prober(loop);
  auto values = runtime::run_to_end(loop, prober.metrics(server.url("/metrics"), 2s));
  ASSERT_TRUE(values) << to_string(values.error());
  EXPECT_THAT(*values, ElementsAre(Pair("up", 1)));
  RawServer none(sends(http_answer(404, "no")));
  auto missing = runtime::run_to_end(loop, prober.metrics(none.url("/metrics"), 2s));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace conductorai::infrastructure
