"""Releases in containers, by a real podman (or docker): images built FROM scratch around one static binary."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

import harness
from releases_harness import Hammer, ReleaseTest

SOURCE = pathlib.Path(__file__).with_name("container_service.c")


def engine_that_answers():
    for name in ("podman", "docker"):
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True).returncode == 0:
            return name
    return None


ENGINE = engine_that_answers()


def engine(*arguments):
    return subprocess.run([ENGINE, *arguments], capture_output=True, text=True, check=True).stdout.split()


@unittest.skipIf(ENGINE is None, "neither podman nor docker answers here")
@unittest.skipIf(shutil.which("gcc") is None, "no compiler for the service")
class Containers(ReleaseTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made = tempfile.TemporaryDirectory()
        cls.binary = pathlib.Path(cls.made.name) / "service"
        subprocess.run(["gcc", "-static", "-O1", "-o", cls.binary, SOURCE], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.made.cleanup()
        super().tearDownClass()

    def app(self, dockerfile='FROM scratch\nCOPY service /service\nENTRYPOINT ["/service"]\n'):
        app = super().app()
        shutil.copy(self.binary, app.files / "service")
        (app.files / "Dockerfile").write_text(dockerfile)
        self.addCleanup(self.leaves_nothing, app)
        return app

    def leaves_nothing(self, app):
        app.end()
        harness.wait_until(lambda: self.containers(app) == [])
        for image in self.images(app):
            subprocess.run([ENGINE, "rmi", "--force", image], capture_output=True)

    def of(self, app, what, *arguments):
        """Those of this app: its files' folder is in their label."""
        found = []
        for id in engine(*arguments):
            labels = json.loads(subprocess.run([ENGINE, what, "inspect", id, "--format", "{{json .Config.Labels}}"],
                                               capture_output=True, text=True).stdout or "{}") or {}
            if labels.get("conductorai.app", "") == self.files_root(app):
                found.append(id)
        return found

    def files_root(self, app):
        text = str(app.state)
        hash = 0xcbf29ce484222325
        for byte in text.encode():
            hash = ((hash ^ byte) * 0x100000001b3) % (1 << 64)
        work = pathlib.Path("/var/lib/conductorai/work") if os.geteuid() == 0 else app.state / "work"
        return str(work / "releases" / f"{hash:016x}" / "demo@default")

    def containers(self, app):
        return self.of(app, "container", "ps", "--all", "--quiet")

    def images(self, app):
        return sorted(set(self.of(app, "image", "images", "--quiet")))

    def deploy(self, app, id, behaviour="", **more):
        return app.deploy(id, behaviour, driver="container", run="", **more)

    def serving_container(self, app, id, behaviour="", **more):
        release = self.deploy(app, id, behaviour, **more)
        self.assertEqual(release.state, "serving", f"{release}\n{app.own_log()}")
        return release

    def test_a_release_serves_switches_under_load_and_goes_back(self):
        app = self.app()
        first = self.serving_container(app, "a.1")
        self.assertEqual((first.driver, app.ask()), ("container", "a.1"))
        self.assertGreater(app.get("a.1").rss_bytes, 0)
        with Hammer(app.port()) as hammer:
            self.serving_container(app, "a.2")
        self.assertEqual(hammer.failures, [])
        self.assertEqual(app.ask(), "a.2")
        harness.wait_until(lambda: len(self.containers(app)) == 1)
        self.assertEqual(app.rollback("a.2").id, "a.1")
        self.assertEqual((app.ask(), app.states()), ("a.1", {"a.1": "serving", "a.2": "stopped"}))

    def test_it_reaches_no_network_writes_no_root_and_has_no_powers(self):
        app = self.app()
        self.serving_container(app, "a.1")
        self.assertEqual((app.ask("/network"), app.ask("/write")), ("none", "refused"))
        [container] = self.containers(app)
        [pid] = engine("inspect", "--format", "{{.State.Pid}}", container)
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        self.assertIn("CapEff:\t0000000000000000", status)
        self.assertIn("NoNewPrivs:\t1", status)

    def test_with_the_network_granted_its_port_is_published_on_loopback(self):
        app = self.app()
        self.serving_container(app, "a.1", limits={"network": "full"})
        self.assertEqual(app.ask(), "a.1")

    def test_what_is_not_healthy_or_ends_or_cannot_be_built_fails_and_the_old_one_serves_on(self):
        app = self.app()
        self.serving_container(app, "good")
        quick = {"start_timeout": 3000}
        self.assertIn("answers 503, not 200", self.deploy(app, "ill", "never-healthy", health=quick).reason)
        ended = self.deploy(app, "gone", "exit", health=quick)
        self.assertEqual(ended.state, "failed", ended)
        self.assertIn("exit code 1", ended.reason)
        self.assertIn("I will not", ended.reason)
        (app.files / "Dockerfile").write_text("FROM scratch\nCOPY nothing-like-it /service\n")
        unbuilt = self.deploy(app, "unbuilt", health=quick)
        self.assertEqual(unbuilt.state, "failed", unbuilt)
        self.assertIn("cannot build its image", unbuilt.reason)
        (app.files / "Dockerfile").write_text('FROM scratch\nCOPY service /service\nENTRYPOINT ["/absent"]\n')
        self.assertEqual(self.deploy(app, "absent", health=quick).state, "failed")
        self.assertEqual(app.ask(), "good")
        harness.wait_until(lambda: len(self.containers(app)) == 1)

    def test_a_death_is_followed_by_a_restart(self):
        app = self.app()
        self.serving_container(app, "a.1")
        app.answers("/die")
        harness.wait_until(lambda: app.get("a.1").restarts == 1 and app.answers() == "a.1")
        self.assertIn("exit code 3", app.get("a.1").reason)

    def test_memory_past_the_limit_is_a_death_with_that_word(self):
        app = self.app()
        self.serving_container(app, "a.1", limits={"memory_bytes": 64 << 20})
        app.answers("/leak")
        harness.wait_until(lambda: app.get("a.1").restarts == 1)
        self.assertRegex(app.get("a.1").reason, "memory limit of 64 MiB|killed by signal 9")

    def test_a_killed_supervisor_takes_its_container_along_and_the_next_brings_it_back(self):
        app = self.app()
        self.serving_container(app, "a.1")
        [supervisor] = app.supervisors()
        os.kill(supervisor, signal.SIGKILL)
        harness.wait_until(lambda: self.containers(app) == [], 60)
        self.serving_container(app, "a.2")
        self.assertEqual(app.states(), {"a.1": "previous", "a.2": "serving"})

    def test_a_container_that_lost_its_guard_too_is_ended_by_the_next_supervisor(self):
        app = self.app()
        self.serving_container(app, "a.1")
        guards = [pid for pid, line in harness.children_of("__release-guard") if self.files_root(app).split("/")[-2] in line]
        for pid in [*guards, *app.supervisors()]:
            os.kill(pid, signal.SIGKILL)
        harness.wait_until(lambda: not app.supervisors())
        self.assertEqual(len(self.containers(app)), 1, "nobody is left that could have ended it")
        self.assertEqual(app.stop("a.1").state, "stopped")
        self.assertEqual(self.containers(app), [])

    def test_one_that_ignores_the_word_to_end_is_ended(self):
        app = self.app()
        self.serving_container(app, "a.1", "ignores-term", settings={"stop-timeout": "1s", "drain": "100ms"})
        self.assertEqual(app.stop("a.1").state, "stopped")
        self.assertEqual(self.containers(app), [])

    def test_what_it_prints_is_kept_without_escapes(self):
        app = self.app()
        self.serving_container(app, "a.1")
        log = next(app.state.glob("releases/*/0001/log")).read_text()
        self.assertIn("starting a.1\n", log)

    def test_images_go_with_the_releases_they_were_built_for(self):
        app = self.app()
        for number in range(12):
            self.serving_container(app, f"a.{number}", settings={"drain": "0ms"})
        names = [line for line in engine("images", "--format", "{{.Repository}}:{{.Tag}}") if self.files_root(app).split("/")[-2] in line]
        self.assertEqual(len(names), 10, names)


class WithoutEngine(ReleaseTest):
    def test_that_no_engine_answers_is_said_with_the_reasons(self):
        app = self.app()
        with tempfile.TemporaryDirectory() as empty:
            refused = app.deploy("a.1", driver="container", run="", env={"PATH": empty})
        self.assertEqual(refused.error, "unavailable", refused)
        self.assertIn("podman: not installed", refused.message)
        self.assertEqual(app.states(), {"a.1": "candidate"}, "it can be deployed again where there is one")


if __name__ == "__main__":
    unittest.main()
