#include "evidence/source_scan.hpp"

#include <algorithm>
#include <utility>

#include "evidence/text.hpp"

namespace conductorai::evidence {
namespace {

/// A chain of names as it stands in code: "self.assertEqual", "std::assert", "it.skip".
struct Chain {
  std::string_view text;
  std::size_t at = 0;
  std::size_t end = 0;
  char next = '\0';      // first character after it that is no space on the same line
  char previous = '\0';  // the one before it

  [[nodiscard]] std::string_view first() const { return text.substr(0, text.find_first_of(".:")); }
  [[nodiscard]] std::string_view last() const { return text.substr(text.find_last_of(".:") + 1); }
  [[nodiscard]] bool called() const { return next == '('; }
};

std::vector<Chain> chains_of(std::string_view code) {
  std::vector<Chain> chains;
  for (std::size_t at = 0; at < code.size();) {
    if (!is_word(code[at])) {
      ++at;
      continue;
    }
    Chain chain{.at = at, .previous = at > 0 ? code[at - 1] : '\0'};
    while (at < code.size() && (is_word(code[at]) || ((code[at] == '.' || code[at] == ':') && at + 1 < code.size() &&
                                                      (is_word(code[at + 1]) || code[at + 1] == ':'))))
      ++at;
    chain.end = at;
    chain.text = code.substr(chain.at, at - chain.at);
    while (chain.text.ends_with(':')) chain.text.remove_suffix(1);
    auto look = at;
    while (look < code.size() && (code[look] == ' ' || code[look] == '\t')) ++look;
    chain.next = look < code.size() ? code[look] : '\0';
    chains.push_back(chain);
  }
  return chains;
}

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

bool is_assertion(const Chain& c, Language language) {
  switch (language) {
    case Language::python:
      if (c.text == "assert") return true;
      return c.called() && (c.last().starts_with("assert") || (c.first() == "self" && c.last() == "fail") ||
                            one_of(c.text, {"pytest.raises", "pytest.fail"}));
    case Language::javascript:
      return c.called() && (c.first() == "assert" || c.text == "expect" || c.text.starts_with("t.assert") ||
                            c.text.find(".should") != std::string_view::npos);
    case Language::cpp:
      return c.called() && (c.text.starts_with("EXPECT_") || c.text.starts_with("ASSERT_") || c.text.starts_with("REQUIRE") ||
                            c.text.starts_with("CHECK") || c.text.starts_with("BOOST_CHECK") || c.text.starts_with("BOOST_REQUIRE") ||
                            one_of(c.text, {"assert", "static_assert", "FAIL", "ADD_FAILURE"}));
    case Language::go:
      return c.called() &&
             (one_of(c.last(), {"Error", "Errorf", "Fatal", "Fatalf", "Fail", "FailNow"}) || one_of(c.first(), {"assert", "require"}));
    case Language::rust: return c.next == '!' && (c.text.starts_with("assert") || c.text.starts_with("debug_assert") || c.text == "panic");
    case Language::cmake: return false;
  }
  return false;
}

bool is_skip(const Chain& c, Language language) {
  switch (language) {
    case Language::python:
      return one_of(c.last(), {"skipIf", "skipUnless", "skipTest", "expectedFailure", "SkipTest", "xfail", "skipif", "importorskip"}) ||
             (c.last() == "skip" && one_of(c.first(), {"pytest", "unittest", "skip"}) && (c.previous == '@' || c.called())) ||
             one_of(c.text, {"load_tests", "__test__", "collect_ignore", "collect_ignore_glob", "pytest_ignore_collect",
                             "pytest_collection_modifyitems"});
    case Language::javascript:
      return (c.called() && c.text.size() > c.first().size() && one_of(c.last(), {"skip", "only", "todo", "failing", "fails", "skipIf"})) ||
             (c.called() && one_of(c.text, {"xit", "xtest", "xdescribe", "fit", "fdescribe"})) ||
             (c.next == ':' && one_of(c.text, {"skip", "todo", "only"}));
    case Language::cpp: return one_of(c.text, {"GTEST_SKIP", "SKIP"}) || c.text.starts_with("DISABLED_");
    case Language::go: return c.called() && one_of(c.last(), {"Skip", "Skipf", "SkipNow"});
    case Language::rust: return (c.previous == '[' || c.previous == ' ') && one_of(c.text, {"ignore", "should_panic"});
    case Language::cmake: return one_of(c.text, {"WILL_FAIL", "DISABLED", "SKIP_RETURN_CODE", "SKIP_REGULAR_EXPRESSION"});
  }
  return false;
}

/// One past the bracket that closes the one at `open`; the end of the text where none does.
std::size_t closing(std::string_view code, std::size_t open) {
  const char opening = code[open];
  const char close = opening == '(' ? ')' : opening == '{' ? '}' : ']';
  int depth = 0;
  for (auto i = open; i < code.size(); ++i) {
    if (code[i] == opening)
      ++depth;
    else if (code[i] == close && --depth == 0)
      return i + 1;
  }
  return code.size();
}

bool always_true(std::string_view argument) {
  argument = trimmed(argument);
  if (one_of(argument, {"True", "true", "1", "!false", "!0", "not False", "1 == 1", "1 === 1", "true == true", "True == True", "0 == 0"}))
    return true;
  return argument.ends_with(" or True") || argument.ends_with("|| true") || argument.ends_with("|| 1");
}

/// "2, 2": two literals that are the same.
bool same_literals(std::string_view arguments) {
  const auto comma = arguments.find(',');
  if (comma == std::string_view::npos) return false;
  const auto left = trimmed(arguments.substr(0, comma));
  const auto right = trimmed(arguments.substr(comma + 1));
  const bool literal = !left.empty() && (std::isdigit(static_cast<unsigned char>(left.front())) != 0 ||
                                         one_of(left, {"True", "true", "False", "false", "None", "null"}));
  return literal && left == right.substr(0, std::min(right.find(','), right.size()));
}

bool is_trivial(const Chain& c, std::string_view text, std::string_view code, Language language) {
  if (language == Language::python && c.text == "assert") {
    const auto end = std::min(code.find('\n', c.end), code.size());
    auto condition = code.substr(c.end, end - c.end);
    condition = condition.substr(0, condition.find(','));
    condition = trimmed(condition);
    if (condition.starts_with('(') && condition.ends_with(')')) condition = condition.substr(1, condition.size() - 2);
    return always_true(condition);
  }
  const auto open = code.find('(', c.end);
  if (open == std::string_view::npos || c.last() == "fail") return false;
  const auto close = closing(code, open);
  if (close <= open + 1) return false;
  const auto arguments = text.substr(open + 1, close - open - 2);
  if (always_true(arguments.substr(0, arguments.find(','))) && c.last().find("Equal") == std::string_view::npos &&
      !c.last().ends_with("_eq")) {
    return !one_of(c.last(), {"assertFalse", "EXPECT_FALSE", "ASSERT_FALSE", "assert_false", "equal", "strictEqual", "EXPECT_EQ",
                              "ASSERT_EQ", "assertIs", "assertIn"});
  }
  return same_literals(arguments);
}

struct Span {
  std::string name;
  std::size_t from = 0, to = 0;
};

std::string quoted_name(std::string_view text, std::size_t open) {
  const auto start = text.find_first_of("'\"`", open);
  if (start == std::string_view::npos || start > open + 40) return "";
  const auto end = text.find(text[start], start + 1);
  return end == std::string_view::npos ? "" : std::string(text.substr(start + 1, std::min<std::size_t>(end - start - 1, 200)));
}

std::size_t indentation(std::string_view line) {
  return std::min(line.find_first_not_of(" \t"), line.size());
}

/// Functions named test…, with their class; a body ends at the first line indented no deeper. Decorators belong to what follows them.
std::vector<Span> python_tests(std::string_view code) {
  std::vector<Span> spans;
  std::string owner;
  std::size_t owner_indent = 0, at = 0, decorated = std::string_view::npos;
  std::optional<std::size_t> open_indent;
  for (auto line : lines_of(code)) {
    const auto start = at;
    at = std::min(at + line.size() + (code.substr(at + line.size()).starts_with("\r\n") ? 2 : 1), code.size());
    const auto indent = indentation(line);
    auto text = line.substr(indent);
    if (text.empty()) continue;
    if (open_indent && indent <= *open_indent && text.front() != ')' && text.front() != ']') {
      spans.back().to = start;
      open_indent.reset();
    }
    if (text.starts_with("async ")) text = trimmed(text.substr(6));
    if (text.front() == '@') {
      decorated = std::min(decorated, start);
      continue;
    }
    const auto from = std::exchange(decorated, std::string_view::npos);
    if (indent <= owner_indent) owner.clear();
    if (text.starts_with("class ")) {
      owner = std::string(text.substr(6, text.find_first_of("(: ", 6) - 6));
      owner_indent = indent;
    } else if (text.starts_with("def test") && !open_indent) {
      const auto name = std::string(text.substr(4, text.find('(') - 4));
      spans.push_back({owner.empty() ? name : owner + "." + name, std::min(from, start), code.size()});
      open_indent = indent;
    }
  }
  return spans;
}

/// From a chain that names a test, the bracket at or after `from` opens its body.
std::optional<Span> bracketed(std::string_view code, std::string name, std::size_t start, std::size_t from, char bracket) {
  const auto open = code.find(bracket, from);
  if (open == std::string_view::npos) return std::nullopt;
  return Span{std::move(name), start, closing(code, open)};
}

std::optional<Span> cpp_test(const Chain& c, std::string_view text, std::string_view code) {
  if (!c.called() ||
      !one_of(c.text, {"TEST", "TEST_F", "TEST_P", "TYPED_TEST", "TYPED_TEST_P", "TEST_CASE", "SCENARIO", "BOOST_AUTO_TEST_CASE"}))
    return std::nullopt;
  const auto open = code.find('(', c.end);
  const auto close = closing(code, open);
  std::string name;
  if (one_of(c.text, {"TEST_CASE", "SCENARIO"})) {
    name = quoted_name(text, open);
  } else {
    for (char ch : text.substr(open + 1, close - open - 2))
      if (ch == ',')
        name += '.';
      else if (!std::isspace(static_cast<unsigned char>(ch)))
        name += ch;
  }
  return bracketed(code, std::move(name), c.at, close, '{');
}

std::optional<Span> test_at(const std::vector<Chain>& chains, std::size_t i, std::string_view text, std::string_view code,
                            Language language) {
  const auto& c = chains[i];
  switch (language) {
    case Language::python: return std::nullopt;
    case Language::javascript: {
      if (!c.called() || !one_of(c.first(), {"test", "it", "xit", "xtest", "fit"})) return std::nullopt;
      auto name = quoted_name(text, c.end);
      if (name.empty()) return std::nullopt;
      return bracketed(code, std::move(name), c.at, c.end, '(');
    }
    case Language::cpp: return cpp_test(c, text, code);
    case Language::go: {
      if (c.text != "func" || i + 1 >= chains.size()) return std::nullopt;
      const auto& name = chains[i + 1];
      if (!name.called() || !(name.text.starts_with("Test") || name.text.starts_with("Fuzz"))) return std::nullopt;
      return bracketed(code, std::string(name.text), c.at, closing(code, code.find('(', name.end)), '{');
    }
    case Language::rust: {
      if (c.text != "fn" || i + 1 >= chains.size()) return std::nullopt;
      // Attributes stand before the function, after the end of what precedes it.
      const auto before = code.substr(0, c.at);
      const auto from = before.find_last_of("};{") == std::string_view::npos ? 0 : before.find_last_of("};{") + 1;
      const auto attributes = before.substr(from);
      if (attributes.find("test]") == std::string_view::npos && attributes.find("test(") == std::string_view::npos) return std::nullopt;
      return bracketed(code, std::string(chains[i + 1].text), from, c.end, '{');
    }
    case Language::cmake: {
      if (!c.called() || !one_of(c.text, {"add_test", "gtest_discover_tests", "catch_discover_tests"})) return std::nullopt;
      const auto open = code.find('(', c.end);
      auto words = trimmed(code.substr(open + 1, closing(code, open) - open - 2));
      if (words.starts_with("NAME")) words = trimmed(words.substr(4));
      return Span{std::string(words.substr(0, words.find_first_of(" \t\n)"))), c.at, closing(code, open)};
    }
  }
  return std::nullopt;
}

/// What leaves tests out and is no code: a list that CTest reads from a file which CMake writes, constraints of a Go file.
int left_out(std::string_view text, Language language) {
  int count = 0;
  if (language == Language::cmake)
    for (auto at = text.find("CTEST_CUSTOM_"); at != std::string_view::npos; at = text.find("CTEST_CUSTOM_", at + 1)) ++count;
  if (language == Language::go)
    for (const auto line : lines_of(text)) count += line.starts_with("//go:build") || line.starts_with("// +build") ? 1 : 0;
  return count;
}

std::string words_of(std::string_view text) {
  std::string words;
  for (const char c : text) {
    const bool space = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (!space)
      words += c;
    else if (!words.empty() && words.back() != ' ')
      words += ' ';
  }
  return words;
}

std::vector<Span> tests_of(const std::vector<Chain>& chains, std::string_view text, std::string_view code, Language language) {
  if (language == Language::python) return python_tests(code);
  std::vector<Span> spans;
  for (std::size_t i = 0; i < chains.size(); ++i) {
    if (!spans.empty() && chains[i].at < spans.back().to) continue;  // tests inside a test belong to it
    if (auto span = test_at(chains, i, text, code, language)) spans.push_back(std::move(*span));
  }
  return spans;
}

}  // namespace

std::optional<Language> language_of(std::string_view path) {
  const auto name = path.substr(path.rfind('/') + 1);
  if (name == "CMakeLists.txt" || name.ends_with(".cmake")) return Language::cmake;
  const auto dot = name.rfind('.');
  const auto ending = dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
  if (ending == "py") return Language::python;
  if (one_of(ending, {"js", "mjs", "cjs", "jsx", "ts", "tsx", "mts", "cts"})) return Language::javascript;
  if (one_of(ending, {"c", "cc", "cpp", "cxx", "h", "hh", "hpp"})) return Language::cpp;
  if (ending == "go") return Language::go;
  if (ending == "rs") return Language::rust;
  return std::nullopt;
}

TestSource scan_tests(std::string_view text, Language language) {
  const auto code = blanked(text, language);
  const auto chains = chains_of(code);
  const auto spans = tests_of(chains, text, code, language);
  TestSource source;
  source.rest.skips = left_out(text, language);
  for (const auto& span : spans) {
    source.tests.push_back(
        {.name = span.name,
         .line = 1 + static_cast<int>(std::count(code.begin(), code.begin() + static_cast<std::ptrdiff_t>(span.from), '\n'))});
    if (language == Language::cmake) source.tests.back().command = words_of(text.substr(span.from, span.to - span.from));
  }
  std::size_t current = 0;
  for (const auto& chain : chains) {
    while (current < spans.size() && chain.at >= spans[current].to) ++current;
    const bool in_test = current < spans.size() && chain.at >= spans[current].from;
    auto& unit = in_test ? source.tests[current] : source.rest;
    if (is_skip(chain, language)) ++unit.skips;
    if (!is_assertion(chain, language)) continue;
    ++unit.assertions;
    if (is_trivial(chain, text, code, language)) ++unit.trivial;
  }
  return source;
}

}  // namespace conductorai::evidence
