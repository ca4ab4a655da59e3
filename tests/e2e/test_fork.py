"""A new workflow from a point of another one's journal: what was done before stands, is not paid again, and outlives the other one."""
import os
import pathlib
import sqlite3
import tempfile

import harness

FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "test_calc.py": "import unittest\nimport calc\n\n\nclass T(unittest.TestCase):\n    def test_add(self):\n"
                    "        self.assertEqual(calc.add(2, 3), 5)\n",
}
WORKFLOW = {
    "name": "calc", "requirement": "add must add", "inputs": {"who": "ann"}, "workspace": {"repo": "."}, "budget": {"calls": 3},
    "tasks": {
        "code": {"agent": "coding"},
        "review": {"agent": "review", "needs": ["code"]},
        "test": {"agent": "test", "needs": ["review"], "with": {"write-tests": False}},
        "sign": {"agent": "command", "needs": ["test"],
                 "with": {"run": "echo $WHO > signed.txt", "env": {"WHO": "${{ inputs.who }}"}, "commit": True}},
    },
}
ANSWERS = [
    {"match": {"agent": "coding"}, "reply": {"files": {"calc.py": "def add(a, b):\n    return a + b\n"}}},
    {"match": {"agent": "review"}, "reply": {"json": {"findings": [], "summary": "fine"}}, "times": "any"},
]
CALLS_OF_ALL = 2


class Fork(harness.ProjectTest):
    def parent(self, definition=WORKFLOW):
        project = self.project()
        project.repository(FILES)
        project.write("w.yaml", definition)
        project.write("answers.yaml", ANSWERS)
        done = project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json")
        self.assertEqual((done.code, done.result["status"]), (0, "COMPLETED"), done)
        self.assertEqual(done.result["usage"]["calls"], CALLS_OF_ALL)
        self.assertNotIn("forked_from", done.result)
        return project, done.result

    def fork(self, project, *arguments, env=None):
        outcome = project.run("fork", *arguments, "--json", env=env)
        self.assertEqual((outcome.code, outcome.result["status"]), (0, "COMPLETED"), outcome)
        return outcome

    def calls_of(self, project, scope):
        with sqlite3.connect(project.folder / ".conductorai" / "state.db") as db:
            return sum(calls for (calls,) in db.execute("SELECT spent_calls + reserved_calls FROM budgets WHERE scope LIKE ?", (scope,)))

    def test_from_a_task_what_was_done_before_stands_and_is_not_paid_again(self):
        project, parent = self.parent()
        outcome = self.fork(project, parent["workflow_id"], "--from", "test")
        fork = outcome.result
        self.assertNotEqual(fork["workflow_id"], parent["workflow_id"])
        self.assertEqual(fork["usage"]["calls"], 0)
        self.assertEqual(fork["workspace"]["tree"], parent["workspace"]["tree"])
        self.assertEqual(fork["workspace"]["branch"], "conductorai/" + fork["workflow_id"])
        self.assertEqual(harness.git(project.folder, "rev-parse", fork["workspace"]["branch"]), fork["workspace"]["commit"])
        for task in ("code", "review"):
            self.assertEqual(fork["tasks"][task], parent["tasks"][task])
        self.assertEqual({name: task["status"] for name, task in fork["tasks"].items()}, dict.fromkeys(WORKFLOW["tasks"], "COMPLETED"))
        events = outcome.events
        self.assertEqual([event["event"] for event in events[:4]],
                         ["workflow.started", "workflow.forked", "task.completed", "task.completed"])
        self.assertEqual([event["seq"] for event in events], list(range(1, len(events) + 1)))
        payload = events[1]["payload"]
        self.assertEqual((payload["workflow"], payload["seq"], payload["tasks"]), (parent["workflow_id"], 4, ["code", "review"]))
        self.assertEqual(fork["forked_from"], {"workflow_id": parent["workflow_id"], "seq": 4, "tasks": ["code", "review"]})
        text = project.run("status", fork["workflow_id"]).out
        self.assertIn(f"from {parent['workflow_id']} before event 4", text)
        self.assertIn("before event 4", project.run("events", fork["workflow_id"]).out)
        self.assertEqual(project.run("report", fork["workflow_id"]).code, 0)
        # the other one is as it was
        now = project.run("status", parent["workflow_id"], "--json").result
        self.assertEqual({**now, "duration_s": 0}, {**parent, "duration_s": 0, "owner": None})

    def test_by_the_number_of_an_event_and_from_the_start(self):
        project, parent = self.parent()
        self.assertEqual(self.fork(project, parent["workflow_id"], "--from", "3").result["usage"]["calls"], 1)
        whole = self.fork(project, parent["workflow_id"])
        self.assertEqual(whole.result["usage"]["calls"], CALLS_OF_ALL)
        self.assertEqual(whole.result["workspace"]["tree"], parent["workspace"]["tree"])

    def test_with_another_input_and_another_model(self):
        project, parent = self.parent()
        project.write("others.yaml", [{"match": {"agent": "review"}, "reply": {"json": {"findings": [], "summary": "by another"}}}])
        fork = self.fork(project, parent["workflow_id"], "--from", "review", "--input", "who=bob", "--llm", "mock:others.yaml")
        self.assertEqual(fork.result["usage"]["calls"], 1)
        show = lambda result: harness.git(project.folder, "show", result["workspace"]["commit"] + ":signed.txt")
        self.assertEqual((show(parent), show(fork.result)), ("ann", "bob"))
        self.assertIn("workflow.resumed", [event["event"] for event in fork.events])

    def test_its_budget_counts_anew_and_the_days_goes_on(self):
        project, parent = self.parent()
        before = self.calls_of(project, "project/%")
        fork = self.fork(project, parent["workflow_id"], "--from", "code").result  # 2 + 2 calls would overrun a budget of 3
        self.assertEqual(fork["usage"]["calls"], CALLS_OF_ALL)
        self.assertEqual(self.calls_of(project, f"workflow/{fork['workflow_id']}"), CALLS_OF_ALL)
        self.assertEqual(self.calls_of(project, f"workflow/{parent['workflow_id']}"), CALLS_OF_ALL)
        self.assertEqual(self.calls_of(project, "project/%"), before + CALLS_OF_ALL)
        project.write("conductorai.yaml", f"budget: {{ calls-per-day: {before + CALLS_OF_ALL} }}\n")
        paused = project.run("fork", parent["workflow_id"], "--json")
        self.assertEqual((paused.code, paused.result["status"]), (3, "PAUSED"), paused)

    def test_of_a_workflow_that_waits_while_it_waits(self):
        definition = {**WORKFLOW, "tasks": {**WORKFLOW["tasks"], "sign": {**WORKFLOW["tasks"]["sign"], "approval": True}}}
        project = self.project()
        project.repository(FILES)
        project.write("w.yaml", definition)
        project.write("answers.yaml", ANSWERS)
        waiting = project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json")
        self.assertEqual(waiting.code, 3, waiting)
        fork = project.run("fork", "--from", "sign", "--json")
        self.assertEqual((fork.code, fork.result["usage"]["calls"]), (3, 0), fork)
        for workflow_id in (fork.result["workflow_id"], waiting.result["workflow_id"]):
            self.assertEqual(project.run("approve", workflow_id).code, 0)
            self.assertEqual(project.run("resume", workflow_id, "--json").result["status"], "COMPLETED")

    def test_it_outlives_the_one_it_came_from(self):
        project = self.project()
        project.write("w.yaml", {"name": "own", "tasks": {
            "one": {"agent": "command", "with": {"run": "echo kept; echo kept > one.txt", "commit": True}},
            "two": {"agent": "command", "needs": ["one"], "with": {"run": "cat one.txt > two.txt", "commit": True}}}})
        parent = project.run("run", "w.yaml", "--json").result
        fork = self.fork(project, parent["workflow_id"], "--from", "two").result
        pruned = project.run("prune", "--keep", "1", "--json")
        self.assertEqual([line["workflow_id"] for line in pruned.lines if line["type"] == "pruned"], [parent["workflow_id"]])
        for item in fork["tasks"]["one"]["evidence"]:
            self.assertEqual(project.run("artifacts", "cat", item["artifact"]).code, 0)
        own = project.folder / ".conductorai" / "repos" / fork["workflow_id"]
        self.assertEqual(harness.git(own, "show", "HEAD:two.txt"), "kept")
        harness.git(own, "fsck", "--strict", "--connectivity-only")
        again = self.fork(project, fork["workflow_id"], "--from", "two").result
        self.assertEqual(again["workspace"]["tree"], fork["workspace"]["tree"])

    def test_what_cannot_be_forked_is_refused_and_leaves_no_workflow(self):
        project, parent = self.parent()
        workflow_id = parent["workflow_id"]
        for arguments, said in ((("wf-none",), "no such workflow"), ((workflow_id, "--from", "nobody"), "nobody"),
                                ((workflow_id, "--from", "0"), "no event 0"), ((workflow_id, "--from", "99"), "no event 99"),
                                ((workflow_id, "--input", "whom=bob"), "did you mean 'who'"), ((workflow_id, "--input", "who"), "NAME=VALUE"),
                                ((workflow_id, "--llm", "nobody"), "unknown provider"),
                                ((workflow_id, "--from", "10"), "had ended")):
            refused = project.run("fork", *arguments)
            self.assertEqual(refused.code, 2, refused)
            self.assertIn(said, refused.err)
        self.assertEqual(len(project.run("list", "--json").lines), 1)
        records = (project.folder / ".conductorai" / "artifacts" / "records").iterdir()
        self.assertEqual({path.name for path in records}, {"definitions.jsonl", workflow_id + ".jsonl"})
        harness.git(project.folder, "branch", "-D", parent["workspace"]["branch"])
        harness.git(project.folder, "reflog", "expire", "--expire=now", "--all")
        harness.git(project.folder, "gc", "-q", "--prune=now")
        refused = project.run("fork", workflow_id, "--from", "test")
        self.assertEqual(refused.code, 2, refused)
        self.assertIn("is gone", refused.err)

    def test_killed_anywhere_there_is_no_fork_or_one_that_goes_on(self):
        reference_project, parent = self.parent()
        reference = self.fork(reference_project, parent["workflow_id"], "--from", "test").result
        for point in ("fork.before_append", "journal.before_commit", "journal.after_commit", "engine.after_append",
                      "engine.before_ref_move", "engine.before_dispatch", "workflow.before_close"):
            with self.subTest(point):
                project, parent = self.parent()
                mark = os.path.join(tempfile.mkdtemp(), "reached")
                killed = project.run("fork", parent["workflow_id"], "--from", "test", "--json",
                                     env={"CONDUCTORAI_CRASH_AT": point, "CONDUCTORAI_CRASH_MARK": mark})
                self.assertTrue(pathlib.Path(mark).exists(), f"{point} was never reached: {killed}")
                self.assertEqual(killed.code, -9, killed)
                listed = [line["workflow_id"] for line in project.run("list", "--json").lines]
                forks = [workflow_id for workflow_id in listed if workflow_id != parent["workflow_id"]]
                self.assertEqual(len(forks), 0 if point in ("fork.before_append", "journal.before_commit") else 1)
                if not forks:
                    done = self.fork(project, parent["workflow_id"], "--from", "test")
                elif point == "workflow.before_close":  # it had ended
                    done = project.run("status", forks[0], "--json")
                else:
                    done = project.run("resume", forks[0], "--json")
                self.assertEqual(harness.normal_form(done.result), harness.normal_form(reference))
                self.assertEqual(done.result["usage"]["calls"], 0)
                branch = done.result["workspace"]["branch"]
                self.assertEqual(harness.git(project.folder, "rev-parse", branch), done.result["workspace"]["commit"])
