"""kill -9 at every named crash point and at random instants: after `resume` nothing differs from the undisturbed run."""
import os
import random
import re
import tempfile
import time

import harness

POINTS = re.findall(r'^\s+"[^\n]*$', (harness.ROOT / "src/base/crash_point.hpp").read_text(), re.M)
# those of a release's supervisor are test_releases.py's, the one behind a release or a window of probes is test_monitor.py's, those of a
# removal test_prune.py's, those of a fork test_fork.py's
POINTS = [name for name in re.findall(r'"([a-z_.]+)"', "\n".join(POINTS))
          if not name.startswith(("release.", "removal.", "fork.")) and name != "agent.after_record"]

FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "test_calc.py": "import unittest\nimport calc\n\n\nclass T(unittest.TestCase):\n    def test_add(self):\n"
                    "        self.assertEqual(calc.add(2, 3), 5)\n\n    def test_zero(self):\n        self.assertEqual(calc.add(0, 0), 0)\n",
}
WORKFLOW = {
    "name": "crash", "requirement": "add must add", "workspace": {"repo": ".", "protected": ["test_calc.py"]},
    "tasks": {
        "code": {"agent": "coding"},
        "review": {"agent": "review", "needs": ["code"]},
        "test": {"agent": "test", "needs": ["code"], "with": {"write-tests": False}},
        "sign": {"agent": "command", "needs": ["test", "review"], "approval": True,
                 "with": {"run": "echo yes > signed.txt", "commit": True}},
    },
}
ANSWERS = [
    {"match": {"agent": "coding", "round": 1}, "reply": {"files": {"calc.py": "def add(a, b):\n    return a * b\n"}}},
    {"match": {"agent": "coding", "round": 2}, "reply": {"files": {"calc.py": "def add(a, b):\n    return a + b\n"}}},
    {"match": {"agent": "review"}, "reply": {"json": {"findings": [], "summary": "fine"}}, "times": "any"},
]


class Crash(harness.ProjectTest):
    def prepare(self):
        project = self.project()
        project.repository(FILES)
        project.write("w.yaml", WORKFLOW)
        project.write("answers.yaml", ANSWERS)
        return project

    def finish(self, project, first=None):
        """Goes on until the workflow has ended, approving what asks; returns the last outcome."""
        outcome = first
        for _ in range(12):
            listed = project.run("list", "--json")
            if not any(line.get("workflow_id") for line in listed.lines):
                outcome = project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json")
            elif outcome is not None and outcome.code in (0, 1):
                return outcome
            elif outcome is not None and outcome.code == 3:
                project.run("approve")
                outcome = project.run("resume", "--json")
            else:
                outcome = project.run("resume", "--json")
                if outcome.code == 2:  # it had ended before the kill
                    ids = [line["workflow_id"] for line in listed.lines if line.get("workflow_id")]
                    outcome = project.run("status", ids[0], "--json")
                    return outcome
        self.fail(f"the workflow never ended: {outcome}")

    def undisturbed(self):
        project = self.prepare()
        done = self.finish(project)
        self.assertEqual(done.result["status"], "COMPLETED", done)
        self.assertEqual(done.result["rounds"], 2)
        return project, done

    def assert_same(self, project, done, reference, reference_project):
        recorded = project.run("events", done.result["workflow_id"], "--json").events
        self.assertEqual(harness.normal_form(done.result), harness.normal_form(reference.result),
                         [event for event in recorded if event["event"] == "task.failed"])
        self.assertEqual(len(harness.git(project.folder, "log", "--format=%s", done.result["workspace"]["commit"]).splitlines()),
                         len(harness.git(reference_project.folder, "log", "--format=%s",
                                         reference.result["workspace"]["commit"]).splitlines()))
        known, expected = done.result["usage"], reference.result["usage"]
        # what was answered is never asked again; a call hidden by the kill is listed as unknown and charged
        self.assertEqual(known["calls"] - known["unknown_calls"], expected["calls"])
        # the project path is in every command line of ours: nothing of it may live on
        harness.wait_until(lambda: not harness.children_of(str(project.folder)), 15)

    def test_every_named_point(self):
        self.assertGreater(len(POINTS), 15)
        reference_project, reference = self.undisturbed()
        for point in POINTS:
            with self.subTest(point):
                project = self.prepare()
                mark = os.path.join(tempfile.mkdtemp(), "reached")
                crash = {"CONDUCTORAI_CRASH_AT": point, "CONDUCTORAI_CRASH_MARK": mark}
                outcome = project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json", env=crash)
                if not os.path.exists(mark):  # points of the approval's way
                    self.assertEqual(outcome.code, 3, outcome)
                    outcome = project.run("approve", env=crash)
                    if not os.path.exists(mark):
                        outcome = project.run("resume", "--json", env=crash)
                self.assertTrue(os.path.exists(mark), f"{point} was never reached: {outcome}")
                self.assertEqual(outcome.code, -9, outcome)
                done = self.finish(project)
                self.assert_same(project, done, reference, reference_project)

    def test_what_an_ended_workflow_still_owes_is_done_by_who_comes_next(self):
        for point in ("engine.before_ref_move", "workflow.before_close"):
            with self.subTest(point):
                project = self.prepare()
                project.write("w.yaml", dict(WORKFLOW, tasks={"code": {"agent": "coding"}}))
                killed = project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json", env={"CONDUCTORAI_CRASH_AT": point})
                self.assertEqual(killed.code, -9, killed)
                workflow_id = killed.events[0]["workflow_id"]
                status = project.run("status", workflow_id, "--json").result
                self.assertEqual(status["status"], "COMPLETED")
                self.assertEqual(harness.git(project.folder, "rev-parse", status["workspace"]["branch"]), status["workspace"]["commit"])

    def test_a_hundred_random_kills(self):
        seed = int(os.environ.get("CRASH_SEED", random.randrange(1 << 30)))
        print("CRASH_SEED", seed, flush=True)
        chance = random.Random(seed)
        reference_project, reference = self.undisturbed()
        kills = 0
        while kills < 100:
            project = self.prepare()
            begun = time.monotonic()
            process = project.start("run", "w.yaml", "--llm", "mock:answers.yaml", "--json")
            # Each workflow is killed again and again, a little later every time, until it ends.
            for _ in range(12):
                try:
                    process.communicate(timeout=chance.uniform(0.0, 0.6))
                    break
                except Exception:
                    harness.kill(process)
                    process.communicate()
                    kills += 1
                    if not list((project.folder / ".conductorai").glob("*.db")):
                        break
                    process = project.start("resume", "--json")
            if process.poll() is None:
                process.communicate()
            done = self.finish(project)
            if done.result["status"] == "PAUSED":  # five claims without progress: stated, and resumable
                done = project.run("resume", "--json")
            with self.subTest(seed=seed, after=time.monotonic() - begun):
                self.assertEqual(harness.normal_form(done.result), harness.normal_form(reference.result))
        self.assertGreaterEqual(kills, 100)
