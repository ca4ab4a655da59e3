"""`conductorai plan`: costs at worst, verdicts, and exit codes, before anything is called."""
import json
import pathlib
import shutil
import subprocess
import unittest

import harness
from llm_server import Service

SEVEN = ["code", "review", "test-data", "test", "package", "monitor"]  # those that may ask a model
OUTPUT = 16_384
PRICES = {"models": {"m": {"input": 1.0, "output": 10.0}, "n": {"input": 2.0, "output": 20.0}}}


def workflow(**more):
    return {"name": "w", "requirement": "x" * 100, "llm": {"provider": "openai", "model": "m"}, **more}


class Plan(harness.ProjectTest):
    def priced(self, **more):
        project = self.project()
        project.write("prices.yaml", PRICES)
        project.write("conductorai.yaml", {"llm": {"prices": "prices.yaml"}})
        project.write("w.yaml", workflow(**more))
        return project

    def judged(self, project, *args, env=None):
        done = project.run("plan", "w.yaml", "--json", *args, env=env)
        return done, json.loads(done.out)

    def verdicts(self, plan):
        return {one["policy"]: one["verdict"] for one in plan["policies"]}

    def test_tells_the_worst_case_by_task_and_by_model(self):
        project = self.priced(rework={"max-rounds": 2}, feedback={"max-loops": 1}, tasks={
            "code": {"agent": "coding", "retry": {"max-attempts": 2}}, "check": {"agent": "review", "needs": ["code"], "retry": {"max-attempts": 1}}},
            llm={"provider": "openai", "model": "m", "retries": 1, "tool-turns": 4, "follow-ups": 3, "context-tokens": 8192,
                 "fallback": [{"provider": "anthropic", "model": "n"}]})
        done, plan = self.judged(project)
        self.assertEqual(done.code, 0, done)
        # Without later phases there is no loop: rounds × attempts × turns × follow-ups × tries, for each of two models.
        code, check = 2 * 2 * 5 * 1 * 2, 2 * 1 * 5 * 4 * 2
        tasks = {task["id"]: task for level in plan["phases"][0]["levels"] for task in level}
        self.assertEqual([m["worst"]["calls"] for m in tasks["code"]["cost"]["models"]], [code, code])
        self.assertEqual([m["worst"]["calls"] for m in tasks["check"]["cost"]["models"]], [check, check])
        models = plan["cost"]["models"]
        self.assertEqual([(m["provider"], m["model"], m["worst"]["calls"], m["normal"]["calls"]) for m in models],
                         [("openai", "m", code + check, 2), ("anthropic", "n", code + check, 0)])
        window, output = 3 * (8192 - 2048), 2048  # bytes of a request, tokens of an answer
        framing = 2 * 16 + 600 + 6 * 32
        self.assertEqual(tasks["code"]["cost"]["models"][0]["worst"]["tokens"], code * (window + framing + output))
        dollars = code * ((window + framing) * 1.0 + output * 10.0 + 2) / 1e6
        self.assertAlmostEqual(tasks["code"]["cost"]["models"][0]["worst"]["usd"], dollars)
        self.assertAlmostEqual(tasks["code"]["cost"]["models"][1]["worst"]["usd"], 2 * dollars, places=3)
        for scale in ("normal", "worst"):
            for what in ("calls", "tokens", "usd"):
                self.assertAlmostEqual(plan["cost"][scale][what], sum(m[scale][what] for m in models))
                self.assertAlmostEqual(plan["cost"][scale][what], sum(t["cost"][scale][what] for t in tasks.values()))

    def test_a_worst_case_above_the_budget_is_a_warning(self):
        done, plan = self.judged(self.priced(budget={"usd": 5, "tokens": 500_000, "calls": 200}))
        self.assertEqual(done.code, 0, done)
        self.assertIsNone(plan["over"])
        self.assertGreater(plan["cost"]["worst"]["usd"], 5)
        self.assertIn("at worst a budget is used up, and the workflow pauses: workflow/w: calls: 0 of 200 used", done.err)
        self.assertEqual(len(plan["warnings"]), 1)

    def test_a_normal_path_above_a_budget_is_over_its_limit(self):
        for limit, words in (("calls=4", "calls: 0 of 4 used, 5 more asked"), ("tokens=1000", "tokens: 0 of 1000 used"),
                             ("usd=0.01", "usd: 0.00 of 0.01 used")):
            with self.subTest(limit):
                done, plan = self.judged(self.priced(), "--budget", limit)
                self.assertEqual(done.code, 3, done)
                self.assertEqual(self.verdicts(plan)["budget"], "deny")
                self.assertIn(words, plan["over"])
                self.assertIn("conductorai: error: the plan is over its limit: workflow/w: " + words, done.err)

    def test_what_it_refuses_for_calls_and_tokens_a_run_does_not_get_through(self):
        for limit in ("calls=4", "tokens=16000"):
            with self.subTest(limit):
                project = self.project()
                project.write("w.yaml", {"name": "w", "requirement": "x"})
                arguments = ("w.yaml", "--llm", "mock", "--budget", limit)
                self.assertEqual(project.run("plan", *arguments).code, 3)
                ran = project.run("run", *arguments, "--sandbox", "none", "--json")
                self.assertEqual((ran.code, ran.result["status"]), (3, "PAUSED"), ran)

    def test_a_call_reserves_no_less_than_the_plan_says_and_no_more_than_its_worst_case(self):
        service = Service(text="Here it is.\n\n```file:add.py\ndef add(a, b):\n    return a + b\n```\n")
        self.addCleanup(service.close)
        project = self.priced(tasks={"code": {"agent": "coding"}}, toolchain={"build": "true"})
        env = {"CONDUCTORAI_LLM__BASE_URL": service.url, "OPENAI_API_KEY": "sk-not-a-real-key"}
        _, plan = self.judged(project, env=env)
        normal, worst = plan["cost"]["normal"], plan["cost"]["worst"]
        one = worst["usd"] / worst["calls"]
        self.assertEqual(service.requests, [])
        # With a cent less than the least, the call is never sent; with the most that one may cost, it is.
        for usd, code in ((normal["usd"] - 0.01, 3), (one + 0.01, 0)):
            ran = project.run("run", "w.yaml", "--budget", f"usd={usd:.4f}", "--sandbox", "none", "--json", env=env)
            self.assertEqual(ran.code, code, ran)
        self.assertEqual(len(service.posts()), 1)

    def test_a_price_that_is_not_known_is_refused_only_where_money_is_limited(self):
        project = self.project()
        project.write("w.yaml", workflow())
        done, plan = self.judged(project, "--model", "nobody-knows-it")
        self.assertEqual(done.code, 0, done)
        self.assertIsNone(plan["cost"]["worst"]["usd"])
        self.assertGreater(plan["cost"]["worst"]["tokens"], 0)
        done, plan = self.judged(project, "--model", "nobody-knows-it", "--budget", "usd=5")
        self.assertEqual((done.code, self.verdicts(plan)["prices"]), (2, "deny"), done)
        self.assertIn("the price of model 'nobody-knows-it' is not known", done.err)
        project.write("conductorai.yaml", {"budget": {"usd-per-day": 5}})
        self.assertEqual(self.judged(project, "--model", "nobody-knows-it")[0].code, 2)
        project.write("w.yaml", {"name": "w", "requirement": "x"})
        done, _ = self.judged(project)
        self.assertEqual(done.code, 2, done)
        self.assertIn("no model is named", done.err)

    def test_each_policy_says_what_it_would_say(self):
        project = self.project()
        project.write("w.yaml", {"name": "w", "requirement": "x", "llm": {"provider": "mock"}, "gates": {"development": {"approval": True}},
                                 "policies": {"max-concurrent-tasks": 2, "max-concurrent-per-agent": 1, "approvals": ["package"],
                                              "allowed-commands": ["make *"], "deploy-targets": ["process"]},
                                 "tasks": {"lint": {"agent": "command", "with": {"run": "make lint"}},
                                           "more": {"agent": "command", "with": {"run": "make more"}},
                                           "items": {"agent": "coding", "foreach": ["a", "b"]},
                                           "package": {"agent": "devops", "needs": ["items"]},
                                           "deploy": {"agent": "deploying", "needs": ["package"]}}})
        done, plan = self.judged(project)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(self.verdicts(plan), {"phase-gate": "needs_approval", "max-concurrent-tasks": "wait", "agent-availability": "allow",
                                               "approvals": "needs_approval", "deploy-targets": "allow", "allowed-commands": "allow",
                                               "prices": "allow", "budget": "allow"})
        text = project.run("plan", "w.yaml").out
        for words in ("max-concurrent-tasks: 2 of 2 attempts are running in this workflow",
                      "approvals: task 'package' is listed in policies.approvals", "the gate of DEVELOPMENT asks for an approval"):
            self.assertIn(words, text)

    def test_what_a_policy_denies_is_refused(self):
        for tasks, words in (({"x": {"agent": "command", "with": {"run": "make; curl evil"}}}, "'make; curl evil' matches none of: make *"),
                             ({"x": {"agent": "deploying", "with": {"driver": "container"}}}, "'container' is not among the allowed targets: process"),
                             ({"x": {"agent": "deploying", "with": {"driver": "command", "deploy": "sh it"}}}, "'sh it' matches none of")):
            with self.subTest(words):
                project = self.project()
                targets = ["process"] if "targets" in words else []
                project.write("w.yaml", {"name": "w", "policies": {"allowed-commands": ["make *"], "deploy-targets": targets}, "tasks": tasks})
                done, plan = self.judged(project)
                self.assertEqual(done.code, 2, done)
                self.assertIn(words, plan["over"])
                self.assertIn(words, done.err)

    def test_a_script_that_is_not_there_or_is_none_is_said_before_the_run(self):
        project = self.project()
        project.write("w.yaml", {"name": "w", "requirement": "x", "tasks": {"code": {"agent": "coding"}}})
        project.write("broken.yaml", "- { reply: 3 }\n")
        for provider, code in (("mock:nowhere.yaml", 2), ("mock:broken.yaml", 2), ("replay:nowhere.jsonl", 2)):
            with self.subTest(provider):
                planned = project.run("plan", "w.yaml", "--llm", provider)
                run = project.run("run", "w.yaml", "--llm", provider)
                self.assertEqual((planned.code, planned.err), (run.code, run.err))
                self.assertEqual(planned.code, code, planned)

    def test_what_an_expression_decides_is_left_to_the_run(self):
        project = self.project()
        project.write("w.yaml", {"name": "w", "inputs": {"what": "lint"}, "policies": {"allowed-commands": ["make *"]},
                                 "tasks": {"x": {"agent": "command", "with": {"run": "${{ inputs.what }}"}}}})
        done, plan = self.judged(project)
        self.assertEqual((done.code, self.verdicts(plan)["allowed-commands"]), (0, "allow"), done)

    def test_what_the_day_has_used_counts(self):
        project = self.project()
        project.write("w.yaml", {"name": "w", "requirement": "x", "tasks": {"code": {"agent": "coding"}}})
        project.write("conductorai.yaml", {"budget": {"calls-per-day": 1}})
        before = project.run("plan", "w.yaml", "--llm", "mock")
        self.assertEqual(before.code, 0, before)
        self.assertFalse((project.folder / ".conductorai").exists())
        self.assertEqual(project.run("run", "w.yaml", "--llm", "mock", "--sandbox", "none").code, 0)
        after = project.run("plan", "w.yaml", "--llm", "mock")
        self.assertEqual(after.code, 3, after)
        self.assertRegex(after.err, r"project/\d{4}-\d\d-\d\d: calls: 1 of 1 used, 1 more asked")

    def test_a_workflow_without_a_model_costs_nothing(self):
        project = self.project()
        project.write("w.yaml", {"name": "w", "budget": {"usd": 1}, "tasks": {"x": {"agent": "command", "with": {"run": "true"}}}})
        done, plan = self.judged(project)
        self.assertEqual((done.code, plan["cost"]["worst"]), (0, {"calls": 0, "tokens": 0, "usd": 0}), done)

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_nothing_is_called_and_nothing_is_written(self):
        service = Service()
        self.addCleanup(service.close)
        env = {"CONDUCTORAI_LLM__BASE_URL": service.url, "OPENAI_API_KEY": "sk-not-a-real-key", "ASAN_OPTIONS": "detect_leaks=0"}
        for limits, code in ((), 0), (("--budget", "calls=1"), 3):
            project = self.priced()
            trace = pathlib.Path(self.temporary_folder()) / "trace"
            done = subprocess.run(["strace", "-f", "-o", trace, "-e", "trace=socket,connect", *project.command("plan", "w.yaml", *limits)],
                                  cwd=project.folder, env=harness.environment(env), capture_output=True, text=True, timeout=300)
            self.assertEqual(done.returncode, code, done)
            self.assertEqual([line for line in trace.read_text().splitlines() if "AF_INET" in line], [])
            self.assertEqual(sorted(f.name for f in project.folder.iterdir()), ["conductorai.yaml", "prices.yaml", "w.yaml"])
            self.assertNotIn("sk-not-a-real-key", done.stdout + done.stderr)
        self.assertEqual(service.requests, [])


if __name__ == "__main__":
    unittest.main()
