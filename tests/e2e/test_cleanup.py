"""Tasks that ask always() or cancelled() run after a cancel: once, bounded, also over a kill, and where nobody owned the workflow."""
import harness
from test_control import first_event

SLOW = "sleep 307 & sleep 308"


def workflow(teardown, **more):
    return {"name": "cleanup", "workspace": {"repo": "."}, **more, "tasks": {
        "work": {"agent": "command", "with": {"run": SLOW}},
        "after": {"agent": "command", "needs": ["work"], "with": {"run": "true"}},
        "teardown": {"agent": "command", "needs": ["work"], "if": "cancelled()", "with": {"run": teardown, "commit": True}}}}


class Cleanup(harness.ProjectTest):
    def begin(self, teardown, **more):
        project = self.project()
        project.repository({"README.md": "a project\n"})
        project.write("w.yaml", workflow(teardown, **more))
        runner = project.start("run", "w.yaml", "--json")
        self.addCleanup(lambda: (runner.kill(), runner.communicate()))
        first_event(runner, "workflow.started")
        harness.wait_until(lambda: harness.children_of("sleep 308"))
        return project, runner

    def cancelled(self, project, teardown="COMPLETED"):
        result = project.run("status", "--json").result
        shown = {name: task["status"] for name, task in result["tasks"].items()}
        self.assertEqual((result["status"], shown), ("CANCELLED", {"work": "CANCELLED", "after": "BLOCKED", "teardown": teardown}))
        for word in ("sleep 307", "sleep 308", "sleep 309"):
            harness.wait_until(lambda: not harness.children_of(word), 15)
        return result

    def test_a_cancel_stops_the_work_and_then_cleans_up(self):
        project, runner = self.begin("echo gone > cleaned.txt")
        self.assertEqual(project.run("cancel").code, 0)
        out, err = runner.communicate(timeout=60)
        self.assertEqual(runner.returncode, 1, out + err)
        self.assertIn('"workflow.cleanup_started"', out)
        result = self.cancelled(project)
        self.assertEqual(harness.git(project.folder, "show", result["workspace"]["commit"] + ":cleaned.txt"), "gone")

    def test_a_clean_up_survives_a_kill(self):
        project, runner = self.begin("sleep 3.3; echo gone > cleaned.txt")
        project.run("cancel")
        harness.wait_until(lambda: harness.children_of("sleep 3.3"))
        harness.kill(runner)
        harness.wait_until(lambda: not harness.children_of("sleep 3.3"))
        status = project.run("status", "--json").result
        self.assertEqual((status["status"], status["owner"]), ("IN_PROGRESS", "none (interrupted)"))
        self.assertIn("cleaning up", status["reason"])
        done = project.run("resume", "--json")
        self.assertEqual(done.code, 1, done)
        self.cancelled(project)
        begun = [event for event in project.run("events", "--json").events if event["event"] == "workflow.cleanup_started"]
        self.assertEqual(len(begun), 1)

    def test_who_cancels_what_nobody_owns_cleans_up(self):
        project, runner = self.begin("echo gone > cleaned.txt")
        harness.kill(runner)
        cancelled = project.run("cancel")
        self.assertEqual(cancelled.code, 0, cancelled)
        self.cancelled(project)

    def test_a_second_cancel_stops_the_clean_up(self):
        project, runner = self.begin("sleep 309")
        project.run("cancel")
        harness.wait_until(lambda: harness.children_of("sleep 309"))
        project.run("cancel")
        out, err = runner.communicate(timeout=60)
        self.assertEqual(runner.returncode, 1, out + err)
        self.cancelled(project, teardown="CANCELLED")

    def test_a_clean_up_that_takes_too_long_is_stopped(self):
        project, runner = self.begin("sleep 309")
        project.write("conductorai.yaml", "runtime: { cleanup-timeout: 1s }\n")
        harness.kill(runner)
        self.assertEqual(project.run("cancel").code, 0)
        self.assertIn("took too long", self.cancelled(project, teardown="CANCELLED")["reason"])

    def test_the_workflows_timeout_cleans_up_too(self):
        project, runner = self.begin("echo gone > cleaned.txt", timeout="3s")
        out, err = runner.communicate(timeout=60)
        self.assertEqual(runner.returncode, 1, out + err)
        result = project.run("status", "--json").result
        self.assertEqual((result["status"], result["tasks"]["teardown"]["status"]), ("FAILED", "COMPLETED"))


if __name__ == "__main__":
    harness.unittest.main()
