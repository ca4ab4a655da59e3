"""What every driver answers alike: one suite, run with a release by each of them. What is special to one stands in its own test."""
import shutil
import subprocess
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import harness
from kubernetes_harness import Cluster, deployment, text
from releases_harness import ReleaseTest
from test_release_container import ENGINE, SOURCE


class Contract:
    """A driver's class says how a release is made (`deploy`) and what answers its users now (`version`: an id, or None)."""

    ENV = None
    driver = ""

    def call(self, *words):
        return self.app.call(*words, env=self.ENV)[0]

    def states(self):
        return {release["id"]: release["state"] for release in self.app.call("list", env=self.ENV)}

    def good(self, id):
        release = self.deploy(id)
        self.assertEqual((release.id, release.state, release.driver), (id, "serving", self.driver), f"{release}\n{self.app.own_log()}")
        harness.wait_until(lambda: self.version() == id)

    def test_a_release_serves_and_said_again_it_is_the_same(self):
        self.good("a.1")
        first = self.call("get", "a.1")
        self.assertEqual((first.alive, first.alive_known, first.app, first.environment, first.version), (True, True, "demo", "default", "a.1"))
        again = self.deploy("a.1")
        self.assertEqual((again.state, again.created_at, again.changed_at), ("serving", first.created_at, first.changed_at))
        self.assertEqual(self.states(), {"a.1": "serving"})

    def test_a_successor_takes_over_and_the_list_and_the_logs_tell_of_both(self):
        self.good("a.1")
        self.good("a.2")
        harness.wait_until(lambda: not self.call("get", "a.1").alive)  # it may finish what it has begun
        listed = self.app.call("list", env=self.ENV)
        self.assertEqual([(r["id"], r["state"], r["alive"]) for r in listed], [("a.2", "serving", True), ("a.1", "previous", False)])
        self.assertEqual(listed[1]["reason"], "replaced by a.2")
        for id in ("a.1", "a.2"):
            self.assertNotEqual(self.call("logs", id).text, "", id)

    def test_one_that_is_not_healthy_fails_with_a_reason_and_the_old_one_serves_on(self):
        alone = self.deploy("a.0", bad=True)
        self.assertEqual((alone.state, alone.id), ("failed", "a.0"), alone)
        self.good("a.1")
        failed = self.deploy("a.2", bad=True)
        self.assertEqual(failed.state, "failed", failed)
        self.assertRegex(failed.reason, "not healthy|did not complete|within")
        self.assertEqual((self.states(), self.version()), ({"a.0": "failed", "a.1": "serving", "a.2": "failed"}, "a.1"))
        self.assertEqual(self.deploy("a.2", bad=True).changed_at, failed.changed_at, "said again, it is not tried again")
        self.good("a.3")

    def test_a_rejected_one_gives_way_and_without_an_earlier_one_serves_degraded(self):
        self.good("a.1")
        self.assertEqual(self.call("reject", "a.1", "wrong answers").state, "degraded")
        self.assertEqual(self.version(), "a.1")
        self.good("a.2")
        self.assertEqual(self.states(), {"a.1": "stopped", "a.2": "serving"})
        self.good("a.3")
        rejected = self.call("reject", "a.3", "wrong answers")
        self.assertEqual((rejected.state, rejected.reason), ("failed", "wrong answers"))
        self.assertEqual(self.call("reject", "a.3", "once more").reason, "wrong answers")
        harness.wait_until(lambda: self.version() == "a.2")
        self.assertEqual(self.states(), {"a.1": "stopped", "a.2": "serving", "a.3": "failed"})

    def test_a_rollback_goes_back_once_however_often_it_is_said(self):
        self.good("a.1")
        self.assertEqual(self.call("rollback", "a.1").error, "conflict", "there is nothing before it")
        self.good("a.2")
        for _ in range(2):
            back = self.call("rollback", "a.2")
            self.assertEqual((back.id, back.state), ("a.1", "serving"), back)
        harness.wait_until(lambda: self.version() == "a.1")
        self.assertEqual(self.states(), {"a.1": "serving", "a.2": "stopped"})
        self.assertEqual(self.call("rollback", "a.1").error, "conflict")

    def test_a_stopped_one_leaves_nothing_that_answers_and_the_next_can_serve(self):
        self.good("a.1")
        stopped = self.call("stop", "a.1", "enough")
        self.assertEqual((stopped.state, stopped.reason, stopped.alive), ("stopped", "enough", False))
        self.assertEqual(self.call("stop", "a.1", "once more").reason, "enough")
        harness.wait_until(lambda: self.version() is None)
        self.good("a.2")

    def test_the_end_of_its_workflow_stops_a_degraded_one_unless_that_completed(self):
        self.good("a.1")
        self.call("reject", "a.1", "slow")
        self.app.call("ended", "wf-1", "COMPLETED", env=self.ENV)
        self.app.call("ended", "wf-other", "FAILED", env=self.ENV)
        self.assertEqual((self.states(), self.version()), ({"a.1": "degraded"}, "a.1"))
        self.app.call("ended", "wf-1", "FAILED", env=self.ENV)
        harness.wait_until(lambda: self.version() is None)
        ended = self.call("get", "a.1")
        self.assertEqual((ended.state, ended.reason), ("stopped", "its workflow ended FAILED; it was rejected: slow"))

    def test_what_is_not_there_is_told_alike(self):
        self.good("a.1")
        for words in (("get", "b"), ("rollback", "b"), ("stop", "b", ""), ("reject", "b", ""), ("logs", "b")):
            self.assertEqual(self.call(*words).error, "not_found", words)


class Process(Contract, ReleaseTest):
    driver = "process"

    def setUp(self):
        super().setUp()
        self.app = super().app()

    def deploy(self, id, bad=False):
        return self.app.deploy(id, "never-healthy" if bad else "", health={"start_timeout": 2500 if bad else 20000})

    def version(self):
        return self.app.answers()


@unittest.skipIf(ENGINE is None, "neither podman nor docker answers here")
@unittest.skipIf(shutil.which("gcc") is None, "no compiler for the service")
class Container(Contract, ReleaseTest):
    driver = "container"

    def setUp(self):
        super().setUp()
        self.app = super().app()
        subprocess.run(["gcc", "-static", "-O1", "-o", self.app.files / "service", SOURCE], check=True)
        (self.app.files / "Dockerfile").write_text('FROM scratch\nCOPY service /service\nENTRYPOINT ["/service"]\n')

    def deploy(self, id, bad=False):
        return self.app.deploy(id, "never-healthy" if bad else "", driver="container", run="", health={"start_timeout": 3000 if bad else 20000})

    def version(self):
        return self.app.answers()


class Platform(BaseHTTPRequestHandler):
    """Serves what it was told to: /deploy/ID/HEALTH, /stop, /healthz, /."""

    serving, health = None, "good"

    def do_GET(self):
        words = self.path.split("/")[1:]
        status, body = 200, Platform.serving or ""
        if words[0] == "deploy":
            Platform.serving, Platform.health = words[1], words[2]
        elif words[0] == "stop":
            Platform.serving = None
        elif Platform.serving is None or (words[0] == "healthz" and Platform.health != "good"):
            status = 503
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


class Command(Contract, ReleaseTest):
    driver = "command"

    def setUp(self):
        super().setUp()
        self.app = super().app()
        Platform.serving = None
        server = ThreadingHTTPServer(("127.0.0.1", 0), Platform)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"

    def deploy(self, id, bad=False):
        get = 'python3 -c "import sys, urllib.request as r; r.urlopen(sys.argv[1])" ' + self.url
        return self.app.deploy(id, driver="command", run="", health={"start_timeout": 1500},
                               settings={"deploy": f"{get}/deploy/$RELEASE_ID/{'bad' if bad else 'good'}", "stop": get + "/stop", "url": self.url})

    def version(self):
        return Platform.serving


class Kubernetes(Contract, ReleaseTest):
    driver = "kubernetes"

    def setUp(self):
        super().setUp()
        self.app = super().app()
        self.cluster = Cluster(self.temporary_folder())
        self.ENV = self.cluster.environment
        (self.app.files / "k8s").mkdir()

    def deploy(self, id, bad=False):
        (self.app.files / "k8s/app.yaml").write_text(text(deployment(pods="stuck" if bad else "")))
        return self.app.deploy(id, env=self.ENV, driver="kubernetes", run="", variables=None, settings={"image": f"example.org/shop:{id}"},
                               health={"path": "", "start_timeout": 2000})

    def version(self):
        return self.cluster.image().partition(":")[2] if self.cluster.objects() else None


if __name__ == "__main__":
    unittest.main()
