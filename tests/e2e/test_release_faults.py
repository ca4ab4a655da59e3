"""Bad days of a release: each has a typed outcome, a word to the user, and the old release still serving."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import harness
from releases_harness import Hammer, ReleaseTest, crash_points


class BadCandidates(ReleaseTest):
    def test_one_that_is_not_healthy_fails_and_the_old_one_serves_on(self):
        app = self.app()
        self.serving(app, "a/0")
        bad = {"never-healthy": "answers 503, not 200", "rubbish": "no HTTP", "exit": "exit code 1", "hang": "took longer",
               "wrong-port": "refused"}
        for behaviour, word in bad.items():
            with self.subTest(behaviour):
                release = app.deploy(behaviour, behaviour, health={"start_timeout": 3000, "request_timeout": 1000})
                self.assertEqual(release.state, "failed", release)
                self.assertIn(word, release.reason)
                self.assertEqual(app.ask(), "a/0")
                self.assertEqual(app.deploy(behaviour, behaviour).state, "failed", "said again, it has failed already")
        self.assertIn("I will not", app.get("exit").reason, "its last words are told")
        harness.wait_until(lambda: len(app.services()) == 1)

    def test_one_that_takes_its_port_late_is_waited_for(self):
        app = self.app()
        self.serving(app, "a/1", "late")
        self.serving(app, "a/2", "late", health={"path": ""})
        self.assertEqual(app.ask(), "a/2", "a connection counts only where the service itself takes it")

    def test_requests_without_sense_are_refused_and_leave_nothing(self):
        app = self.app()
        for wrong in ({"run": " "}, {"driver": "magic"}, {"health": {"path": "healthz"}}, {"settings": {"drain": "soon"}},
                      {"health": {"path": "/a\r\nX: y"}}):
            with self.subTest(wrong):
                self.assertEqual(app.deploy("a/1", **wrong).error, "invalid_argument")
        self.assertEqual(app.list(), {})

    def test_a_port_in_use_is_told_before_anything_is_started(self):
        app = self.app()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            refused = app.deploy("a/1", port=taken.getsockname()[1])
        self.assertEqual(refused.error, "unavailable")
        self.assertIn("in use", refused.message)
        self.assertEqual(app.list(), {})

    def test_files_that_do_not_fit_are_told_and_the_old_one_serves_on(self):
        app = self.app()
        self.serving(app, "a/1")
        (app.files / "large").write_bytes(b"x" * (3 << 20))
        refused = app.deploy("a/2", limits={"disk_bytes": 1 << 20})
        self.assertEqual(refused.error, "resource_exhausted")
        self.assertEqual((app.ask(), list(app.list())), ("a/1", ["a/1"]))


@unittest.skipIf(os.geteuid() != 0, "needs root to mount")
class FullDisk(ReleaseTest):
    def test_a_record_that_cannot_be_written_changes_nothing(self):
        app = self.app()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(app.state)], capture_output=True).returncode != 0:
            self.skipTest("mounting is not allowed here")
        self.addCleanup(subprocess.run, ["umount", "-l", str(app.state)])
        self.addCleanup(app.end)
        self.serving(app, "a/1")
        with open(app.state / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass
        refused = app.deploy("a/2")
        self.assertEqual(refused.error, "resource_exhausted", refused)
        self.assertEqual(app.ask(), "a/1")
        (app.state / "filler").unlink()
        self.serving(app, "a/2")


class BadServices(ReleaseTest):
    def test_one_that_dies_is_started_again_and_counted(self):
        app = self.app()
        self.serving(app, "a/1")
        self.assertIsNone(app.answers("/die"))
        harness.wait_until(lambda: app.answers() == "a/1")
        harness.wait_until(lambda: app.get("a/1").restarts == 1)
        self.assertIn("exit code 3", app.get("a/1").reason)

    def test_one_that_dies_again_and_again_gives_way_to_the_previous_one(self):
        app = self.app()
        self.serving(app, "a/1")
        self.serving(app, "a/2", "dies-soon", settings={"restarts": 2})
        harness.wait_until(lambda: app.states()["a/2"] == "failed", 60)
        self.assertIn("exit code 7", app.get("a/2").reason)
        harness.wait_until(lambda: app.answers() == "a/1")
        self.assertEqual(app.states(), {"a/2": "failed", "a/1": "serving"})

    def test_one_that_dies_for_good_leaves_no_supervisor(self):
        app = self.app()
        self.serving(app, "a/1", "dies-soon", settings={"restarts": 1})
        harness.wait_until(lambda: not app.supervisors(), 60)
        self.assertEqual(app.states(), {"a/1": "failed"})
        self.assertFalse(harness.children_of(app.marker))

    def test_one_that_leaks_memory_is_ended_for_it_and_started_again(self):
        app = self.app()
        self.serving(app, "a/1", limits={"memory_bytes": 150 << 20})
        app.ask("/leak")
        harness.wait_until(lambda: app.get("a/1").restarts == 1, 60)
        self.assertIn("memory", app.get("a/1").reason)
        harness.wait_until(lambda: app.answers() == "a/1")

    def test_one_that_floods_its_log_fills_no_disk(self):
        app = self.app()
        self.serving(app, "a/1", settings={"log-bytes": 65536, "log-files": 3})
        for _ in range(3):
            app.ask("/flood", timeout=60)
        harness.wait_until(lambda: app.get("a/1").log_bytes > 10 << 20)
        kept = sum(path.stat().st_size for path in app.state.glob("releases/*/0001/log*"))
        self.assertLessEqual(kept, 3 * 65536)
        self.assertEqual(app.ask(), "a/1")

    def test_one_that_ignores_sigterm_is_ended_all_the_same(self):
        app = self.app()
        self.serving(app, "a/1", "ignores-term", settings={"stop-timeout": "300ms"})
        self.serving(app, "a/2")
        harness.wait_until(lambda: len(app.services()) == 1, 20)
        self.assertEqual(app.ask(), "a/2")


class DeadSupervisors(ReleaseTest):
    def test_its_sandbox_dies_with_it_and_the_list_says_so(self):
        app = self.app()
        self.serving(app, "a/1")
        app.kill_supervisor()
        release = app.get("a/1")
        self.assertEqual((release.state, release.alive), ("serving", False))
        self.assertIn("its supervisor ended", release.reason)
        self.assertFalse(app.supervisors(), "looking starts nothing")

    def test_the_next_deployment_brings_back_what_served(self):
        app = self.app()
        self.serving(app, "a/1")
        port = app.port()
        app.kill_supervisor()
        failed = app.deploy("a/2", "exit")
        self.assertEqual(failed.state, "failed")
        self.assertEqual((app.ask(), app.port()), ("a/1", port))

    def test_going_back_works_after_its_death(self):
        app = self.app()
        self.serving(app, "a/1")
        self.serving(app, "a/2")
        app.kill_supervisor()
        self.assertEqual(app.rollback("a/2").id, "a/1")
        self.assertEqual(app.ask(), "a/1")

    def test_one_that_hangs_is_listed_as_such(self):
        app = self.app()
        self.serving(app, "a/1")
        [supervisor] = app.supervisors()
        os.kill(supervisor, signal.SIGSTOP)
        self.addCleanup(os.kill, supervisor, signal.SIGCONT)
        self.assertIn("does not answer", app.get("a/1").reason)
        os.kill(supervisor, signal.SIGCONT)
        self.assertTrue(app.get("a/1").alive)

    def test_with_the_state_directory_goes_the_service(self):
        app = self.app()
        self.serving(app, "a/1")
        shutil.rmtree(app.state)
        harness.wait_until(lambda: not app.supervisors() and not harness.children_of(app.marker))

    def test_a_hang_up_and_an_interrupt_of_somebody_elses_terminal_end_nothing(self):
        app = self.app()
        self.serving(app, "a/1")
        [supervisor] = app.supervisors()
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
            os.kill(supervisor, number)
        self.assertEqual(app.ask(), "a/1")
        self.assertEqual(app.supervisors(), [supervisor])

    def test_sigterm_ends_all_and_what_served_comes_back(self):
        app = self.app()
        self.serving(app, "a/1")
        app.end()
        self.serving(app, "a/1")
        self.assertEqual(app.ask(), "a/1")


class Crashes(ReleaseTest):
    """kill -9 of the supervisor at every named point of a deployment."""

    def assert_one_serves(self, app, id):
        harness.wait_until(lambda: app.answers() == id)
        states = list(app.states().values())
        self.assertEqual(states.count("serving"), 1, app.list())
        self.assertEqual(app.states()[id], "serving")
        harness.wait_until(lambda: len(app.services()) == 1 and len(app.supervisors()) == 1)

    def test_a_deployment_survives_its_supervisors_death_in_every_state(self):
        self.assertGreaterEqual(len(crash_points()), 5)
        for point in crash_points():
            with self.subTest(point):
                app = self.app()
                self.serving(app, "a/1")
                app.end()
                mark = os.path.join(tempfile.mkdtemp(), "reached")
                # A restored release passes the first four points too: the second hit is the candidate's.
                hit = "" if point == "release.before_start" or point == "release.before_stop" else ":2"
                release = app.deploy("a/2", env={"CONDUCTORAI_CRASH_AT": point + hit, "CONDUCTORAI_CRASH_MARK": mark})
                harness.wait_until(lambda: os.path.exists(mark))
                if release.state != "serving":
                    self.fail(f"{release}\n{app.own_log()}")
                again = app.deploy("a/2")  # before_stop comes after the answer
                self.assertEqual(again.state, "serving", again)
                self.assert_one_serves(app, "a/2")
                self.assertEqual(app.states(), {"a/2": "serving", "a/1": "previous"})

    def test_a_crash_while_nothing_is_asked_leaves_the_old_one_recorded(self):
        for point in ("release.before_start", "release.after_start", "release.before_switch"):
            with self.subTest(point):
                app = self.app()
                self.serving(app, "a/1")
                app.end()
                hit = "" if point == "release.before_start" else ":2"
                failed = app.deploy("a/2", env={"CONDUCTORAI_CRASH_AT": point + hit})  # without a mark: at every try
                self.assertEqual(failed.error, "unavailable", failed)
                self.assertEqual(app.states(), {"a/2": "candidate", "a/1": "serving"})
                harness.wait_until(lambda: not app.supervisors() and not harness.children_of(app.marker))
                app.call("ended", "wf-1", "FAILED")
                self.assertEqual(app.states(), {"a/2": "stopped", "a/1": "serving"})
                self.assert_one_serves(app, "a/1")

    def test_random_kills_of_the_supervisor_end_in_one_serving_release(self):
        app = self.app()
        self.serving(app, "a/0")
        for n in range(1, 7):
            process = app.start_deploy(f"a/{n}")
            for _ in range(2):
                try:
                    process.wait(timeout=0.15 * n)
                    break
                except subprocess.TimeoutExpired:
                    for pid in app.supervisors():
                        os.kill(pid, signal.SIGKILL)
            out, err = process.communicate(timeout=120)
            self.assertEqual(json.loads(out)["state"], "serving", out + err + app.own_log())
            self.serving(app, f"a/{n}")
            self.assert_one_serves(app, f"a/{n}")


class Switching(ReleaseTest):
    def test_a_switch_interrupted_by_a_failing_candidate_costs_no_request(self):
        app = self.app()
        self.serving(app, "a/1")
        with Hammer(app.port()) as hammer:
            for behaviour in ("exit", "rubbish"):
                self.assertEqual(app.deploy(behaviour, behaviour, health={"start_timeout": 2000}).state, "failed")
        self.assertEqual(hammer.failures, [])
        self.assertEqual(set(hammer.seen), {"a/1"})
