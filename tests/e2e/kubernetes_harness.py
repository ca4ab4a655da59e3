"""An app whose releases go to the cluster of fake_kubectl.py."""
import json
import os
import pathlib

FAKE = pathlib.Path(__file__).with_name("fake_kubectl.py")


class Cluster:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.file = self.folder / "cluster.json"
        script = self.folder / "kubectl"
        # Its environment is what the driver gives to kubectl, so where the cluster is stands in the script.
        script.write_text(f'#!/bin/sh\nexport FAKE_CLUSTER={self.file}\n'
                          f'env | cut -d= -f1 | sort > {self.folder}/environment\nexec python3 {FAKE} "$@"\n')
        script.chmod(0o755)
        self.environment = {"PATH": f"{self.folder}:{os.environ['PATH']}"}

    def calls(self):
        """All calls so far, and forgets them."""
        path = pathlib.Path(str(self.file) + ".calls")
        if not path.exists():
            return []
        calls = [json.loads(line) for line in path.read_text().splitlines()]
        path.unlink()
        return calls

    def objects(self, space="here/default"):
        return json.loads(self.file.read_text()).get(space, {}) if self.file.exists() else {}

    def change(self, change):
        cluster = json.loads(self.file.read_text()) if self.file.exists() else {}
        change(cluster)
        self.file.write_text(json.dumps(cluster))

    def image(self, name="deployment.apps/shop", space="here/default"):
        return self.objects(space)[name]["object"]["spec"]["template"]["spec"]["containers"][0]["image"]


def deployment(name="shop", image="${IMAGE}", fake="", pods="", **spec):
    """`fake`: what the rollout does; "forbidden": refused when it is applied."""
    return {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "annotations": {"fake": fake}, "labels": {"app": "${APP}", "version": "${VERSION}"}},
            "spec": {"selector": {"matchLabels": {"app": name}}, **spec,
                     "template": {"metadata": {"labels": {"app": name}, "annotations": {"fake": pods}},
                                  "spec": {"containers": [{"name": "main", "image": image, "args": ["--shell=${PORT}"]}]}}}}


def other(kind, name, **more):
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **more}


def text(*objects):
    return "\n---\n".join(json.dumps(object) for object in objects) + "\n"
