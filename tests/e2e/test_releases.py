"""Releases as their users see them: beside the old one, healthy first, switched without a failed request, alive after the run."""
import json
import os
import socket
import stat
import unittest

import harness
from releases_harness import Hammer, ReleaseTest


class Serving(ReleaseTest):
    def test_a_release_outlives_whoever_deployed_it_and_holds_nothing_of_theirs(self):
        app = self.app()
        self.serving(app, "a/1")
        self.assertEqual(app.ask(), "a/1")
        [supervisor] = app.supervisors()
        self.assertNotEqual(os.getsid(supervisor), os.getsid(0))
        status = dict(line.split(":\t", 1) for line in open(f"/proc/{supervisor}/status").read().splitlines() if ":\t" in line)
        self.assertNotEqual(int(status["PPid"]), os.getpid())
        for fd in os.listdir(f"/proc/{supervisor}/fd"):
            try:
                mode = os.stat(f"/proc/{supervisor}/fd/{fd}").st_mode
            except FileNotFoundError:
                continue
            self.assertFalse(stat.S_ISFIFO(mode) and int(fd) < 4, fd)
        self.assertEqual(open(f"/proc/{supervisor}/stat").read().rsplit(")", 1)[1].split()[4], "0", "it has a terminal")
        release = app.get("a/1")
        self.assertTrue(release.alive)
        self.assertGreater(release.rss_bytes, 1 << 20)
        self.assertEqual([release.pid], app.services())

    def test_the_service_reaches_no_network(self):
        app = self.app()
        with socket.create_server(("127.0.0.1", 0)) as outside:
            self.serving(app, "a/1", variables={"OUTSIDE_PORT": str(outside.getsockname()[1])})
            self.assertEqual(app.ask("/network"), "False")

    def test_the_same_release_deployed_again_is_the_same_release(self):
        app = self.app()
        first = self.serving(app, "a/1")
        services = app.services()
        again = self.serving(app, "a/1")
        self.assertEqual((again.url, again.changed_at, app.services()), (first.url, first.changed_at, services))
        self.assertEqual(len(app.list()), 1)

    def test_a_switch_fails_no_request_of_a_client_that_hammers(self):
        app = self.app()
        self.serving(app, "a/1")
        with Hammer(app.port()) as hammer:
            for n in range(2, 6):
                self.serving(app, f"a/{n}")
                harness.wait_until(lambda: f"a/{n}" in hammer.seen[-50:])
            last = len(hammer.seen)
            harness.wait_until(lambda: len(hammer.seen) > last + 100)
        self.assertEqual(hammer.failures, [])
        self.assertEqual(app.ask(), "a/5")
        self.assertEqual(app.states(), {"a/5": "serving", "a/4": "previous", "a/3": "previous", "a/2": "previous", "a/1": "previous"})
        harness.wait_until(lambda: len(app.services()) == 1)

    def test_a_request_that_is_on_its_way_is_finished_by_the_old_release(self):
        app = self.app()
        self.serving(app, "a/1")
        with socket.create_connection(("127.0.0.1", app.port())) as client:
            client.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            self.serving(app, "a/2")
            self.assertEqual(app.ask(), "a/2")
            self.assertIn(b"200 OK", client.recv(10000))

    def test_a_connection_kept_alive_goes_over_between_two_requests(self):
        app = self.app()
        self.serving(app, "a/1")
        with socket.create_connection(("127.0.0.1", app.port())) as client:
            answers = []
            for n in (1, 2):
                if n == 2:
                    self.serving(app, "a/2")
                    harness.wait_until(lambda: len(app.services()) == 1)
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                answer = b""
                while not answer.endswith(b"a/%d" % n):
                    piece = client.recv(10000)
                    self.assertTrue(piece, answer)
                    answer += piece
                answers.append(answer)
        self.assertEqual(len(answers), 2)

    def test_the_port_asked_for_is_taken_and_the_one_chosen_is_kept(self):
        app = self.app()
        self.serving(app, "a/1")
        chosen = app.port()
        self.serving(app, "a/2")
        self.assertEqual(app.port(), chosen)
        with socket.create_server(("127.0.0.1", 0)) as free:
            asked = free.getsockname()[1]
        self.serving(app, "a/3", port=asked)
        self.assertEqual((app.port(), app.ask()), (asked, "a/3"))

    def test_two_that_deploy_at_once_share_one_supervisor(self):
        app = self.app()
        both = [app.start_deploy(id) for id in ("a/1", "b/1")]
        for process in both:
            out, err = process.communicate(timeout=120)
            self.assertEqual(json.loads(out)["state"], "serving", err)
        self.assertEqual(len(app.supervisors()), 1)
        self.assertEqual(sorted(app.states().values()), ["previous", "serving"])
        harness.wait_until(lambda: len(app.services()) == 1)


class GoingBack(ReleaseTest):
    def test_a_person_goes_back_and_the_newer_one_is_stopped(self):
        app = self.app()
        self.serving(app, "a/1")
        self.serving(app, "a/2")
        with Hammer(app.port()) as hammer:
            back = app.rollback("a/2")
            self.assertEqual((back.id, back.state), ("a/1", "serving"))
            harness.wait_until(lambda: hammer.seen[-1] == "a/1")
        self.assertEqual(hammer.failures, [])
        self.assertEqual(app.states(), {"a/2": "stopped", "a/1": "serving"})
        self.assertEqual(app.rollback("a/2").id, "a/1", "said again, it is done already")
        nothing = app.rollback("a/1")
        self.assertEqual(nothing.error, "conflict")
        self.assertEqual(app.ask(), "a/1")

    def test_a_rejected_release_gives_way_to_the_previous_one(self):
        app = self.app()
        self.serving(app, "a/1")
        self.serving(app, "a/2")
        rejected = app.reject("a/2", "p95 of 900 ms")
        self.assertEqual((rejected.state, rejected.reason), ("failed", "p95 of 900 ms"))
        self.assertEqual((app.ask(), app.states()["a/1"]), ("a/1", "serving"))
        self.assertEqual(app.reject("a/2").state, "failed")

    def test_a_rejected_release_without_a_better_one_serves_degraded_until_its_successor(self):
        app = self.app()
        self.serving(app, "a/1")
        rejected = app.reject("a/1", "wrong answers")
        self.assertEqual((rejected.state, app.ask()), ("degraded", "a/1"))
        self.serving(app, "a/2")
        self.assertEqual(app.states(), {"a/2": "serving", "a/1": "stopped"})
        self.assertEqual(app.rollback("a/2").error, "conflict", "nobody goes back to what was rejected")

    def test_what_a_workflow_that_failed_leaves_is_stopped(self):
        app = self.app()
        self.serving(app, "a/1")
        app.reject("a/1")
        app.call("ended", "wf-1", "COMPLETED")
        self.assertEqual(app.states()["a/1"], "degraded")
        app.call("ended", "wf-1", "FAILED")
        self.assertEqual(app.states()["a/1"], "stopped")
        self.assertIsNone(app.answers())
        harness.wait_until(lambda: not app.supervisors() and not harness.children_of(app.marker))

    def test_a_stopped_app_leaves_no_process(self):
        app = self.app()
        self.serving(app, "a/1")
        self.assertEqual(app.stop("a/1", "for the night").reason, "for the night")
        harness.wait_until(lambda: not app.supervisors() and not harness.children_of(app.marker))
        self.assertEqual(app.stop("a/1").state, "stopped")
        self.serving(app, "a/2")

    def test_a_candidate_can_be_stopped_while_it_starts(self):
        app = self.app()
        self.serving(app, "a/1")
        process = app.start_deploy("a/2", "never-healthy", health={"start_timeout": 100000})
        harness.wait_until(lambda: app.states().get("a/2") == "candidate")
        self.assertEqual(app.stop("a/2").state, "stopped")
        out, _ = process.communicate(timeout=60)
        self.assertEqual(json.loads(out)["state"], "stopped")
        self.assertEqual(app.ask(), "a/1")


class CommandLine(ReleaseTest):
    def test_people_see_and_steer_releases(self):
        app = self.app()
        project = harness.Project(app.folder)
        project.write("w.yaml", {"name": "any", "tasks": {"a": {"agent": "command", "with": {"run": "true"}}}})
        self.assertEqual(project.run("run", "w.yaml").code, 0)  # makes the state directory
        empty = project.run("releases", "list")
        self.assertEqual((empty.code, empty.out), (0, ""), empty)
        self.serving(app, "wf-1/deploy/1")
        self.serving(app, "wf-1/deploy/2")
        listed = project.run("releases", "list")
        for word in ("wf-1/deploy/2", "serving", "previous", app.url()):
            self.assertIn(word, listed.out)
        lines = project.run("releases", "list", "--json").lines
        self.assertEqual([(line["type"], line["state"], line["alive"]) for line in lines], [("release", "serving", True), ("release", "previous", False)])
        self.assertIn("serving", project.run("releases", "show", "deploy/2").out)
        self.assertIn("starting wf-1/deploy/2", project.run("releases", "logs", "deploy/2").out)
        self.assertEqual(project.run("releases", "show", "deploy").code, 2)
        self.assertEqual(project.run("releases", "show", "nothing").code, 2)
        back = project.run("releases", "rollback", "deploy/2")
        self.assertEqual(back.code, 0, back)
        self.assertEqual(app.ask(), "wf-1/deploy/1")
        self.assertEqual(project.run("releases", "rollback", "deploy/1").code, 2)
        self.assertEqual(project.run("releases", "stop", "deploy/1").code, 0)
        self.assertIsNone(app.answers())


class WithoutSandbox(ReleaseTest):
    def test_releases_work_without_isolation_too(self):
        app = self.app()
        self.serving(app, "a/1", limits={"enabled": False})
        with Hammer(app.port()) as hammer:
            self.serving(app, "a/2", limits={"enabled": False})
            harness.wait_until(lambda: hammer.seen[-1] == "a/2")
        self.assertEqual(hammer.failures, [])
        app.kill_supervisor()
        self.serving(app, "a/2", limits={"enabled": False})
        self.assertEqual(app.ask(), "a/2")


@unittest.skipIf(os.geteuid() != 0, "already an ordinary user")
class OrdinaryUser(Serving):
    """The same without root."""
    USER = 65534
