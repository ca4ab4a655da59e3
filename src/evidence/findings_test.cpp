#include "evidence/findings.hpp"

#include <gmock/gmock.h>

namespace conductorai::evidence {
namespace {

const std::vector<std::string> kFiles{"src/buffer.cpp", "src/buffer.hpp",     "tests/buffer_test.cpp",
                                      "shop/cart.py",   "tests/test_cart.py", "src/lib.rs"};

Finding only(std::string_view output) {
  auto found = findings_in_output(output, kFiles);
  EXPECT_EQ(found.size(), 1u) << output;
  return found.empty() ? Finding{} : found.front();
}

TEST(Findings, PlaceASanitizerReportAtTheFirstFrameInTheProject) {
  const auto found = only(
      "==12==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000018 at pc 0x55 bp 0x7f sp 0x7f\n"
      "WRITE of size 4 at 0x602000000018 thread T0\n"
      "    #0 0x49 in memcpy (/usr/lib/x86_64-linux-gnu/libasan.so.8+0x49)\n"
      "    #1 0x55 in ring::Buffer::push(int) /work/abc/src/buffer.cpp:21:9\n"
      "    #2 0x56 in main /work/abc/tests/buffer_test.cpp:7\n");
  EXPECT_EQ(found.file, "src/buffer.cpp");
  EXPECT_EQ(found.line, 21);
  EXPECT_EQ(found.message, "AddressSanitizer: heap-buffer-overflow");
}

TEST(Findings, ReadCompilersAndUndefinedBehaviour) {
  EXPECT_EQ(only("/w/src/buffer.cpp:3:5: error: use of undeclared identifier 'x'\n").line, 3);
  EXPECT_EQ(only("../src/buffer.cpp:8:12: runtime error: signed integer overflow\n").source, "sanitizer");
  EXPECT_EQ(only("thread 'main' panicked at src/lib.rs:10:5:\n").line, 10);
  EXPECT_EQ(only("/w/tests/buffer_test.cpp:12: Failure\nExpected equality\n").line, 12);
}

TEST(Findings, PlaceAPythonTracebackAtItsDeepestFrameInTheProject) {
  const auto found = only(
      "Traceback (most recent call last):\n  File \"/w/tests/test_cart.py\", line 5, in test_x\n    total()\n"
      "  File \"/w/shop/cart.py\", line 9, in total\n    1 / 0\n  File \"/usr/lib/python3/x.py\", line 1, in y\nZeroDivisionError: "
      "division by zero\n");
  EXPECT_EQ(found.file, "shop/cart.py");
  EXPECT_EQ(found.line, 9);
}

TEST(Findings, PassOverFilesOfOthersAndProse) {
  EXPECT_TRUE(
      findings_in_output("/usr/include/c++/12/vector:3:5: error: no\nsee README: all 12: fine\n:::\n::12:\nerror: \n", kFiles).empty());
}

TEST(Findings, NameEachPlaceOnceAndKeepTheLimit) {
  std::string output;
  for (int i = 0; i < 500; ++i) output += "src/buffer.cpp:" + std::to_string(1 + i / 2) + ":1: error: x\n";
  EXPECT_EQ(findings_in_output(output, kFiles, 20).size(), 20u);
}

TEST(Findings, OfAReportCarryNameMessageAndPlace) {
  TestReport report;
  report.cases = {
      {.name = "ok"},
      {.name = "t.A.b", .status = CaseStatus::failed, .message = "AssertionError: 1 != 2", .file = "tests/test_cart.py", .line = 4},
      {.name = "asan",
       .status = CaseStatus::failed,
       .message = "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n #0 0x1 in f /b/src/buffer.cpp:2:3\n"}};
  const auto found = findings_of(report, kFiles);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].line, 4);
  EXPECT_THAT(found[0].message, ::testing::HasSubstr("1 != 2"));
  EXPECT_EQ(found[1].file, "src/buffer.cpp");
  EXPECT_THAT(found[1].message, ::testing::HasSubstr("AddressSanitizer: heap-use-after-free"));
}

}  // namespace
}  // namespace conductorai::evidence
