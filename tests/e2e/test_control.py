"""Commands from a second process, approvals, budgets, signals: what the owner does about them and what stays behind (nothing)."""
import json
import signal

import harness


def command_workflow(**tasks):
    return {"name": "control", "tasks": tasks}


def first_event(process, name):
    """Reads JSON lines of a running `run --json` until this event has come."""
    for line in process.stdout:
        if f'"event":"{name}"' in line.replace(" ", ""):
            return line
    raise AssertionError(f"{name} never came: {process.stderr.read()}")


class Control(harness.ProjectTest):
    def slow(self, marker):
        # Two tasks that run until somebody stops them, each with a child of its own.
        script = f"sleep 300 & echo {marker}; sleep 301"
        return command_workflow(a={"agent": "command", "with": {"run": script}}, b={"agent": "command", "needs": ["a"], "with": {"run": "true"}})

    def workflow_id(self, project):
        lines = []

        def listed():
            """the workflow is listed"""
            lines[:] = [line for line in project.run("list", "--json").lines if line.get("workflow_id")]
            return bool(lines)
        harness.wait_until(listed)
        return lines[0]["workflow_id"]

    def test_cancel_from_a_second_process_leaves_no_process_behind(self):
        project = self.project()
        marker = project.folder.name
        project.write("w.yaml", self.slow(marker))
        process = project.start("run", "w.yaml", "--json")
        workflow_id = self.workflow_id(project)
        harness.wait_until(lambda: harness.children_of("sleep 301"))
        cancelled = project.run("cancel", workflow_id)
        self.assertEqual(cancelled.code, 0, cancelled)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, out + err)
        result = project.run("status", workflow_id, "--json").result
        self.assertEqual(result["status"], "CANCELLED")
        self.assertEqual(result["tasks"]["a"]["status"], "CANCELLED")
        harness.wait_until(lambda: not harness.children_of(marker))

    def test_pause_lets_the_running_task_end_and_resume_goes_on(self):
        project = self.project()
        flag = project.folder / "go"
        project.write("w.yaml", command_workflow(
            a={"agent": "command", "with": {"run": "sleep 1"}},
            b={"agent": "command", "needs": ["a"], "with": {"run": "true"}}))
        process = project.start("run", "w.yaml", "--json")
        workflow_id = self.workflow_id(project)
        paused = project.run("pause", workflow_id)
        self.assertEqual(paused.code, 0, paused)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 3, out + err)
        result = project.run("status", workflow_id, "--json").result
        self.assertEqual((result["status"], result["tasks"]["a"]["status"]), ("PAUSED", "COMPLETED"))
        done = project.run("resume", workflow_id, "--json")
        self.assertEqual((done.code, done.result["status"]), (0, "COMPLETED"), done)
        self.assertFalse(flag.exists())

    def test_approve_while_run_lives_lets_it_go_on(self):
        project = self.project()
        project.write("w.yaml", command_workflow(
            ask={"agent": "command", "approval": True, "with": {"run": "true"}},
            long={"agent": "command", "with": {"run": "sleep 3"}}))
        process = project.start("run", "w.yaml", "--json")
        first_event(process, "approval.requested")
        approved = project.run("approve")
        self.assertEqual(approved.code, 0, approved)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, out + err)

    def test_an_open_approval_exits_3_and_reject_fails(self):
        project = self.project()
        project.write("w.yaml", command_workflow(ask={"agent": "command", "approval": True, "with": {"run": "true"}}))
        waiting = project.run("run", "w.yaml", "--json")
        self.assertEqual(waiting.code, 3, waiting)
        self.assertIn("approv", waiting.result["reason"])
        rejected = project.run("reject")
        self.assertEqual(rejected.code, 0, rejected)
        status = project.run("status", waiting.result["workflow_id"], "--json")
        self.assertEqual(status.result["status"], "FAILED", status)

    def test_ctrl_c_keeps_the_state_and_prints_the_line_that_resumes(self):
        project = self.project()
        project.write("w.yaml", self.slow(project.folder.name))
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            process = project.start("run", "w.yaml", "--json")
            harness.wait_until(lambda: harness.children_of("sleep 301"))
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, code, out + err)
            self.assertIn("conductorai resume", out + err)
            harness.wait_until(lambda: not harness.children_of("sleep 301"))

    def test_two_resumable_ones_are_listed(self):
        project = self.project()
        project.write("w.yaml", command_workflow(ask={"agent": "command", "approval": True, "with": {"run": "true"}}))
        ids = [project.run("run", "w.yaml", "--json").result["workflow_id"] for _ in range(2)]
        both = project.run("resume")
        self.assertEqual(both.code, 2, both)
        for workflow_id in ids:
            self.assertIn(workflow_id, both.err)

    def test_resume_beside_a_living_owner_names_its_pid(self):
        project = self.project()
        project.write("w.yaml", self.slow(project.folder.name))
        process = project.start("run", "w.yaml", "--json")
        workflow_id = self.workflow_id(project)
        second = project.run("resume", workflow_id)
        self.assertEqual(second.code, 4, second)
        self.assertIn(str(process.pid), second.err)
        process.send_signal(signal.SIGSTOP)  # a stopped owner is a living one
        try:
            self.assertEqual(project.run("resume", workflow_id).code, 4)
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            process.communicate(timeout=60)

    def test_a_calls_budget_pauses_and_more_budget_goes_on(self):
        project, workflow, answers = self.example("fix-a-bug")
        text = workflow.read_text() + "\nbudget: { calls: 1 }\n"
        project.write("w.yaml", text)
        done = project.run("run", "w.yaml", "--llm", f"mock:{answers}", "--json")
        self.assertEqual((done.code, done.result["status"]), (3, "PAUSED"), done)
        self.assertIn("calls", done.result["reason"])
        again = project.run("resume", "--add-budget", "calls=5", "--json")
        self.assertEqual((again.code, again.result["status"], again.result["rounds"]), (0, "COMPLETED", 2), again)
        self.assertEqual(again.result["usage"]["calls"], 2)

    def test_a_task_and_an_agents_type_have_budgets_of_their_own(self):
        project = self.project()
        project.write("w.yaml", """
name: frugal
requirement: A function add(a, b) in add.py.
toolchain: { build: "true" }
agent-budgets: { coding: { calls: 1 } }
tasks:
  small: { agent: coding, budget: { tokens: 10 } }
  next: { agent: coding, needs: [small] }
""")
        planned = project.run("plan", "w.yaml", "--llm", "mock")
        self.assertEqual(planned.code, 3, planned)
        done = project.run("run", "w.yaml", "--llm", "mock", "--json")
        self.assertEqual((done.code, done.result["status"]), (3, "PAUSED"), done)
        self.assertRegex(done.result["reason"], r": task/wf-\w+/small: tokens: 0 of 10 used, \d+ more asked")
        self.assertIn("--add-budget tokens=N", project.run("status", done.result["workflow_id"]).out)
        done = project.run("resume", "--add-budget", "tokens=1000000", "--json")
        self.assertEqual((done.code, done.result["tasks"]["small"]["status"]), (3, "COMPLETED"), done)
        self.assertRegex(done.result["reason"], r": agent/wf-\w+/coding: calls: 1 of 1 used, 1 more asked")
        done = project.run("resume", "--add-budget", "calls=1", "--json")
        self.assertEqual((done.code, done.result["status"], done.result["usage"]["calls"]), (0, "COMPLETED", 2), done)

    def test_a_budget_of_the_day_bounds_all_workflows_of_the_project(self):
        project, workflow, answers = self.example("fix-a-bug")
        project.write("conductorai.yaml", "budget: { calls-per-day: 1 }\n")
        first = project.run("run", str(workflow), "--llm", f"mock:{answers}", "--json")
        self.assertEqual((first.code, first.result["status"]), (3, "PAUSED"), first)
        self.assertRegex(first.result["reason"], r": project/\d{4}-\d\d-\d\d: calls: 1 of 1 used, 1 more asked")
        second = project.run("run", str(workflow), "--llm", f"mock:{answers}", "--json")
        self.assertEqual((second.code, second.result["usage"]["calls"]), (3, 0), second)
        more = project.run("resume", first.result["workflow_id"], "--add-budget", "calls=5", "--json")
        self.assertEqual(more.code, 3, more)
        self.assertRegex(project.run("status", first.result["workflow_id"]).out, "--add-budget calls-per-day=N, or .*-per-day in conductorai.yaml")
        project.write("conductorai.yaml", "budget: { calls-per-day: 4 }\n")
        for paused in (first, second):
            again = project.run("resume", paused.result["workflow_id"], "--json")
            self.assertEqual((again.code, again.result["status"], again.result["usage"]["calls"]), (0, "COMPLETED", 2), again)

    def test_a_failed_workflow_is_retried(self):
        project = self.project()
        gate = project.folder / "gate"
        gate.mkdir()
        project.write("w.yaml", dict(command_workflow(a={"agent": "command", "with": {"run": f"test -e {gate}/open"}}),
                                     sandbox={"read": [str(gate)]}))
        failed = project.run("run", "w.yaml", "--json")
        self.assertEqual((failed.code, failed.result["status"]), (1, "FAILED"), failed)
        (gate / "open").write_text("")
        retried = project.run("retry", failed.result["workflow_id"])
        self.assertEqual(retried.code, 0, retried)
        status = project.run("status", failed.result["workflow_id"], "--json").result["status"]
        if status != "COMPLETED":
            done = project.run("resume", failed.result["workflow_id"], "--json")
            self.assertEqual((done.code, done.result["status"]), (0, "COMPLETED"), done)


class Gated(harness.ProjectTest):
    """A task that waits for a file which the test makes: what happens meanwhile happens for sure."""

    def gated(self, script):
        project = self.project()
        gate = project.folder / "gate"
        gate.mkdir()
        project.write("w.yaml", dict(command_workflow(a={"agent": "command", **script(gate / "open")}), sandbox={"read": [str(gate)]}))
        return project, gate / "open"

    def test_a_second_process_follows_the_events_of_a_run_to_its_end(self):
        project, gate = self.gated(lambda gate: {"with": {"run": f"until test -e {gate}; do sleep 0.05; done"}})
        process = project.start("run", "w.yaml", "--json")
        first_event(process, "workflow.started")
        follower = project.start("events", "--follow", "--json")
        first = json.loads(follower.stdout.readline())
        self.assertEqual((first["event"], first["seq"]), ("workflow.started", 1))
        gate.write_text("")  # only now can anything more happen
        rest = [json.loads(line) for line in follower.stdout]
        self.assertEqual(follower.wait(timeout=60), 0, follower.stderr.read())
        self.assertEqual(process.wait(timeout=60), 0, process.stderr.read())
        self.assertEqual([e["event"] for e in rest][-1], "workflow.completed")
        whole = project.run("events", "--json")
        self.assertEqual([first, *rest], whole.lines)
        for stream in (follower, process):
            stream.communicate()

    def test_a_second_process_says_what_a_task_waits_for(self):
        project, gate = self.gated(lambda gate: {"with": {"run": f"until test -e {gate}; do sleep 0.05; done"}})
        workflow = json.loads((project.folder / "w.yaml").read_text())
        workflow["tasks"]["b"] = {"agent": "command", "with": {"run": "true"}}
        project.write("w.yaml", dict(workflow, policies={"max-concurrent-tasks": 1}))
        process = project.start("run", "w.yaml", "--json")
        first_event(process, "workflow.started")
        harness.wait_until(lambda: "b (command): IN_PROGRESS – waits: max-concurrent-tasks: 1 of 1 attempts are running in this workflow"
                           in project.run("why").out)
        gate.write_text("")
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)

    def test_a_follower_is_ended_by_ctrl_c_and_the_run_goes_on(self):
        project, gate = self.gated(lambda gate: {"with": {"run": f"until test -e {gate}; do sleep 0.05; done"}})
        process = project.start("run", "w.yaml", "--json")
        first_event(process, "workflow.started")
        follower = project.start("events", "-f")
        self.assertIn("workflow", follower.stdout.readline())
        follower.send_signal(signal.SIGINT)
        follower.communicate(timeout=60)
        self.assertEqual(follower.returncode, 130)
        gate.write_text("")
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)

    def dead_letter(self):
        """A task whose only agent fails once, by a timeout, and is then out for longer than the task waits for it."""
        project, gate = self.gated(lambda gate: {"timeout-minutes": 0.01, "retry": {"max-attempts": 2, "backoff": "1ms"},
                                                 "with": {"run": f"test -e {gate} || sleep 60"}})
        project.write("conductorai.yaml", {"runtime": {"agents-per-type": 1, "breaker-failures": 1, "breaker-open": "1h", "breaker-wait": "200ms"}})
        failed = project.run("run", "w.yaml", "--json")
        self.assertEqual((failed.code, failed.result["status"]), (4, "FAILED"), failed)
        letters = project.run("dlq", "list", "--json").lines
        self.assertEqual([(l["reason"], l["workflow_id"]) for l in letters], [("breaker_open", failed.result["workflow_id"])])
        return project, gate, failed.result["workflow_id"], str(letters[0]["id"])

    def test_a_dead_letter_is_requeued_and_its_task_done(self):
        project, gate, workflow_id, number = self.dead_letter()
        listed = project.run("dlq", "list")
        self.assertRegex(listed.out, f"{number} .*breaker_open .*{workflow_id}")
        requeued = project.run("dlq", "requeue", number)
        self.assertEqual(requeued.code, 0, requeued)
        self.assertIn(f"conductorai resume {workflow_id}", requeued.err)
        self.assertEqual(project.run("dlq", "list").out, "")
        gate.write_text("")
        done = project.run("resume", workflow_id, "--json")
        self.assertEqual((done.code, done.result["status"]), (0, "COMPLETED"), done)

    def test_a_dead_letter_that_cannot_be_requeued_stays(self):
        project, gate, workflow_id, number = self.dead_letter()
        self.assertEqual(project.run("retry", workflow_id).code, 0)  # its task is open again already
        refused = project.run("dlq", "requeue", number)
        self.assertNotEqual(refused.code, 0, refused)
        self.assertIn("error:", refused.err)
        self.assertEqual(len(project.run("dlq", "list", "--json").lines), 1)
        unknown = project.run("dlq", "drop", "12345")
        self.assertEqual(unknown.code, 2, unknown)
        self.assertIn("no such dead letter", unknown.err)

    def test_a_dead_letter_holds_no_secret_of_the_environment(self):
        project = self.project()
        project.write("conductorai.yaml", {"runtime": {"agents-per-type": 1, "breaker-failures": 1, "breaker-open": "1h", "breaker-wait": "200ms"}})
        project.write("w.yaml", dict(command_workflow(a={"agent": "command", "timeout-minutes": 0.01, "retry": {"max-attempts": 2, "backoff": "1ms"},
                                                         "with": {"run": "sleep 60", "env": {"COPY": "${{ env.MY_TOKEN }}"}}}), env=["MY_TOKEN"]))
        failed = project.run("run", "w.yaml", "--json", env={"MY_TOKEN": "correct-horse-battery"})
        self.assertEqual(failed.code, 4, failed)
        letters = project.run("dlq", "list", "--json")
        self.assertEqual(len(letters.lines), 1)
        self.assertNotIn("correct-horse", letters.out + failed.out)
        for file in (project.folder / ".conductorai").rglob("*"):
            if file.is_file():
                self.assertNotIn(b"correct-horse", file.read_bytes(), file)

    def test_a_dead_letter_is_dropped(self):
        project, _, workflow_id, number = self.dead_letter()
        self.assertEqual(project.run("dlq", "drop", number).code, 0)
        self.assertEqual(project.run("dlq", "list", "--json").lines, [])
        self.assertEqual(project.run("status", workflow_id, "--json").result["status"], "FAILED")


class Flow(harness.ProjectTest):
    """DAGs, conditions, foreach, timeouts, retries as DESIGN §6 has them."""

    def finish(self, tasks, **top):
        project = self.project()
        project.write("w.yaml", dict({"name": "flow", "tasks": tasks}, **top))
        return project.run("run", "w.yaml", "--json")

    def test_foreach_runs_an_attempt_an_item(self):
        done = self.finish({"each": {"agent": "command", "foreach": ["x", "y", "z"], "max-parallel": 2,
                                     "with": {"run": "echo got=$ITEM >> $CONDUCTORAI_OUTPUT", "env": {"ITEM": "${{ foreach.item }}"}}},
                            "after": {"agent": "command", "needs": ["each"], "with": {"run": "true"}}})
        self.assertEqual(done.code, 0, done)
        tasks = done.result["tasks"]
        for i in range(3):
            self.assertEqual(tasks[f"each[{i}]"]["status"], "COMPLETED")
        self.assertEqual(tasks["after"]["status"], "COMPLETED")

    def test_a_false_condition_skips_what_needs_it_too(self):
        done = self.finish({"a": {"agent": "command", "if": "inputs.go == 'yes'", "with": {"run": "true"}},
                            "b": {"agent": "command", "needs": ["a"], "with": {"run": "true"}},
                            "c": {"agent": "command", "needs": ["b"], "if": "always()", "with": {"run": "true"}}}, inputs={"go": "no"})
        self.assertEqual(done.code, 0, done)
        self.assertEqual([done.result["tasks"][t]["status"] for t in "abc"], ["SKIPPED", "SKIPPED", "COMPLETED"])

    def test_a_failed_verdict_blocks_what_needs_it_and_siblings_end(self):
        done = self.finish({"a": {"agent": "command", "with": {"run": "exit 7"}},
                            "b": {"agent": "command", "needs": ["a"], "with": {"run": "true"}},
                            "c": {"agent": "command", "with": {"run": "true"}}}, rework={"max-rounds": 1})
        self.assertEqual((done.code, done.result["status"]), (1, "FAILED"), done)
        tasks = done.result["tasks"]
        self.assertEqual((tasks["a"]["verdict"], tasks["b"]["status"], tasks["c"]["status"]), ("failed", "BLOCKED", "COMPLETED"))
        self.assertIn(7, [e.get("value") for e in tasks["a"]["evidence"]])

    def test_continue_on_error_lets_dependents_run(self):
        done = self.finish({"a": {"agent": "command", "continue-on-error": True, "with": {"run": "exit 1"}},
                            "b": {"agent": "command", "needs": ["a"], "with": {"run": "true"}}})
        self.assertEqual((done.code, done.result["tasks"]["b"]["status"]), (0, "COMPLETED"), done)

    def test_outputs_travel_to_dependents(self):
        done = self.finish({"a": {"agent": "command", "with": {"run": "echo n=42 >> $CONDUCTORAI_OUTPUT"}},
                            "b": {"agent": "command", "needs": ["a"], "with": {"run": "test \"$N\" = 42", "env": {"N": "${{ tasks.a.outputs.n }}"}}}})
        self.assertEqual(done.code, 0, done)

    def test_what_a_task_printed_before_its_timeout_is_kept(self):
        project = self.project()
        project.write("w.yaml", command_workflow(a={"agent": "command", "timeout-minutes": 0.1, "retry": {"max-attempts": 1},
                                                    "with": {"run": "echo waiting for godot; echo still >&2; sleep 60"}}))
        done = project.run("run", "w.yaml", "--json")
        self.assertEqual((done.code, done.result["status"]), (1, "FAILED"), done)
        kept = {line["name"]: line["digest"] for line in project.run("artifacts", "list", "--task", "a", "--json").lines}
        self.assertEqual(project.run("artifacts", "cat", kept["command.stdout"]).out, "waiting for godot\n")
        self.assertEqual(project.run("artifacts", "cat", kept["command.stderr"]).out, "still\n")

    def test_a_secret_of_the_environment_is_nowhere_in_the_state(self):
        project = self.project()
        secret = "correct-horse-battery"
        script = ("printenv MY_TOKEN; printenv MY_TOKEN >&2; echo token=$MY_TOKEN > $CONDUCTORAI_OUTPUT; "
                  "head -c 1048570 /dev/zero | tr '\\0' x; printenv MY_TOKEN; echo plain=$PLAIN; exit 3")
        project.write("w.yaml", dict(command_workflow(a={"agent": "command", "with": {"run": script, "env": {"COPY": "${{ env.MY_TOKEN }}"}}}),
                                     env=["MY_TOKEN", "PLAIN"]))
        done = project.run("run", "w.yaml", "--json", env={"MY_TOKEN": secret, "PLAIN": "seen-by-all"})
        self.assertEqual((done.code, done.result["tasks"]["a"]["verdict"]), (1, "failed"), done)
        self.assertNotIn(secret, done.out + done.err)
        for file in (project.folder / ".conductorai").rglob("*"):
            if file.is_file():
                self.assertNotIn(secret.encode(), file.read_bytes(), file)
        kept = {line["name"]: line["digest"] for line in project.run("artifacts", "list", "--json").lines}
        printed = project.run("artifacts", "cat", kept["command.stdout"]).out
        self.assertTrue(printed.startswith("***\nx") and printed.endswith("x***\nplain=seen-by-all\n"), printed[-100:])

    def test_a_task_timeout_is_retried_then_fails(self):
        done = self.finish({"a": {"agent": "command", "timeout-minutes": 0.01, "retry": {"max-attempts": 2, "backoff": "10ms"},
                                  "with": {"run": "sleep 60"}}})
        self.assertEqual((done.code, done.result["status"]), (1, "FAILED"), done)
        self.assertEqual(done.result["tasks"]["a"]["attempts"], 2)

    def test_a_workflow_timeout_ends_it(self):
        done = self.finish({"a": {"agent": "command", "with": {"run": "sleep 60"}}}, timeout="1s")
        self.assertEqual((done.code, done.result["status"]), (1, "FAILED"), done)
        self.assertIn("timeout", (done.result["reason"] + done.err).lower().replace("timed out", "timeout"))
