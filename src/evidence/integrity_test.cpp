#include "evidence/integrity.hpp"

#include <gmock/gmock.h>

namespace conductorai::evidence {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> check(std::string path, std::optional<std::string> before, std::optional<std::string> after) {
  std::vector<std::string> out;
  for (const auto& finding : check_test_integrity({{std::move(path), std::move(before), std::move(after)}}, {}))
    out.push_back(std::string(to_string(finding.severity)) + ": " + finding.message);
  return out;
}

constexpr const char* kPython = R"(import unittest
class T(unittest.TestCase):
    def test_a(self):
        self.assertEqual(add(1, 2), 3)
        self.assertTrue(ok())

    def test_b(self):
        with self.assertRaises(ValueError):
            add("x", 1)
)";

TEST(Integrity, SaysNothingOfUntouchedAddedAndReformattedTests) {
  EXPECT_THAT(check("tests/test_a.py", kPython, kPython), IsEmpty());
  EXPECT_THAT(check("tests/test_a.py", kPython, std::string(kPython) + "\n    def test_c(self):\n        self.assertIn(1, [1])\n"),
              IsEmpty());
  EXPECT_THAT(check("tests/test_a.py", std::nullopt, kPython), IsEmpty());
  EXPECT_THAT(check("src/add.py", "def add(a, b):\n    assert a\n    return a\n", "def add(a, b):\n    return a + b\n"), IsEmpty());
}

TEST(Integrity, FindsDeletedFilesAndTests) {
  EXPECT_THAT(check("tests/test_a.py", kPython, std::nullopt), ElementsAre(HasSubstr("error: a test file with 2 tests was deleted")));
  const std::string text = kPython;
  EXPECT_THAT(check("tests/test_a.py", kPython, text.substr(0, text.find("    def test_b"))),
              ElementsAre(HasSubstr("test T.test_b was deleted")));
  EXPECT_THAT(check("tests/test_a.py", kPython, ""), ::testing::SizeIs(2));
}

TEST(Integrity, TakesAMoveForAMove) {
  EXPECT_THAT(check_test_integrity({{"tests/test_a.py", kPython, std::nullopt}, {"tests/unit/test_a.py", std::nullopt, kPython}}, {}),
              IsEmpty());
}

TEST(Integrity, FindsWeakenedPythonTests) {
  EXPECT_THAT(check("test_a.py", "def test_a():\n    assert f(1) == 2\n    assert f(2) == 3\n", "def test_a():\n    assert f(1) == 2\n"),
              ElementsAre(HasSubstr("2 assertions became 1")));
  EXPECT_THAT(check("test_a.py", "def test_a():\n    assert f(1) == 2\n", "def test_a():\n    assert True  # f(1) == 2\n"),
              ElementsAre(HasSubstr("can't fail")));
  EXPECT_THAT(check("test_a.py", "def test_a():\n    assert f(1) == 2\n", "def test_a():\n    \"\"\"assert f(1) == 2\"\"\"\n"),
              ElementsAre(HasSubstr("1 assertion became 0")));
  EXPECT_THAT(check("test_a.py", "def test_a():\n    assert f(1) == 2\n", "@pytest.mark.xfail\ndef test_a():\n    assert f(1) == 2\n"),
              ElementsAre(HasSubstr("newly skipped")));
  EXPECT_THAT(check("test_a.py", "def test_a(self):\n    self.assertEqual(f(1), 2)\n",
                    "def test_a(self):\n    self.skipTest('later')\n    self.assertEqual(f(1), 2)\n"),
              ElementsAre(HasSubstr("newly skipped")));
  EXPECT_THAT(check("test_a.py", "def check(c):\n    assert c(1) == 1\n    assert c(2) == 2\n\ndef test_a():\n    check(f)\n",
                    "def check(c):\n    pass\n\ndef test_a():\n    check(f)\n"),
              ElementsAre(HasSubstr("outside of named tests were dropped")));
}

TEST(Integrity, FindsWeakenedJavaScriptTests) {
  const char* before = "test('adds', () => { assert.equal(add(1, 2), 3); expect(x).toBe(1); });\nit(\"b\", () => { expect(1).toBe(y) });\n";
  EXPECT_THAT(check("a.test.js", before, "test('adds', () => { assert.equal(add(1, 2), 3); });\nit(\"b\", () => { expect(1).toBe(y) });\n"),
              ElementsAre(HasSubstr("test adds was weakened")));
  EXPECT_THAT(
      check("a.test.js", before,
            "test.skip('adds', () => { assert.equal(add(1, 2), 3); expect(x).toBe(1); });\nit(\"b\", () => { expect(1).toBe(y) });\n"),
      ElementsAre(HasSubstr("newly skipped")));
  EXPECT_THAT(
      check("a.test.js", before,
            "test('adds', () => { assert.equal(add(1, 2), 3); expect(x).toBe(1); });\n// it(\"b\", () => { expect(1).toBe(y) });\n"),
      ElementsAre(HasSubstr("test b was deleted")));
  EXPECT_THAT(check("a.spec.ts", "it('x', () => { expect(f()).toBe(2) })", "it('x', () => { expect(true).toBe(true) })"),
              ElementsAre(HasSubstr("can't fail")));
}

TEST(Integrity, FindsWeakenedCppTests) {
  const char* before = "TEST(Ring, Keeps) {\n  EXPECT_EQ(r.size(), 3u);\n  ASSERT_TRUE(r.ok());\n}\nint main() { assert(f() == '\"'); }\n";
  EXPECT_THAT(check("ring_test.cpp", before, "TEST(Ring, Keeps) {\n  EXPECT_EQ(r.size(), 3u);\n}\nint main() { assert(f() == '\"'); }\n"),
              ElementsAre(HasSubstr("test Ring.Keeps was weakened")));
  EXPECT_THAT(check("ring_test.cpp", before,
                    "TEST(Ring, Keeps) {\n  GTEST_SKIP();\n  EXPECT_EQ(r.size(), 3u);\n  ASSERT_TRUE(r.ok());\n}\nint main() { assert(f() "
                    "== '\"'); }\n"),
              ElementsAre(HasSubstr("newly skipped")));
  EXPECT_THAT(check("ring_test.cpp", before,
                    "TEST(Ring, Keeps) {\n  EXPECT_EQ(r.size(), 3u);\n  ASSERT_TRUE(true);\n}\nint main() { assert(f() == '\"'); }\n"),
              ElementsAre(HasSubstr("can't fail")));
  EXPECT_THAT(check("ring_test.cpp", before,
                    "TEST(Ring, Keeps) {\n  EXPECT_EQ(r.size(), 3u);\n  ASSERT_TRUE(r.ok());\n}\nint main() { return 0; }\n"),
              ElementsAre(HasSubstr("outside of named tests")));
  EXPECT_THAT(check("CMakeLists.txt", "add_test(NAME ring COMMAND t)\n", "# add_test(NAME ring COMMAND t)\n"),
              ElementsAre(HasSubstr("test ring was deleted")));
  EXPECT_THAT(check("CMakeLists.txt", "add_test(NAME ring COMMAND t)\n",
                    "add_test(NAME ring COMMAND t)\nset_tests_properties(ring PROPERTIES WILL_FAIL TRUE)\n"),
              ElementsAre(HasSubstr("disabled, left out or expected to fail")));
}

TEST(Integrity, FindsWeakenedGoAndRustTests) {
  const char* go = "package m\nfunc TestA(t *testing.T) {\n\tif f() != 1 { t.Errorf(\"no\") }\n}\n";
  EXPECT_THAT(check("a_test.go", go, "package m\nfunc TestA(t *testing.T) {\n\tt.Skip(\"flaky\")\n\tif f() != 1 { t.Errorf(\"no\") }\n}\n"),
              ElementsAre(HasSubstr("newly skipped")));
  EXPECT_THAT(check("a_test.go", go, "package m\nfunc TestA(t *testing.T) {\n\tf()\n}\n"), ElementsAre(HasSubstr("weakened")));
  const char* rust = "#[test]\nfn adds<'a>() {\n    assert_eq!(add(1, 2), 3);\n}\n";
  EXPECT_THAT(check("tests/a.rs", rust, "#[test]\n#[ignore]\nfn adds<'a>() {\n    assert_eq!(add(1, 2), 3);\n}\n"),
              ElementsAre(HasSubstr("newly skipped")));
  EXPECT_THAT(check("tests/a.rs", rust, "fn adds<'a>() {\n    assert_eq!(add(1, 2), 3);\n}\n"),
              ::testing::Contains(HasSubstr("test adds was deleted")));
}

TEST(Integrity, ReportsProtectedPathsAsCritical) {
  const auto found = check_test_integrity({}, {"tests/acceptance/a.py"});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].severity, Severity::critical);
}

TEST(Integrity, SurvivesTextThatIsNoProgram) {
  for (const char* path : {"test_a.py", "a.test.js", "a_test.cpp", "a_test.go", "tests/a.rs", "CMakeLists.txt"})
    for (const std::string text : {"", "(", "TEST(", "TEST(A, B", "test('", "func Test", "fn ", "#[test] fn", "def test_", "\"", "'''",
                                   "/*", "add_test(", "assert", "expect(", "class", "@"})
      EXPECT_NO_THROW(check(path, text, text + text));
}

TEST(Integrity, KnowsTestPaths) {
  for (const char* path :
       {"tests/x.py", "test_a.py", "pkg/a_test.go", "web/a.spec.ts", "a.test.mjs", "src/__tests__/a.js", "test/data.json", "RingTest.cpp"})
    EXPECT_TRUE(is_test_path(path)) << path;
  for (const char* path : {"src/a.py", "latest.py", "contest/a.py", "CMakeLists.txt", "attest.go"})
    EXPECT_FALSE(is_test_path(path)) << path;
}

}  // namespace
}  // namespace conductorai::evidence
