#include "core/expression.hpp"

#include <gtest/gtest.h>

namespace conductorai::core {
namespace {

class ExpressionTest : public testing::Test {
 protected:
  Object inputs_{{"language", "python"}, {"count", 3}, {"list", Array{"a", "b"}}, {"nested", Object{{"deep", Object{{"x", 7}}}}}};
  std::map<std::string, std::string> env_{{"TZ", "UTC"}};
  Object build_{{"version", "1.2"}, {"items", Array{Object{{"n", 1}}, Object{{"n", 2}}}}};
  Value item_{Object{{"name", "first"}}};
  Scope scope_{.inputs = &inputs_,
               .env = &env_,
               .outputs = [this](const TaskId& id) { return id.value == "build-it" ? &build_ : nullptr; },
               .foreach_item = &item_,
               .needs = NeedsOutcome{}};

  Value value(std::string_view text) {
    auto expression = parse_expression(text);
    if (!expression) return Value(to_string(expression.error()));
    auto result = evaluate(*expression, scope_);
    return result ? *result : Value(to_string(result.error()));
  }
  static std::string error(std::string_view text) {
    auto expression = parse_expression(text);
    return expression ? "" : to_string(expression.error());
  }
};

TEST_F(ExpressionTest, ReadsNamesAndWhatLiesBehindThem) {
  EXPECT_EQ(value("inputs.language"), Value("python"));
  EXPECT_EQ(value("inputs['language']"), Value("python"));
  EXPECT_EQ(value("inputs.nested.deep.x"), Value(7));
  EXPECT_EQ(value("inputs.list[1]"), Value("b"));
  EXPECT_EQ(value("inputs.list[inputs.count]"), Value());
  EXPECT_EQ(value("tasks.build-it.outputs.version"), Value("1.2"));
  EXPECT_EQ(value("tasks['build-it'].outputs.items[1].n"), Value(2));
  EXPECT_EQ(value("tasks.other.outputs.version"), Value());
  EXPECT_EQ(value("foreach.item.name"), Value("first"));
  EXPECT_EQ(value("env.TZ"), Value("UTC"));
  EXPECT_EQ(value("env.HOME"), Value());
}

TEST_F(ExpressionTest, ComparesAsGitHubDoes) {
  EXPECT_EQ(value("'Python' == inputs.language"), Value(true));
  EXPECT_EQ(value("'3' == inputs.count"), Value(true));
  EXPECT_EQ(value("null == 0"), Value(true));
  EXPECT_EQ(value("'' == false"), Value(true));
  EXPECT_EQ(value("'x' == 0"), Value(false));
  EXPECT_EQ(value("'x' < 1"), Value(false));
  EXPECT_EQ(value("0x10 == 16"), Value(true));
  EXPECT_EQ(value("1.5 >= 1 && 2 > 1.5"), Value(true));
  EXPECT_EQ(value("-1 < 0"), Value(true));
  EXPECT_EQ(value("9007199254740993 == 9007199254740992"), Value(false));
  EXPECT_EQ(value("inputs.list == inputs.list"), Value(true));
}

TEST_F(ExpressionTest, LogicYieldsAnOperand) {
  EXPECT_EQ(value("inputs.missing || 'default'"), Value("default"));
  EXPECT_EQ(value("'a' && 'b'"), Value("b"));
  EXPECT_EQ(value("0 && 'b'"), Value(0));
  EXPECT_EQ(value("!inputs.missing"), Value(true));
  EXPECT_EQ(value("!!!!'x'"), Value(true));
  EXPECT_EQ(value("true || false && false"), Value(true));
  EXPECT_EQ(value("(true || false) && false"), Value(false));
}

TEST_F(ExpressionTest, FunctionsIgnoreCase) {
  EXPECT_EQ(value("contains('Hello', 'ELL')"), Value(true));
  EXPECT_EQ(value("contains(inputs.list, 'B')"), Value(true));
  EXPECT_EQ(value("contains(inputs.list, 'c')"), Value(false));
  EXPECT_EQ(value("startsWith(inputs.language, 'PY')"), Value(true));
  EXPECT_EQ(value("endsWith(inputs.language, 'on')"), Value(true));
}

TEST_F(ExpressionTest, QuotesAreDoubledInsideText) {
  EXPECT_EQ(value("'it''s'"), Value("it's"));
}

TEST_F(ExpressionTest, SaysWhereItIsWrong) {
  EXPECT_EQ(error("1 +"), "the expression is wrong: expected an operator or the end, not '+' (column 3)");
  EXPECT_EQ(error("foo.bar"), "the expression is wrong: unknown name 'foo'; there are inputs, tasks, foreach and env (column 1)");
  EXPECT_EQ(error("1 == nope(2)"), "the expression is wrong: there is no function 'nope' (column 6)");
  EXPECT_EQ(error("contains('a')"), "the expression is wrong: contains takes 2 arguments (column 1)");
  EXPECT_EQ(error("'abc"), "the expression is wrong: the text that starts here has no end (column 1)");
  EXPECT_EQ(error("tasks.x.result"), "the expression is wrong: of a task only .outputs can be read (column 1)");
  for (std::string_view text :
       {"",      "  ",       "(",     ")",  "1 ==", "a b",        "inputs",    "inputs.", "inputs[",          "inputs[1]",
        "\"x\"", "0x",       "1.2.3", "&&", "!",    "success(1)", "foreach.x", "tasks.a", "tasks.a.outputs[", "contains('a',",
        "1 2",   "${{ 1 }}", "- 1",   "."})
    EXPECT_NE(error(text), "") << text;
}

TEST_F(ExpressionTest, RefusesWhatWouldExhaustTheStack) {
  EXPECT_NE(error(std::string(100'000, '(') + "1"), "");
  EXPECT_EQ(error(std::string(100'000, '!') + "1"), "");
  std::string compared = "1", chained = "1", indexed = "inputs.a";
  for (int i = 0; i < 50'000; ++i) compared += "==1", chained += "&&1", indexed += ".a";
  EXPECT_NE(error(compared), "");
  EXPECT_EQ(value(chained), Value(1));
  EXPECT_EQ(value(indexed), Value());
}

TEST_F(ExpressionTest, StatusFunctionsStandOnlyInConditions) {
  scope_.needs = NeedsOutcome{.success = false, .failure = true};
  EXPECT_EQ(value("failure() && !success() && always() && !cancelled()"), Value(true));
  scope_.needs.reset();
  EXPECT_EQ(value("always()"), Value("always() stands only in `if` (column 1)"));
}

TEST_F(ExpressionTest, ConditionsAreGuardedBySuccess) {
  EXPECT_TRUE(evaluate_condition("", scope_).value());
  EXPECT_FALSE(evaluate_condition("inputs.missing", scope_).value());
  scope_.needs = NeedsOutcome{.success = false, .failure = true};
  EXPECT_FALSE(evaluate_condition("", scope_).value());
  EXPECT_FALSE(evaluate_condition("true", scope_).value());
  EXPECT_TRUE(evaluate_condition("failure() && inputs.count == 3", scope_).value());
  EXPECT_TRUE(evaluate_condition("always()", scope_).value());
}

TEST_F(ExpressionTest, ATemplateOfOneExpressionKeepsItsType) {
  EXPECT_EQ(evaluate_template("${{ inputs.count }}", scope_).value(), Value(3));
  EXPECT_EQ(evaluate_template("${{ inputs.list }}", scope_).value(), Value(Array{"a", "b"}));
  EXPECT_EQ(evaluate_template(" ${{ inputs.count }}", scope_).value(), Value(" 3"));
  EXPECT_EQ(evaluate_template("a ${{ '}}' }} b ${{ inputs.list }} ${{ inputs.missing }}.", scope_).value(),
            Value("a }} b [\"a\",\"b\"] ."));
  EXPECT_EQ(evaluate_template("plain", scope_).value(), Value("plain"));
  EXPECT_EQ(evaluate_template("", scope_).value(), Value(""));
  EXPECT_EQ(evaluate_templates(Object{{"k", Array{"${{ env.TZ }}", 1}}}, scope_).value(), Value(Object{{"k", Array{"UTC", 1}}}));
}

TEST_F(ExpressionTest, ErrorsOfTemplatesCountInTheWholeText) {
  auto r = evaluate_template("abc ${{ nope }}", scope_);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().where, "column 9");
  EXPECT_EQ(evaluate_template("abc ${{ 1", scope_).error().where, "column 5");
}

TEST_F(ExpressionTest, ListsWhatItReads) {
  auto expression = parse_expression("tasks.a.outputs.x == inputs.y && contains(env.Z, foreach.item) && inputs.l[tasks.b.outputs.i]");
  ASSERT_TRUE(expression);
  auto references = list_references(*expression);
  ASSERT_EQ(references.size(), 6U);
  EXPECT_EQ(references[0].task, TaskId("a"));
  EXPECT_EQ(references[0].name, "x");
  EXPECT_EQ(references[1].column, 22);
  EXPECT_EQ(references[5].task, TaskId("b"));
  EXPECT_FALSE(uses_status(*expression));
  auto inside = list_template_references(Value(Object{{"a", "x ${{ tasks.c.outputs.o }}"}}));
  ASSERT_TRUE(inside);
  EXPECT_EQ(inside->at(0).task, TaskId("c"));
  EXPECT_EQ(inside->at(0).column, 7);
}

}  // namespace
}  // namespace conductorai::core
