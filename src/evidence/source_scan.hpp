#pragma once
// Reads source text just far enough to see its tests: where each starts and ends, how often it asserts, what it skips.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conductorai::evidence {

enum class Language { python, javascript, cpp, go, rust, cmake };
std::optional<Language> language_of(std::string_view path);

struct TestUnit {
  std::string name;  // "Class.test_x", "Suite.Name"; of the rest of the file: empty
  int line = 0;
  int assertions = 0;
  int trivial = 0;      // of these: can't fail (assertTrue(True))
  int skips = 0;        // marks that skip it, expect it to fail, or run it alone; of the rest: that leave tests out
  std::string command;  // of a CTest test: the words of its call
};

struct TestSource {
  std::vector<TestUnit> tests;
  TestUnit rest;  // helpers and main programs outside of named tests
};

TestSource scan_tests(std::string_view text, Language language);

/// The text with comments and the contents of strings blanked out, offsets kept.
std::string blanked(std::string_view text, Language language);

}  // namespace conductorai::evidence
