"""Bad input and bad days: one clear error, a hint, the right exit code, nothing half-written."""
import base64
import json
import os
import pathlib
import subprocess
import unittest

import harness

OK_TASK = {"a": {"agent": "command", "with": {"run": "true"}}}


class Refusals(harness.ProjectTest):
    def assert_refused(self, outcome, code, *words):
        self.assertEqual(outcome.code, code, outcome)
        self.assertRegex(outcome.err, r"(?m)^conductorai: error: ")
        for word in words:
            self.assertIn(word, outcome.err)

    def validate(self, text):
        project = self.project()
        project.write("w.yaml", text)
        return project.run("validate", "w.yaml")

    def test_broken_yaml_says_where(self):
        self.assert_refused(self.validate("name: x\ntasks: [a, b\n"), 2, "w.yaml:")

    def test_an_empty_document_is_refused(self):
        for text in ("", "{}", "---\n", "[]", "42"):
            with self.subTest(text):
                self.assert_refused(self.validate(text), 2)

    def test_an_unknown_key_names_the_likely_one(self):
        text = "name: x\ntasks:\n  a:\n    agent: command\n    nedds: [b]\n    with: { run: 'true' }\n"
        self.assert_refused(self.validate(text), 2, "w.yaml:5:5", "nedds", "needs")

    def test_a_cycle_is_named(self):
        tasks = {"a": dict(OK_TASK["a"], needs=["b"]), "b": dict(OK_TASK["a"], needs=["a"])}
        self.assert_refused(self.validate(json.dumps({"name": "x", "tasks": tasks})), 2, "a", "b", "cycle")

    def test_wrong_types_and_ranges(self):
        for text in ("name: [1]\ntasks: {}", "name: x\nrework: {max-rounds: 0}\nrequirement: y",
                     "name: x\nrequirement: y\nsandbox: {memory: lots}", "name: x\nrequirement: y\ntimeout: -1s",
                     "name: x\nrequirement: y\ntasks: {a: {agent: kommand, with: {run: x}}}"):
            with self.subTest(text):
                self.assert_refused(self.validate(text), 2, "w.yaml:")

    def test_missing_file_and_unknown_id(self):
        project = self.project()
        self.assert_refused(project.run("run", "nothing.yaml"), 2, "nothing.yaml")
        project.write("w.yaml", {"name": "x", "tasks": OK_TASK})
        self.assertEqual(project.run("run", "w.yaml").code, 0)
        self.assert_refused(project.run("status", "wf-NOPE"), 2, "wf-NOPE")

    def test_a_wrong_flag_names_the_help_of_its_command(self):
        project = self.project()
        self.assert_refused(project.run("dlq", "requeue"), 2, "hint: conductorai dlq requeue --help")
        self.assert_refused(project.run("list", "--nonsense"), 2, "hint: conductorai list --help")
        self.assert_refused(project.run("stauts"), 2, "hint: conductorai --help")

    def test_an_empty_argument_is_not_the_only_workflow_there_is(self):
        project = self.project()
        project.write("w.yaml", {"name": "x", "tasks": {"a": dict(OK_TASK["a"], approval=True)}})
        self.assertEqual(project.run("run", "w.yaml").code, 3)
        for command in ("cancel", "approve", "resume", "status"):
            self.assert_refused(project.run(command, ""), 2, "an argument is empty")
        self.assertEqual(project.run("status", "--json").result["status"], "PAUSED")

    def test_what_looks_prints_json_where_asked(self):
        project = self.project()
        project.write("w.yaml", {"name": "x", "tasks": OK_TASK})
        self.assertEqual(project.run("validate", "w.yaml", "--json").lines,
                         [{"type": "validation", "name": "x", "valid": True, "tasks": 1, "warnings": 0}])
        settings = project.run("config", "show", "--json")
        self.assertEqual(len(settings.lines), len(settings.out.splitlines()))
        self.assertIn({"type": "setting", "key": "llm.provider", "value": None, "origin": "default"}, settings.lines)

    def test_a_requirement_without_a_title_is_named_after_its_file(self):
        project = self.project()
        project.write("area.txt", "Compute areas.\n")
        done = project.run("plan", "--requirement", "area.txt", "--llm", "mock", "--json")
        self.assertEqual((done.code, done.lines[0]["name"]), (0, "area"), done)

    def test_nothing_configured_names_the_mock(self):
        project = self.project()
        self.assert_refused(project.run("run", "--requirement", "-", stdin="do it"), 4, "--llm mock")

    def test_not_a_repository_and_a_dirty_one(self):
        project = self.project()
        workflow = {"name": "x", "requirement": "y", "workspace": {"repo": "."}, "tasks": {"code": {"agent": "coding"}}}
        project.write("w.yaml", workflow)
        self.assert_refused(project.run("run", "w.yaml", "--llm", "mock"), 2, "repository")
        project.repository({"a.py": "x = 1\n"})
        project.write("a.py", "x = 2\n")
        self.assert_refused(project.run("run", "w.yaml", "--llm", "mock"), 2, "a.py", "--allow-dirty")
        listed = project.run("list", "--json")
        self.assertEqual([line for line in listed.lines if line.get("workflow_id")], [], "nothing half-written")
        allowed = project.run("run", "w.yaml", "--llm", "mock", "--allow-dirty", "--json")
        self.assertEqual(allowed.code, 0, allowed)

    def test_an_unwritable_state_directory(self):
        project = self.project()
        project.write("w.yaml", {"name": "x", "tasks": OK_TASK})
        blocked = project.write("file", "not a folder")
        self.assert_refused(project.run("run", "w.yaml", "--state-dir", blocked / "state"), 4)

    def test_a_newer_state_version(self):
        project = self.project()
        project.write("w.yaml", {"name": "x", "tasks": OK_TASK})
        self.assertEqual(project.run("run", "w.yaml").code, 0)
        import sqlite3
        database = next((project.folder / ".conductorai").glob("state*.db"))
        with sqlite3.connect(database) as connection:
            connection.execute("pragma user_version = 999")
        self.assert_refused(project.run("list"), 4, "999")

    def test_settings_of_the_process_act_or_are_refused(self):
        project = self.project()
        project.write("w.yaml", {"name": "settings", "tasks": {"a": {"agent": "command", "with": {"run": "true"}}}})
        project.write("conductorai.yaml", "runtime: { agents: { command: 1, codng: 3 } }\n")
        unknown = project.run("run", "w.yaml")
        self.assertEqual(unknown.code, 2, unknown)
        self.assertIn("there is no built-in agent of type 'codng' (runtime.agents)", unknown.err)
        project.write("conductorai.yaml", "runtime:\n  shutdown-timeout: 5s\n")
        unheeded = project.run("run", "w.yaml")
        self.assertEqual(unheeded.code, 4, unheeded)
        self.assertIn("conductorai.yaml:2:21", unheeded.err)
        project.write("conductorai.yaml", "runtime: { agents: { command: 3 }, log-level: error }\n")
        done = project.run("run", "w.yaml", "--sandbox", "none")
        self.assertEqual((done.code, done.err), (0, ""), done)
        agents = project.run("agents").out
        self.assertIn("command-03", agents)
        self.assertNotIn("coding-03", agents)

    def test_a_missing_toolchain_names_it(self):
        project = self.project()
        project.repository({"readme.md": "x\n"})
        project.write("w.yaml", {"name": "x", "requirement": "y", "workspace": {"repo": "."},
                                 "toolchain": {"test": "no-such-program-here --run"},
                                 "tasks": {"test": {"agent": "test", "with": {"write-tests": False}}}})
        done = project.run("run", "w.yaml", "--llm", "mock", "--json")
        self.assertEqual(done.code, 4, done)
        self.assertIn("needs no-such-program-here, which is not installed", done.result["reason"])
        project.write("t.sh", "no-such-program-here\n")
        project.write("w.yaml", json.loads((project.folder / "w.yaml").read_text()) | {"toolchain": {"test": "sh t.sh"}, "rework": {"max-rounds": 1}})
        harness.git(project.folder, "add", "t.sh")
        harness.git(project.folder, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", "t")
        own = project.run("run", "w.yaml", "--llm", "mock", "--json")
        self.assertEqual((own.code, own.result["tasks"]["test"]["verdict"]), (1, "failed"), own)  # what the project calls is its own

    def test_money_and_tokens_need_a_real_price(self):
        project = self.project()
        project.write("w.yaml", {"name": "x", "requirement": "y", "budget": {"usd": 5.0}, "llm": {"provider": "openai", "model": "m"}})
        refused = project.run("run", "w.yaml")
        self.assertIn(refused.code, (2, 4), refused)

    def test_a_full_standard_output_is_an_error_of_the_machine(self):
        project = self.project()
        project.write("w.yaml", {"name": "w", "tasks": {"a": {"agent": "command", "with": {"run": "true"}}}})
        for arguments in (["run", "w.yaml"], ["run", "w.yaml", "--json"], ["list"], ["events"], ["version"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run(project.command(*arguments), cwd=project.folder, env=harness.environment(None), stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=120)
            self.assertEqual(done.returncode, 4, (arguments, done.stderr))
            self.assertIn("standard output", done.stderr, arguments)
        self.assertEqual([line["status"] for line in project.run("list", "--json").lines], ["COMPLETED", "COMPLETED"])

    def test_a_full_disk(self):
        if os.geteuid() != 0:
            self.skipTest("mounting a small file system needs root")
        project = self.project()
        state = project.folder / "small"
        state.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(state)], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("mount is not allowed here")
        try:
            tasks = {f"t{i}": {"agent": "command", "with": {"run": "head -c 200000 /dev/urandom | base64"}} for i in range(6)}
            project.write("w.yaml", {"name": "x", "tasks": tasks})
            done = project.run("run", "w.yaml", "--state-dir", state, "--json")
            self.assertIn(done.code, (1, 4), done)
            self.assertRegex(done.out + done.err, "(?i)no space|full")
        finally:
            subprocess.run(["umount", "-l", str(state)], check=True)


@unittest.skipUnless(harness.FIXTURES, "CONDUCTORAI_FIXTURES is not set")
class Torture(harness.ProjectTest):
    def test_every_document_is_answered_and_each_refusal_says_where(self):
        project = self.project()
        folder = pathlib.Path(harness.FIXTURES) / "parser-torture"
        count = 0
        for name, suffix in (("yaml.jsonl", "yaml"), ("json.jsonl", "json")):
            for line in (folder / name).read_text().splitlines():
                case = json.loads(line)
                if "b64" in case:
                    data = base64.b64decode(case["b64"])
                else:
                    data = (case["repeat_unit"] * case["repeat_count"] + case.get("suffix", "")).encode()
                path = project.folder / f"case.{suffix}"
                path.write_bytes(data)
                done = project.run("validate", path, timeout=20)
                with self.subTest(case["name"]):
                    self.assertEqual(done.code, 2, done)  # none of them is a workflow
                    self.assertRegex(done.err, rf"case\.{suffix}(:\d+:\d+)?")
                    if case["expect"] == "reject":
                        self.assertRegex(done.err, rf"case\.{suffix}:\d+:\d+")
                count += 1
        self.assertGreaterEqual(count, 120)


class OrdinaryUser(harness.ProjectTest):
    def test_everything_works_without_root(self):
        if os.geteuid() != 0:
            self.skipTest("already an ordinary user")
        project, workflow, answers = self.example("fix-a-bug")
        binary = project.write("bin/conductorai", "")
        binary.write_bytes(pathlib.Path(harness.BINARY).read_bytes())
        binary.chmod(0o755)
        for name in ("workflow.yaml", "answers.yaml"):
            project.write(f"example/{name}", (workflow.parent / name).read_text())
        for path in [project.folder, *project.folder.rglob("*")]:
            os.lchown(path, 65534, 65534)
        runner = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]
        for arguments, code in ((["sandbox", "selftest", "--json"], 0),
                                (["run", "example/workflow.yaml", "--llm", "mock:example/answers.yaml", "--json"], 0)):
            done = subprocess.run([*runner, str(binary), *arguments], cwd=project.folder, capture_output=True, text=True,
                                  env=dict(harness.environment({}), HOME=str(project.folder)), timeout=600)
            self.assertEqual(done.returncode, code, done.stdout[-3000:] + done.stderr[-3000:])


class ChangedTestCommand(harness.ProjectTest):
    def test_a_model_cannot_switch_the_tests_off(self):
        for files, answer in (
                ({"Makefile": "test:\n\tsh t.sh\n", "t.sh": "exit 1\n"}, {"Makefile": "test:\n\ttrue\n"}),
                ({"package.json": '{"name":"n","scripts":{"test":"sh t.sh"}}', "t.sh": "exit 1\n", "m.js": "1;\n"},
                 {"package.json": '{"name":"n","scripts":{"test":"true"}}'})):
            with self.subTest(answer):
                project = self.project()
                project.repository(files)
                project.write("w.yaml", {"name": "x", "requirement": "y", "workspace": {"repo": "."}, "rework": {"max-rounds": 1},
                                         "tasks": {"code": {"agent": "coding"},
                                                   "test": {"agent": "test", "needs": ["code"], "with": {"write-tests": False}}}})
                project.write("answers.yaml", [{"match": {"agent": "coding"}, "reply": {"files": answer}}])
                done = project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json")
                self.assertEqual((done.code, done.result["tasks"]["test"]["verdict"]), (1, "failed"), done)
                self.assertIn("integrity", [e["kind"] for e in done.result["tasks"]["test"]["evidence"]])


class TestsThatWereThere(harness.ProjectTest):
    """A workflow without a review and without protected paths: its tests are the user's all the same."""
    TESTS = ("import unittest\nimport calc\n\n\nclass T(unittest.TestCase):\n    def test_add(self):\n        self.assertEqual(calc.add(2, 3), 5)\n\n"
             "    def test_zero(self):\n        self.assertEqual(calc.add(0, 0), 0)\n")
    WRONG = "def add(a, b):\n    return a - b\n"
    RIGHT = "def add(a, b):\n    return a + b\n"

    def run_with(self, *answers, **test):
        project = self.project()
        project.repository({"calc.py": self.WRONG, "tests/__init__.py": "", "tests/test_calc.py": self.TESTS})
        project.write("w.yaml", {"name": "x", "requirement": "y", "workspace": {"repo": "."}, "rework": {"max-rounds": len(answers)},
                                 "tasks": {"code": {"agent": "coding"},
                                           "test": {"agent": "test", "needs": ["code"], "with": {"write-tests": False, **test}}}})
        project.write("answers.yaml", [{"match": {"agent": "coding"}, "reply": {"files": files}} for files in answers])
        return project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json")

    def test_code_that_takes_them_away_or_goes_round_them_fails(self):
        kept = self.TESTS.replace("    def test_add(self):\n        self.assertEqual(calc.add(2, 3), 5)\n\n", "")
        for files, word in (({"tests/test_calc.py": kept}, "T.test_add was deleted"),
                            ({"tests/test_calc.py": self.TESTS.replace("calc.add(2, 3), 5", "5, 5")}, "can't fail"),
                            ({"package.json": '{"scripts":{"test":"true"}}'}, "npm would run instead")):
            with self.subTest(word):
                done = self.run_with(files)
                self.assertEqual((done.code, done.result["status"]), (1, "FAILED"), done)
                self.assertEqual([e["kind"] for e in done.result["tasks"]["test"]["evidence"]], ["integrity"])
                self.assertIn(word, done.result["reason"])

    def test_who_puts_them_back_and_mends_the_code_passes(self):
        done = self.run_with({"tests/test_calc.py": None, "tests/test_z.py": "x = 1\n"}, {"tests/test_calc.py": self.TESTS, "calc.py": self.RIGHT})
        self.assertEqual((done.code, done.result["status"], done.result["rounds"]), (0, "COMPLETED", 2), done)
        told = next(e["payload"]["feedback"] for e in done.events if e["event"] == "round.opened")
        self.assertIn("self.assertEqual(calc.add(2, 3), 5)", str(told), "the coder is shown what to put back")

    def test_code_that_plants_a_repository_while_it_is_tested_is_sent_back(self):
        planted = "import os\nos.makedirs('sub/.git', exist_ok=True)\nopen('sub/.git/HEAD', 'w').write('ref: x')\n" + self.RIGHT
        done = self.run_with({"calc.py": planted}, {"calc.py": self.RIGHT})
        self.assertEqual((done.code, done.result["status"], done.result["rounds"]), (0, "COMPLETED", 2), done)
        first = next(e["payload"] for e in done.events if e["event"] == "task.completed" and e["payload"]["id"]["task"] == "test")
        self.assertEqual((first["verdict"], [e["kind"] for e in first["evidence"]]), ("failed", ["integrity"]))
        self.assertIn("sub/.git", first["summary"])

    def test_what_is_refused_of_an_answer_is_named(self):
        done = self.run_with({"../outside.py": "x = 1\n"})
        self.assertIn("../outside.py: a path must not leave the workspace", done.result["reason"])

    def test_the_user_may_let_them_be_changed(self):
        tests = self.TESTS.replace("test_zero", "test_nothing")
        self.assertEqual(self.run_with({"tests/test_calc.py": tests, "calc.py": self.RIGHT}).code, 1)
        done = self.run_with({"tests/test_calc.py": tests, "calc.py": self.RIGHT}, **{"allow-test-changes": True})
        self.assertEqual((done.code, done.result["tasks"]["test"]["verdict"]), (0, "passed"), done)


class ScriptedErrors(harness.ProjectTest):
    def test_a_transient_error_uses_its_rule_once(self):
        for error in ("timeout", "cut_stream", {"status": 503}):
            with self.subTest(error):
                project = self.project()
                project.repository({"m.py": "x = 1\n"})
                project.write("w.yaml", {"name": "x", "requirement": "y", "workspace": {"repo": "."}, "llm": {"provider": "mock", "retries": 3},
                                         "tasks": {"code": {"agent": "coding", "retry": {"max-attempts": 1}}}})
                project.write("answers.yaml", [{"match": {"agent": "coding"}, "reply": {"error": error}},
                                               {"match": {"agent": "coding"}, "reply": {"files": {"ok.py": "y = 1\n"}}}])
                done = project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json")
                self.assertEqual((done.code, done.result["usage"]["calls"]), (0, 2 if error in ("timeout", "cut_stream") else 1), done)
