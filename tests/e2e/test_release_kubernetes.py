"""Releases by kubectl, against a fake one that records what it is told (fake_kubectl.py). Where the real kubectl is installed, that it takes
the same words is looked at too; no real cluster is there."""
import json
import shutil
import subprocess
import tempfile
import unittest

from kubernetes_harness import Cluster, deployment, other, text
from releases_harness import ReleaseTest


class Kubernetes(ReleaseTest):
    def app(self):
        app = super().app()
        app.cluster = Cluster(self.temporary_folder())
        return app

    def deploy(self, app, id, *objects, env=None, yaml=None, **settings):
        folder = app.files / "k8s"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "app.yaml").write_text(yaml if yaml is not None else text(*(objects or [deployment()])))
        settings = {"image": f"registry.example.org/shop:{id}", **settings}
        return app.deploy(id, env={**app.cluster.environment, **(env or {})}, driver="kubernetes", run="", variables=None,
                          settings={k: v for k, v in settings.items() if v is not None}, health={"path": "", "start_timeout": 2000})

    def call(self, app, *words, env=None):
        return app.call(*words, env={**app.cluster.environment, **(env or {})})[0]

    def record(self, app, number, name="manifests.yaml"):
        return (next(app.state.glob("releases/*/state.json")).parent / f"{number:04}" / name).read_text()

    def test_manifests_are_filled_in_applied_and_waited_for(self):
        app = self.app()
        first = self.deploy(app, "a.1", deployment(), other("Service", "shop"), namespace="shop-prod", context="there")
        self.assertEqual((first.state, first.driver), ("serving", "kubernetes"), first)
        self.assertEqual(app.cluster.image(space="there/shop-prod"), "registry.example.org/shop:a.1")
        applied = app.cluster.objects("there/shop-prod")["deployment.apps/shop"]["object"]
        self.assertEqual(applied["metadata"]["labels"], {"app": "demo", "version": "a.1"})
        self.assertEqual(applied["spec"]["template"]["spec"]["containers"][0]["args"], ["--shell=${PORT}"], "not ours to fill in")
        manifests = str(next(app.state.glob("releases/*/0001/manifests.yaml")))
        place = ["--context", "there", "--namespace", "shop-prod"]
        self.assertEqual(app.cluster.calls(), [
            [*place, "get", "--filename", manifests, "--ignore-not-found", "--output", "name"],
            [*place, "apply", "--filename", manifests, "--output", "name"],
            [*place, "rollout", "status", "deployment.apps/shop", "--timeout=2s"]])
        self.assertEqual(app.supervisors(), [])

    def test_a_successor_replaces_it_and_what_only_the_old_one_had_goes(self):
        app = self.app()
        self.deploy(app, "a.1", deployment(), other("Service", "old-name"), other("PersistentVolumeClaim", "data"))
        second = self.deploy(app, "a.2", deployment(), other("Service", "new-name"))
        self.assertEqual((second.state, second.reason), ("serving", None), second)
        self.assertEqual(sorted(app.cluster.objects()), ["deployment.apps/shop", "persistentvolumeclaim/data", "service/new-name"])
        self.assertEqual(app.states(), {"a.1": "previous", "a.2": "serving"})
        self.assertIn("persistentvolumeclaim/data is left", self.record(app, 2, "log"))

    def test_a_rollout_that_does_not_complete_is_undone_and_the_old_one_stays(self):
        app = self.app()
        self.deploy(app, "a.1", deployment(), other("ConfigMap", "settings", data={"of": "a.1"}))
        app.cluster.calls()
        failed = self.deploy(app, "a.2", deployment(pods="stuck"), other("ConfigMap", "settings", data={"of": "a.2"}), other("Service", "extra"))
        self.assertEqual(failed.state, "failed", failed)
        self.assertIn("the rollout of deployment.apps/shop did not complete within 2s: kubectl rollout: error: timed out", failed.reason)
        self.assertIn(["rollout", "undo", "deployment.apps/shop", "--to-revision=1"], app.cluster.calls())
        self.assertEqual(app.cluster.image(), "registry.example.org/shop:a.1")
        self.assertEqual(app.cluster.objects()["configmap/settings"]["object"]["data"], {"of": "a.1"})
        self.assertNotIn("service/extra", app.cluster.objects())
        self.assertEqual(app.states(), {"a.1": "serving", "a.2": "failed"})
        self.assertIn("the service has no database", self.record(app, 2, "log"), "what its containers said is kept for the next round")

    def test_a_first_release_that_fails_leaves_nothing_of_its_own_and_what_was_there(self):
        app = self.app()
        app.cluster.change(lambda cluster: cluster.update({"here/default": {"deployment.apps/shop": {
            "object": deployment(image="by-hand:1"), "replicas": 1,
            "revisions": [{"number": 4, "template": deployment(image="by-hand:1")["spec"]["template"]}]}}}))
        failed = self.deploy(app, "a.1", deployment(pods="stuck"), other("Service", "shop"))
        self.assertEqual(failed.state, "failed", failed)
        self.assertEqual((list(app.cluster.objects()), app.cluster.image()), (["deployment.apps/shop"], "by-hand:1"))

    def test_what_the_cluster_refuses_is_failed_and_taken_back(self):
        app = self.app()
        self.deploy(app, "a.1")
        failed = self.deploy(app, "a.2", other("Service", "extra"), deployment(fake="forbidden"))
        self.assertEqual(failed.state, "failed", failed)
        self.assertIn("violates PodSecurity", failed.reason)
        self.assertEqual(list(app.cluster.objects()), ["deployment.apps/shop"])
        unknown = self.deploy(app, "a.3", other("Gadget", "x"), deployment())
        self.assertIn("no matches for kind", unknown.reason)
        self.assertEqual(app.states(), {"a.1": "serving", "a.2": "failed", "a.3": "failed"})

    def test_what_cannot_be_filled_in_is_failed_before_the_cluster_hears_of_it(self):
        app = self.app()
        service = text(other("Service", "shop"))
        for number, (why, yaml, settings) in enumerate([
                ("k8s/app.yaml:2:7", "a: 1\nkind: [\n", {}),
                ("needs apiVersion and kind", "a: 1\n", {}),
                ("needs a metadata.name", "apiVersion: v1\nkind: Service\nmetadata: { generateName: x- }\n", {}),
                ("no manifest uses the image", text(deployment(image="postgres:16")), {}),
                ("they say 'postgres:16'", text(deployment(image="postgres:16")), {}),
                ("asks for ${IMAGE}", text(deployment()), {"image": None}),
                ("the release is for elsewhere", service.replace('"name"', '"namespace": "here", "name"'),
                 {"namespace": "elsewhere", "image": None}),
                ("two namespaces, 'a' and 'b'", service.replace('"name"', '"namespace": "a", "name"') + "---\n"
                 + service.replace('"name"', '"namespace": "b", "name"'), {"image": None}),
                ("no Kubernetes manifests", "", {"manifests": "ops", "image": None}),
                ("describe no object", "# nothing\n", {"image": None}),
                ("needs spec.replicas", text(deployment()), {"on-stop": "scale"})]):
            with self.subTest(why):
                failed = self.deploy(app, f"a.{number}", yaml=yaml, **settings)
                self.assertEqual(failed.state, "failed", failed)
                self.assertIn(why, failed.reason)
        self.assertEqual(app.cluster.calls(), [])

    def test_links_among_the_files_lead_nowhere(self):
        app = self.app()
        outside = self.temporary_folder()
        with open(outside + "/app.yaml", "w") as file:
            file.write(text(deployment()))
        (app.files / "ops").symlink_to(outside)
        failed = self.deploy(app, "a.1", manifests="ops")
        self.assertIn("no Kubernetes manifests", failed.reason)

    def test_the_image_replaces_the_one_of_the_same_name_where_no_manifest_asks_for_it(self):
        app = self.app()
        yaml = """# the comment stays
apiVersion: apps/v1
kind: Deployment
metadata: { name: shop }
spec:
  template:
    spec:
      containers:
        - { name: "shop", image: "shop:latest" }
        - name: größe
          image: library/shop@sha256:0123
        - name: db
          image: postgres:16  # not ours
"""
        self.deploy(app, "a.1", yaml=yaml)
        rendered = self.record(app, 1)
        self.assertIn('{ name: "shop", image: "registry.example.org/shop:a.1" }', rendered)
        self.assertIn("          image: registry.example.org/shop:a.1\n", rendered)
        self.assertIn("image: postgres:16  # not ours", rendered)

    def test_a_rejected_one_gives_way_and_a_rollback_goes_back(self):
        app = self.app()
        for number in (1, 2, 3):
            self.assertEqual(self.deploy(app, f"a.{number}").state, "serving")
        self.assertEqual(self.call(app, "reject", "a.3", "wrong answers").state, "failed")
        self.assertEqual(app.cluster.image(), "registry.example.org/shop:a.2")
        self.assertEqual(self.call(app, "rollback", "a.2").id, "a.1")
        self.assertEqual(self.call(app, "rollback", "a.2").id, "a.1", "said again, it is done")
        self.assertEqual(app.cluster.image(), "registry.example.org/shop:a.1")
        self.assertEqual(app.states(), {"a.1": "serving", "a.2": "stopped", "a.3": "failed"})

    def test_a_history_that_was_cut_short_is_made_up_for_by_the_manifests(self):
        app = self.app()
        self.deploy(app, "a.1")
        self.deploy(app, "a.2")
        app.cluster.change(lambda cluster: cluster["here/default"]["deployment.apps/shop"]["revisions"].pop(0))
        self.assertEqual(self.call(app, "rollback", "a.2").id, "a.1")
        self.assertEqual(app.cluster.image(), "registry.example.org/shop:a.1")

    def test_stop_deletes_what_was_applied_but_no_data(self):
        app = self.app()
        self.deploy(app, "a.1", deployment(), other("Service", "shop"), other("PersistentVolumeClaim", "data"), other("Namespace", "shop"))
        self.assertEqual(self.call(app, "stop", "a.1", "enough").state, "stopped")
        self.assertEqual(sorted(app.cluster.objects()), ["namespace/shop", "persistentvolumeclaim/data"])

    def test_stop_scales_to_nothing_where_that_is_asked_for(self):
        app = self.app()
        self.deploy(app, "a.1", deployment(replicas=2), **{"on-stop": "scale"})
        self.assertEqual(self.call(app, "stop", "a.1", "enough").state, "stopped")
        self.assertEqual(app.cluster.objects()["deployment.apps/shop"]["replicas"], 0)
        self.assertEqual(self.deploy(app, "a.2", deployment(replicas=2), **{"on-stop": "scale"}).state, "serving")
        self.assertEqual(app.cluster.objects()["deployment.apps/shop"]["replicas"], 2)

    def test_a_move_to_another_namespace_leaves_nothing_in_the_first(self):
        app = self.app()
        self.deploy(app, "a.1", namespace="one")
        self.assertEqual(self.deploy(app, "a.2", namespace="two").state, "serving")
        self.assertEqual((app.cluster.objects("here/one"), list(app.cluster.objects("here/two"))), ({}, ["deployment.apps/shop"]))
        self.assertEqual(self.call(app, "rollback", "a.2").id, "a.1")
        self.assertEqual((list(app.cluster.objects("here/one")), app.cluster.objects("here/two")), (["deployment.apps/shop"], {}))

    def test_a_crash_on_the_way_is_repeated_and_remembers_what_was_there_before(self):
        for point in ("release.before_start", "release.after_start", "release.before_switch"):
            with self.subTest(point):
                app = self.app()
                self.deploy(app, "a.1")
                crashed = {**app.cluster.environment, "CONDUCTORAI_CRASH_AT": point}
                (app.files / "k8s/app.yaml").write_text(text(deployment(), other("Service", "new")))
                process = app.start_deploy("a.2", env=crashed, driver="kubernetes", run="", variables=None, health={"path": ""},
                                           settings={"image": "registry.example.org/shop:a.2"})
                process.communicate(timeout=60)
                self.assertEqual(app.states(), {"a.1": "serving", "a.2": "candidate"})
                self.assertEqual(self.deploy(app, "a.2", deployment(pods="other files, same release")).state, "serving")
                self.assertEqual(json.loads(self.record(app, 2, "kubernetes.json"))["revisions"], {"deployment.apps/shop": "1"})
                self.assertEqual(self.call(app, "rollback", "a.2").id, "a.1")
                self.assertEqual(app.cluster.image(), "registry.example.org/shop:a.1")
                self.assertEqual(list(app.cluster.objects()), ["deployment.apps/shop"])

    def test_a_cluster_that_is_not_reached_is_an_error_of_the_machine_and_can_be_tried_again(self):
        app = self.app()
        app.cluster.change(lambda cluster: cluster.update(down=True))
        refused = self.deploy(app, "a.1")
        self.assertEqual(refused.error, "unavailable", refused)
        self.assertIn("was refused", refused.message)
        self.assertEqual(app.states(), {"a.1": "candidate"})
        app.cluster.change(lambda cluster: cluster.pop("down"))
        self.assertEqual(self.deploy(app, "a.1").state, "serving")
        self.assertIn('context "nowhere" does not exist', self.deploy(app, "a.2", context="nowhere").message)

    def test_whether_it_runs_is_what_its_pods_say(self):
        app = self.app()
        self.deploy(app, "a.1", deployment(), other("Service", "shop"))
        log = self.record(app, 1, "log")
        running = self.call(app, "get", "a.1")
        self.assertEqual((running.alive, running.alive_known, running.reason), (True, True, None), running)
        self.assertEqual(self.record(app, 1, "log"), log, "a question is no event")
        app.cluster.change(lambda cluster: cluster["here/default"]["deployment.apps/shop"].update(replicas=0))
        down = self.call(app, "get", "a.1")
        self.assertEqual((down.alive, down.alive_known, down.reason), (False, True, "no pod of Deployment shop is ready"))
        app.cluster.change(lambda cluster: cluster["here/default"].pop("deployment.apps/shop"))
        self.assertIn("NotFound", self.call(app, "get", "a.1").reason)
        app.cluster.change(lambda cluster: cluster.update(down=True))
        unknown = self.call(app, "get", "a.1")
        self.assertEqual((unknown.alive, unknown.alive_known), (False, False))
        self.assertIn("whether it runs is not known: kubectl reaches no cluster", unknown.reason)

    def test_without_kubectl_that_is_said(self):
        app = self.app()
        with tempfile.TemporaryDirectory() as empty:
            refused = self.deploy(app, "a.1", env={"PATH": empty})
        self.assertEqual(refused.error, "unavailable", refused)
        self.assertIn("kubectl cannot be run: no such program", refused.message)

    def test_kubectl_gets_of_the_environment_what_is_named(self):
        app = self.app()
        self.deploy(app, "a.1", env={"AWS_PROFILE": "shop", "SECRET": "no", "KUBECONFIG": "/nowhere"}, **{"host-env": "AWS_PROFILE"})
        names = (app.cluster.folder / "environment").read_text().split()
        self.assertIn("AWS_PROFILE", names)
        self.assertIn("KUBECONFIG", names)
        self.assertNotIn("SECRET", names)

    def test_settings_that_make_no_sense_are_refused_by_name(self):
        app = self.app()
        for key, value in {"namespace": "Shop!", "image": "shop latest", "context": "--server=x", "manifests": "../k8s", "on-stop": "burn"}.items():
            refused = self.deploy(app, "a.1", **{key: value})
            self.assertEqual(refused.error, "invalid_argument", (key, refused))
            self.assertIn("with." + key, refused.message)
        self.assertEqual(app.states(), {})

    def test_old_releases_go_with_their_folders(self):
        app = self.app()
        for number in range(12):
            self.assertEqual(self.deploy(app, f"a.{number}").state, "serving")
        self.assertEqual(len(app.states()), 10)
        self.assertEqual(len(list(app.state.glob("releases/*/0*"))), 10)


@unittest.skipIf(shutil.which("kubectl") is None, "kubectl is not installed here")
class RealKubectl(unittest.TestCase):
    def test_it_takes_the_words_that_the_fake_takes(self):
        """Without a cluster it gets as far as looking for one: unknown words are refused before that."""
        with tempfile.TemporaryDirectory() as folder:
            manifests = folder + "/manifests.yaml"
            with open(manifests, "w") as file:
                file.write(text(other("Service", "shop")))
            for words in (["get", "--filename", manifests, "--ignore-not-found", "--output", "name"],
                          ["apply", "--filename", manifests, "--output", "name"],
                          ["get", "--filename", manifests, "--no-headers", "--output",
                           "custom-columns=KIND:.kind,NAME:.metadata.name,READY:.status.readyReplicas,NUMBER:.status.numberReady"],
                          ["rollout", "status", "deployment.apps/shop", "--timeout=2s"],
                          ["rollout", "history", "deployment.apps/shop"],
                          ["rollout", "undo", "deployment.apps/shop", "--to-revision=1"],
                          ["logs", "deployment.apps/shop", "--all-containers", "--tail=40"],
                          ["scale", "--replicas=0", "deployment.apps/shop"],
                          ["delete", "--ignore-not-found", "--timeout=2s", "deployment.apps/shop", "service/shop"]):
                with self.subTest(words[0]):
                    done = subprocess.run(["kubectl", "--server", "http://127.0.0.1:9", "--namespace", "x", *words], capture_output=True,
                                          text=True, env={"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": folder})
                    self.assertNotEqual(done.returncode, 0)
                    self.assertRegex(done.stderr, "The connection to the server 127.0.0.1:9 was refused|dial tcp")


if __name__ == "__main__":
    unittest.main()
