"""A state directory that the program of state format 1 left is opened by this one: everything in it is there, and goes on."""
import shutil
import sqlite3

import harness

OLD = harness.ROOT / "tests/golden/state-v1"


class Migration(harness.ProjectTest):
    def project_of_version_1(self):
        project = self.project()
        state = project.folder / ".conductorai"
        shutil.copytree(OLD / "artifacts", state / "artifacts")
        with sqlite3.connect(state / "state.db") as db:
            db.executescript((OLD / "state.sql").read_text())
        db.close()
        self.assertEqual(self.version(project), 1)
        return project

    def version(self, project):
        with sqlite3.connect(project.folder / ".conductorai" / "state.db") as db:
            return db.execute("PRAGMA user_version").fetchone()[0]

    def ids(self, project):
        return {line["name"]: line["workflow_id"] for line in project.run("list", "--json").lines}

    def test_old_workflows_are_listed_read_and_gone_on_with(self):
        project = self.project_of_version_1()
        ids = self.ids(project)
        self.assertEqual(set(ids), {"done", "broken", "asks", "killed"})
        self.assertEqual(self.version(project), 3)

        events = project.run("events", ids["done"], "--json").events
        self.assertEqual([event["event"] for event in events],
                         ["workflow.started", "task.completed", "task.completed", *["gate.decided"] * 3, "workflow.completed"])
        status = project.run("status", ids["done"], "--json").result
        self.assertEqual(status["tasks"]["hello"]["status"], "COMPLETED")
        for item in status["tasks"]["hello"]["evidence"]:
            self.assertEqual(project.run("artifacts", "cat", item["artifact"]).code, 0)
        self.assertIn("nothing doing", project.run("why", ids["broken"]).out)

        self.assertEqual(project.run("approve", ids["asks"]).code, 0)
        self.assertEqual(project.run("resume", ids["asks"], "--json").result["status"], "COMPLETED")
        resumed = project.run("resume", ids["killed"], "--json").result
        self.assertEqual((resumed["status"], resumed["tasks"]["one"]["attempts"]), ("COMPLETED", 1))
        self.assertEqual(project.run("retry", ids["broken"]).code, 0)
        self.assertEqual(project.run("resume", ids["broken"], "--json").result["status"], "FAILED")

    def test_old_workflows_can_be_forked_and_pruned(self):
        project = self.project_of_version_1()
        done = self.ids(project)["done"]
        forked = project.run("fork", done, "--from", "again", "--json")
        self.assertEqual((forked.code, forked.result["status"]), (0, "COMPLETED"), forked)
        pruned = project.run("prune", "--keep", "1", "--json")
        self.assertEqual(pruned.lines[-1]["removed"], 2, pruned)
        self.assertNotIn(done, self.ids(project).values())

    def test_a_newer_state_is_refused_and_left_alone(self):
        project = self.project_of_version_1()
        with sqlite3.connect(project.folder / ".conductorai" / "state.db") as db:
            db.execute("PRAGMA user_version = 99")
        db.close()
        refused = project.run("list")
        self.assertEqual(refused.code, 4, refused)
        self.assertIn("its format is 99, this build knows 3", refused.err)
        self.assertEqual(self.version(project), 99)
