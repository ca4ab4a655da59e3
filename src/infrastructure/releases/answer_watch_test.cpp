#include "infrastructure/releases/answer_watch.hpp"

#include <gtest/gtest.h>

namespace conductorai::infrastructure::releases {
namespace {

TEST(AnswerWatch, KnowsWhenAnAnswerOfKnownLengthIsWhole) {
  AnswerWatch watch;
  EXPECT_TRUE(watch.between());
  watch.asked("GET / HTTP/1.1\r\n\r\n");
  EXPECT_FALSE(watch.between());
  watch.answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
  EXPECT_FALSE(watch.between());
  watch.answered("lo");
  EXPECT_TRUE(watch.between());
}

TEST(AnswerWatch, ReadsAHeadThatComesInPieces) {
  AnswerWatch watch;
  watch.asked("GET / HTTP/1.1\r\n\r\n");
  for (const char c : std::string("HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\n")) watch.answered(std::string(1, c));
  EXPECT_FALSE(watch.between());
  watch.answered("ok");
  EXPECT_TRUE(watch.between());
}

TEST(AnswerWatch, KnowsAnswersWithoutABody) {
  AnswerWatch watch;
  watch.asked("HEAD / HTTP/1.1\r\n\r\n");
  watch.answered("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
  EXPECT_TRUE(watch.between());
  watch.asked("DELETE /a HTTP/1.1\r\n\r\n");
  watch.answered("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_TRUE(watch.between());
}

TEST(AnswerWatch, WaitsForTheFinalAnswerAfterAnInterimOne) {
  AnswerWatch watch;
  watch.asked("POST / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n");
  watch.answered("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_FALSE(watch.may_begin());
  watch.asked("GET /not-a-request-but-a-body");
  watch.answered("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(watch.between());
}

TEST(AnswerWatch, NeverCallsAnAnswerWholeWhoseLengthItCannotTell) {
  AnswerWatch watch;
  watch.asked("GET / HTTP/1.1\r\n\r\n");
  watch.answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  EXPECT_FALSE(watch.between());
  EXPECT_TRUE(watch.may_begin());
  watch.asked("GET /next HTTP/1.1\r\n\r\n");
  EXPECT_FALSE(watch.may_begin());
}

TEST(AnswerWatch, LeavesAloneWhatIsNoHttp) {
  for (const char* first : {"\x16\x03\x01", "EHLO", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "get / HTTP/1.1"}) {
    AnswerWatch watch;
    watch.asked(first);
    EXPECT_TRUE(watch.foreign()) << first;
  }
  AnswerWatch banner;
  banner.answered("220 ready\r\n");
  EXPECT_TRUE(banner.foreign());
  AnswerWatch upgraded;
  upgraded.asked("GET /socket HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
  upgraded.answered("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  EXPECT_TRUE(upgraded.foreign());
}

}  // namespace
}  // namespace conductorai::infrastructure::releases
