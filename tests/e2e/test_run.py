"""A requirement becomes tested code: the examples, requirement input, the output contract."""
import pathlib

import harness

RESULT_KEYS = {"type", "workflow_id", "name", "status", "phase", "rounds", "feedback_loops", "tasks", "usage", "workspace",
               "warnings", "owner", "reason", "duration_s"}
USAGE_KEYS = {"calls", "input_tokens", "output_tokens", "cached_calls", "unknown_calls", "usd"}


class Examples(harness.ProjectTest):
    def test_fix_a_bug_takes_two_rounds(self):
        project, workflow, answers = self.example("fix-a-bug")
        before = harness.git(project.folder, "rev-parse", "main")
        done = project.run("run", workflow, "--llm", f"mock:{answers}", "--json")
        self.assertEqual(done.code, 0, done)
        result = done.result
        self.assertEqual((result["status"], result["rounds"]), ("COMPLETED", 2))
        test = result["tasks"]["test"]
        self.assertEqual((test["status"], test["verdict"], test["round"]), ("COMPLETED", "passed", 2))
        self.assertIn("exit_code", {e["kind"] for e in test["evidence"]})
        self.assertIn("test_report", {e["kind"] for e in test["evidence"]})
        # the user's checkout is untouched, the branch holds the work
        self.assertEqual(harness.git(project.folder, "rev-parse", "main"), before)
        self.assertEqual(harness.git(project.folder, "status", "--porcelain", "--untracked-files=no"), "")
        self.assertEqual(harness.git(project.folder, "rev-parse", result["workspace"]["branch"]), result["workspace"]["commit"])

    def test_cpp_sanitizer_finds_the_overflow_by_running_it(self):
        project, workflow, answers = self.example("cpp-sanitizer")
        done = project.run("run", workflow, "--llm", f"mock:{answers}", "--json", timeout=600)
        self.assertEqual(done.code, 0, done)
        self.assertEqual((done.result["status"], done.result["rounds"]), ("COMPLETED", 2))
        findings = [e for e in done.events if e["event"] == "round.opened"]
        self.assertIn("AddressSanitizer", str(findings))

    def test_json_output_keeps_its_contract(self):
        project, workflow, answers = self.example("fix-a-bug")
        done = project.run("run", workflow, "--llm", f"mock:{answers}", "--json")
        self.assertLessEqual(RESULT_KEYS, set(done.result))
        self.assertLessEqual(USAGE_KEYS, set(done.result["usage"]))
        self.assertEqual(done.lines[-1]["type"], "result")
        self.assertEqual([e["seq"] for e in done.events], list(range(1, len(done.events) + 1)))
        for event in done.events:
            self.assertLessEqual({"type", "workflow_id", "seq", "at", "event", "v", "payload"}, set(event))
        self.assertEqual(done.events[0]["event"], "workflow.started")
        self.assertEqual(done.events[-1]["event"], "workflow.completed")
        # `status` and `events` of another process tell the same
        workflow_id = done.result["workflow_id"]
        status = project.run("status", workflow_id, "--json")
        self.assertEqual(status.code, 0, status)
        self.assertEqual(harness.normal_form(status.result), harness.normal_form(done.result))
        events = project.run("events", workflow_id, "--json")
        self.assertEqual([e["event"] for e in events.events], [e["event"] for e in done.events])

    def test_seven_true_commands_are_eight_rows(self):
        project = self.project()
        names = ["code", "review", "data", "test", "package", "deploy", "monitor"]
        tasks = {name: {"agent": "command", "with": {"run": "true"}} for name in names}
        for before, after in zip(names, names[1:]):
            tasks[after]["needs"] = [before]
        project.write("w.yaml", {"name": "seven", "tasks": tasks})
        done = project.run("run", "w.yaml", "--json")
        self.assertEqual(done.code, 0, done)
        import sqlite3
        database = next((project.folder / ".conductorai").glob("*.db"))
        tables = [r[0] for r in sqlite3.connect(database).execute("select name from sqlite_master where type='table'")]
        journal = next(t for t in tables if "journal" in t)
        rows = sqlite3.connect(database).execute(f"select count(*) from {journal}").fetchone()[0]
        self.assertEqual(rows, 8)


class Requirements(harness.ProjectTest):
    def test_a_requirement_alone_is_enough(self):
        if not harness.FIXTURES:
            self.skipTest("CONDUCTORAI_FIXTURES is not set")
        source = pathlib.Path(harness.FIXTURES) / "requirements" / "exercism-rational-numbers.md"
        project = self.project()
        done = project.run("run", "--requirement", source, "--llm", "mock", "--json")
        self.assertEqual(done.code, 0, done)
        self.assertEqual(done.result["status"], "COMPLETED")
        self.assertEqual(done.result["tasks"]["test"]["verdict"], "passed")

    def test_a_requirement_comes_by_standard_input(self):
        project = self.project()
        done = project.run("run", "--requirement", "-", "--llm", "mock", "--json", stdin="# Greeter\n\nGreets people.\n")
        self.assertEqual(done.code, 0, done)
        self.assertEqual(done.result["status"], "COMPLETED")
