"""Ended workflows are removed with all that was kept of them, and nothing of anybody else's goes with them."""
import json
import os
import pathlib
import sqlite3
import tempfile

import harness
from test_monitor import WORKFLOW as WATCHED, coding

POINTS = ("removal.before_commit", "removal.after_commit", "removal.half_way", "removal.before_finish")


def commands(**runs):
    """A workflow of sandboxed commands, each after the one before."""
    tasks, before = {}, []
    for name, run in runs.items():
        tasks[name] = {"agent": "command", "needs": before, "with": {"run": run, "commit": True}}
        before = [name]
    return tasks


class Prune(harness.ProjectTest):
    def state(self, project):
        return project.folder / ".conductorai"

    def ends(self, project, name="ends", text="something", **more):
        """A workflow with an artifact, a commit in a repository of its own, and a report; its id."""
        project.write(f"{name}.yaml", {"name": name, "tasks": commands(one=f"echo {text}; echo {text} > file.txt"), **more})
        done = project.run("run", f"{name}.yaml", "--json")
        self.assertEqual(done.code, 0, done)
        return done.result["workflow_id"]

    def listed(self, project):
        return [line["workflow_id"] for line in project.run("list", "--json").lines]

    def prune(self, project, *arguments, env=None):
        pruned = project.run("prune", "--json", *arguments, env=env)
        self.assertEqual(pruned.code, 0, pruned)
        return ({line["workflow_id"] for line in pruned.lines if line["type"] == "pruned"},
                {line["workflow_id"]: line["reason"] for line in pruned.lines if line["type"] == "kept"}, pruned.lines[-1])

    def rest_of(self, project, workflow_id):
        """What in the state directory still names the workflow: files by their name, and rows."""
        found = [str(path) for path in self.state(project).rglob("*") if workflow_id in path.name]
        with sqlite3.connect(self.state(project) / "state.db") as db:
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                rows = [row for row in db.execute(f"SELECT * FROM {table}") if workflow_id in str(row)]
                found += [f"{table}: {row}" for row in rows if table != "agents"]
        return found

    def days(self, project):
        with sqlite3.connect(self.state(project) / "state.db") as db:
            return db.execute("SELECT * FROM budgets WHERE scope LIKE 'project/%' ORDER BY scope").fetchall()

    def dead_bytes(self, project):
        """Bytes in the artifact store that no record points to."""
        folder = self.state(project) / "artifacts"
        named = {json.loads(line)["digest"] for log in (folder / "records").glob("*.jsonl") for line in log.read_text().splitlines()}
        kept = {"sha256:" + path.parent.name + path.name for path in (folder / "sha256").rglob("*") if path.is_file()}
        self.assertLessEqual(named, kept)
        return kept - named

    def test_all_of_an_ended_workflow_goes_and_the_days_remember_what_it_used(self):
        project = self.project()
        gone = self.ends(project, text="alone")
        stays = self.ends(project, "stays")
        days = self.days(project)
        self.assertTrue((self.state(project) / "repos" / gone).exists())
        self.assertTrue((self.state(project) / "reports" / f"{gone}.html").exists())
        removed, kept, last = self.prune(project, "--keep", "1")
        self.assertEqual((removed, kept), ({gone}, {}))
        self.assertEqual((last["type"], last["removed"], last["kept"], last["dry_run"]), ("prune", 1, 0, False))
        self.assertGreater(last["freed_bytes"], 0)
        self.assertEqual(self.listed(project), [stays])
        self.assertEqual(self.rest_of(project, gone), [])
        self.assertEqual(self.days(project), days)
        self.assertEqual(self.dead_bytes(project), set())
        for command in ("status", "events", "report", "export"):
            outcome = project.run(command, gone, *(["--to", "x"] if command == "export" else []))
            self.assertEqual(outcome.code, 2, outcome)
        evidence = project.run("status", stays, "--json").result["tasks"]["one"]["evidence"]
        for item in evidence:
            self.assertEqual(project.run("artifacts", "cat", item["artifact"]).code, 0)
        self.assertEqual(harness.git(self.state(project) / "repos" / stays, "show", "HEAD:file.txt"), "something")
        self.assertEqual(self.prune(project, "--keep", "1")[0], set())

    def test_what_two_workflows_share_goes_with_the_last(self):
        project = self.project()
        first, second = self.ends(project, "first"), self.ends(project, "second")
        digests = [e["artifact"] for e in project.run("status", second, "--json").result["tasks"]["one"]["evidence"]]
        shared = {e["artifact"] for e in project.run("status", first, "--json").result["tasks"]["one"]["evidence"]}
        self.assertTrue(shared & set(digests))
        self.prune(project, "--keep", "1")
        for digest in digests:
            self.assertEqual(project.run("artifacts", "cat", digest).code, 0)
        self.prune(project, "--keep", "0")
        for digest in digests:
            self.assertEqual(project.run("artifacts", "cat", digest).code, 2)

    def test_what_can_go_on_stays(self):
        project = self.project()
        project.write("asks.yaml", {"name": "asks", "tasks": {"sign": {"agent": "command", "approval": True, "with": {"run": "true"}}}})
        self.assertEqual(project.run("run", "asks.yaml").code, 3)
        killed = project.run("run", "asks.yaml", env={"CONDUCTORAI_CRASH_AT": "engine.after_append"})
        self.assertEqual(killed.code, -9, killed)
        both = self.listed(project)
        self.assertEqual(len(both), 2)
        self.assertEqual(self.prune(project, "--keep", "0", "--older-than", "0s"), (set(), {}, {
            "type": "prune", "removed": 0, "kept": 0, "freed_bytes": 0, "dry_run": False}))
        for workflow_id in both:
            project.run("approve", workflow_id)
            self.assertEqual(project.run("resume", workflow_id).code, 0)
        self.assertEqual(self.prune(project, "--keep", "0")[0], set(both))

    def test_a_dry_run_tells_and_removes_nothing(self):
        project = self.project()
        workflow_id = self.ends(project)
        removed, _, last = self.prune(project, "--keep", "0", "--dry-run")
        self.assertEqual((removed, last["dry_run"]), ({workflow_id}, True))
        self.assertEqual(self.listed(project), [workflow_id])
        text = project.run("prune", "--keep", "0", "--dry-run")
        self.assertIn("would go", text.out)
        self.assertIn("would remove 1, kept 0", text.out)

    def test_the_rule_must_be_given_and_sound(self):
        project = self.project()
        self.assertEqual(project.run("prune", "--keep", "1").code, 2)  # no state yet
        workflow_id = self.ends(project)
        for arguments, said in (((), "which workflows may go is not said"), (("--keep", "-1"), "--keep"), (("--keep", "many"), "--keep"),
                                (("--older-than", "yesterday"), "--older-than"), (("--older-than", "3"), "--older-than")):
            refused = project.run("prune", *arguments)
            self.assertEqual(refused.code, 2, refused)
            self.assertIn(said, refused.err)
        self.assertEqual(self.prune(project, "--older-than", "1h")[0], set())
        self.assertEqual(self.prune(project, "--older-than", "1d", "--keep", "0")[0], set())
        self.assertEqual(self.listed(project), [workflow_id])
        self.assertEqual(self.prune(project, "--older-than", "0s")[0], {workflow_id})

    def test_by_the_configuration_after_each_run(self):
        project = self.project()
        project.write("conductorai.yaml", "retention: { keep: 1 }\n")
        first = self.ends(project, "first")
        self.assertEqual(self.listed(project), [first])
        project.write("second.yaml", {"name": "second", "tasks": commands(one="true")})
        second = project.run("run", "second.yaml")
        self.assertEqual(second.code, 0, second)
        self.assertIn("removed 1 ended workflow (retention)", second.err)
        self.assertNotIn(first, self.listed(project))
        self.assertEqual(self.rest_of(project, first), [])
        self.assertIn("conductorai.yaml:1:20", project.run("config", "show").out)
        self.assertEqual(len(self.prune(project, "--keep", "0")[0]), 1)  # the flag is stronger

    def test_beside_a_run_of_another_process(self):
        project = self.project()
        ended = [self.ends(project, f"ends-{n}") for n in range(3)]
        project.write("long.yaml", {"name": "long", "tasks": commands(**{f"t{n}": f"echo {n}; sleep 0.2" for n in range(8)})})
        running = project.start("run", "long.yaml", "--json")
        harness.wait_until(lambda: len(self.listed(project)) == 4)
        removed, kept, _ = self.prune(project, "--keep", "0")
        self.assertEqual((removed, kept), (set(ended), {}))
        self.assertIsNone(running.poll(), "it was to run meanwhile")
        out, err = running.communicate(timeout=120)
        done = harness.Outcome(running.returncode, out, err)
        self.assertEqual((done.code, done.result["status"]), (0, "COMPLETED"), done)
        self.assertEqual(self.listed(project), [done.result["workflow_id"]])
        for task in done.result["tasks"].values():
            for item in task["evidence"]:
                self.assertEqual(project.run("artifacts", "cat", item["artifact"]).code, 0)

    def test_killed_anywhere_each_is_whole_or_gone_and_the_next_one_finishes(self):
        for point in POINTS:
            with self.subTest(point):
                project = self.project()
                ended = [self.ends(project, f"ends-{n}", text=f"text-{n}") for n in range(3)]
                days = self.days(project)
                mark = os.path.join(tempfile.mkdtemp(), "reached")
                killed = project.run("prune", "--keep", "0", env={"CONDUCTORAI_CRASH_AT": point, "CONDUCTORAI_CRASH_MARK": mark})
                self.assertTrue(os.path.exists(mark), f"{point} was never reached: {killed}")
                self.assertEqual(killed.code, -9, killed)
                listed = self.listed(project)
                for workflow_id in ended:
                    status = project.run("status", workflow_id, "--json")
                    events = project.run("events", workflow_id, "--json")
                    if workflow_id not in listed:
                        self.assertEqual((status.code, events.code), (2, 2))
                        continue
                    self.assertEqual(status.result["status"], "COMPLETED")
                    self.assertEqual(events.events[-1]["event"], "workflow.completed")
                    for item in status.result["tasks"]["one"]["evidence"]:
                        self.assertEqual(project.run("artifacts", "cat", item["artifact"]).code, 0)
                removed, kept, _ = self.prune(project, "--keep", "0")
                self.assertEqual((removed, kept), (set(listed), {}))
                for workflow_id in ended:
                    self.assertEqual(self.rest_of(project, workflow_id), [])
                self.assertEqual(self.dead_bytes(project), set())
                self.assertEqual(self.days(project), days)

    def test_what_a_dead_owner_owed_is_done_before_it_goes(self):
        project = self.project()
        project.repository({"a.txt": "a\n"})
        project.write("w.yaml", {"name": "w", "workspace": {"repo": "."}, "tasks": commands(one="echo b > a.txt")})
        killed = project.run("run", "w.yaml", "--json", env={"CONDUCTORAI_CRASH_AT": "engine.before_ref_move"})
        self.assertEqual(killed.code, -9, killed)
        workflow_id = killed.events[0]["workflow_id"]
        self.assertEqual(self.prune(project, "--keep", "0")[0], {workflow_id})
        self.assertEqual(harness.git(project.folder, "show", f"conductorai/{workflow_id}:a.txt"), "b")
        self.assertEqual(self.rest_of(project, workflow_id), [])

    def test_a_workflow_whose_release_serves_or_is_gone_back_to_stays(self):
        project = self.project()
        project.write("w.yaml", {**WATCHED, "tasks": {name: WATCHED["tasks"][name] for name in ("code", "deploy")}})
        project.write("answers.yaml", [coding(1, 404)])
        self.addCleanup(self.stop_releases, project)
        first, second = [project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json").result["workflow_id"] for _ in range(2)]
        removed, kept, _ = self.prune(project, "--keep", "0")
        self.assertEqual(removed, set())
        self.assertRegex(kept[first], r"its release .* is previous")
        self.assertRegex(kept[second], r"its release .* is serving")
        self.stop_releases(project)
        for line in project.run("releases", "list", "--json").lines:
            project.run("releases", "stop", line["id"])
        self.assertEqual(self.prune(project, "--keep", "0")[0], {first, second})
        self.assertEqual(self.rest_of(project, first) + self.rest_of(project, second), [])

    def test_a_repository_that_another_workflow_works_in_stays(self):
        project = self.project()
        host = self.ends(project, "host")
        repo = pathlib.Path(".conductorai/repos") / host
        guest = self.ends(project, "guest", text="more", workspace={"repo": str(repo), "base": f"conductorai/{host}"})
        removed, kept, _ = self.prune(project, "--keep", "1")
        self.assertEqual((removed, kept), (set(), {host: f"{guest} works in its repository"}))
        self.assertEqual(self.prune(project, "--keep", "0")[0], {host, guest})
        self.assertFalse((project.folder / repo).exists())
