"""From tested code to a bundle: what the devops agent makes, refuses and repeats, seen through the binary."""
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import unittest

import harness
from test_release_container import ENGINE

FILES = {
    "shop/__init__.py": "",
    "shop/__main__.py": "import argparse\n\nparser = argparse.ArgumentParser()\nparser.add_argument('--port', type=int)\n",
    "shop/price.py": "def price(n):\n    return n\n",
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1.4.0"\ndependencies = ["flask>=3", "requests==2.32.0"]\n',
    "run.sh": "#!/bin/sh\nexec python3 -m shop\n",
}
DOCKERFILE = "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nCMD [\"python3\", \"-m\", \"shop\", \"--port\", \"8080\"]\n"
CI = "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - run: make test\n"
CODE = {"match": {"agent": "coding"}, "reply": {"files": {"shop/price.py": "def price(n):\n    return 2 * n\n"}}}


def workflow(**devops):
    return {"name": "Shop of things", "requirement": "double the price", "workspace": {"repo": "."},
            "tasks": {"code": {"agent": "coding"}, "package": {"agent": "devops", "needs": ["code"], **devops}}}


def answer(files, **match):
    return {"match": {"agent": "devops", **match}, "reply": {"files": files}}


class Devops(harness.ProjectTest):
    def shop(self, answers, **devops):
        project = self.project()
        for name, text in FILES.items():
            project.write(name, text)
        os.chmod(project.folder / "run.sh", 0o755)
        os.symlink("shop/price.py", project.folder / "current")
        project.repository({})
        project.write("w.yaml", workflow(**devops))
        project.write("answers.yaml", [CODE, *answers])
        return project

    def finish(self, project, **extra):
        return project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json", **extra)

    def artifacts(self, project, done):
        """Of the package task, by name: digest and bytes."""
        found = {}
        for line in project.run("artifacts", "list", done.result["workflow_id"], "--json").lines:
            if line.get("task") != "package":
                continue
            target = os.path.join(tempfile.mkdtemp(), "artifact")
            got = project.run("artifacts", "get", line["digest"], "--output", target)
            self.assertEqual(got.code, 0, got)
            with open(target, "rb") as file:
                found[line["name"]] = (line["digest"], file.read())
        return found

    def bundle_of(self, done):
        return next(e for e in done.result["tasks"]["package"]["evidence"] if e["kind"] == "bundle")["artifact"]

    def test_a_bundle_with_sums_materials_and_provenance(self):
        project = self.shop([answer({"Dockerfile": DOCKERFILE, ".github/workflows/ci.yml": CI})])
        done = self.finish(project)
        self.assertEqual(done.result["status"], "COMPLETED", done)
        task = done.result["tasks"]["package"]
        self.assertEqual([e["kind"] for e in task["evidence"]], ["validation", "exit_code", "bundle"])
        self.assertEqual(task["evidence"][0]["passed"], 2)
        found = self.artifacts(project, done)
        tree = done.result["workspace"]["tree"]
        name = f"shop-of-things-1.4.0-t{tree[:12]}.tar"
        self.assertLessEqual({name, "SHA256SUMS", "sbom.cdx.json", "provenance.json", "validation.json", "answer.json"}, set(found))
        digest, tar = found[name]
        self.assertEqual(digest, self.bundle_of(done))
        self.assertEqual(digest, "sha256:" + hashlib.sha256(tar).hexdigest())

        outputs = [e["payload"] for e in done.events if e["event"] == "task.completed"][-1]["outputs"]
        self.assertEqual(outputs, {"bundle": digest, "bundle-name": name, "version": name[len("shop-of-things-"):-len(".tar")],
                                   "run": "python3 -m shop --port \"$PORT\""})

        # the archive holds the branch's tree, nothing else, and is what tar makes of it
        members = {m.name: m for m in tarfile.open(fileobj=io.BytesIO(tar)).getmembers()}
        self.assertEqual(sorted(members), sorted(harness.git(project.folder, "ls-tree", "-r", "--name-only", tree).splitlines()))
        self.assertEqual({(m.uid, m.gid, m.mtime) for m in members.values()}, {(0, 0, 0)})
        self.assertEqual((members["run.sh"].mode, members["shop/price.py"].mode), (0o755, 0o644))
        self.assertEqual((members["current"].type, members["current"].linkname), (tarfile.SYMTYPE, "shop/price.py"))

        unpacked = tempfile.mkdtemp()
        subprocess.run(["tar", "-x", "-C", unpacked], input=tar, check=True)
        subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "-"], cwd=unpacked, input=found["SHA256SUMS"][1], check=True)

        bom = json.loads(found["sbom.cdx.json"][1])
        self.assertEqual((bom["bomFormat"], bom["specVersion"]), ("CycloneDX", "1.5"))
        libraries = {c["purl"] for c in bom["components"] if c["type"] == "library"}
        self.assertEqual(libraries, {"pkg:pypi/flask", "pkg:pypi/requests@2.32.0"})
        statement = json.loads(found["provenance.json"][1])
        self.assertEqual(statement["subject"], [{"name": name, "digest": {"sha256": digest[len("sha256:"):]}}])
        build = statement["predicate"]["buildDefinition"]
        self.assertEqual(build["externalParameters"]["requirement"]["digest"]["sha256"], hashlib.sha256(b"double the price").hexdigest())
        named = {(m["annotations"]["task"], m["name"]) for m in build["resolvedDependencies"] if "annotations" in m}
        self.assertLessEqual({("code", "prompt.md"), ("code", "diff.patch"), ("package", "answer.json")}, named)
        self.assertIn({"name": "tree that was bundled", "digest": {"gitTree": tree}}, build["resolvedDependencies"])

    def test_the_same_tree_gives_the_same_bundle(self):
        answers = [answer({"Dockerfile": DOCKERFILE})]
        first, second = self.finish(self.shop(answers)), self.finish(self.shop(answers))
        self.assertEqual(first.result["workspace"]["tree"], second.result["workspace"]["tree"])
        self.assertEqual(self.bundle_of(first), self.bundle_of(second))
        other = self.finish(self.shop([answer({"Dockerfile": DOCKERFILE + "USER nobody\n"})]))
        self.assertNotEqual(self.bundle_of(first), self.bundle_of(other))

    def test_a_wrong_file_comes_back_to_its_writer_alone(self):
        project = self.shop([answer({"Dockerfile": "FROM python:3.12\nCPOY . .\n"}, round=1), answer({"Dockerfile": DOCKERFILE}, round=2)])
        done = self.finish(project)
        self.assertEqual(done.result["status"], "COMPLETED", done)
        self.assertEqual((done.result["rounds"], done.result["tasks"]["package"]["round"], done.result["tasks"]["code"]["round"]), (2, 2, 1))
        opened = [e["payload"] for e in done.events if e["event"] == "round.opened"][0]
        finding = opened["feedback"]["findings"][0]
        self.assertEqual((finding["file"], finding["line"]), ("Dockerfile", 2))

    def test_without_writing_files_no_model_is_asked(self):
        project = self.shop([], **{"with": {"write-files": False}})
        done = self.finish(project)
        self.assertEqual(done.result["status"], "COMPLETED", done)
        self.assertEqual(done.result["usage"]["calls"], 1)
        self.assertEqual([e["kind"] for e in done.result["tasks"]["package"]["evidence"]], ["exit_code", "bundle"])

    def test_every_target_that_is_named_must_be_there(self):
        project = self.shop([answer({"Dockerfile": DOCKERFILE})], **{"with": {"targets": ["dockerfile", "kubernetes"]}})
        project.write("w.yaml", dict(workflow(**{"with": {"targets": ["dockerfile", "kubernetes"]}}), rework={"max-rounds": 1}))
        done = self.finish(project)
        self.assertEqual((done.code, done.result["status"]), (1, "FAILED"), done)
        self.assertEqual(done.result["tasks"]["package"]["verdict"], "failed")

    def test_a_link_out_of_the_tree_makes_no_bundle(self):
        project = self.shop([], **{"with": {"write-files": False}})
        os.symlink("/etc/hostname", project.folder / "shop" / "host")
        harness.git(project.folder, "add", "-A", "shop")
        harness.git(project.folder, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", "a link")
        alone = {"package": {"agent": "devops", "with": {"write-files": False}}}
        project.write("w.yaml", dict(workflow(), tasks=alone, rework={"max-rounds": 1}))
        done = self.finish(project)
        self.assertEqual((done.code, done.result["tasks"]["package"]["verdict"]), (1, "failed"), done)
        self.assertEqual(done.result["tasks"]["package"]["evidence"][-1]["kind"], "integrity")

    def test_a_container_engine_builds_where_the_user_says_so(self):
        project = self.shop([answer({"Dockerfile": DOCKERFILE})], **{"with": {"container-build": True}})
        programs = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, programs)
        engine = os.path.join(programs, "podman")  # records what it is asked, and what it was given of the environment
        with open(engine, "w") as file:
            file.write(f"#!/bin/sh\necho \"$1 ${{SECRET_TOKEN:-}}\" >> {programs}/asked\n[ \"$1\" != build ] || test -f \"$3\"\n")
        os.chmod(engine, 0o755)
        os.chmod(programs, 0o755)
        done = self.finish(project, env={"PATH": programs + ":" + os.environ["PATH"], "SECRET_TOKEN": "s3cret"})
        self.assertEqual(done.result["status"], "COMPLETED", done)
        with open(programs + "/asked") as file:
            self.assertEqual(file.read().split("\n"), ["info ", "build ", "rmi ", ""])
        report = json.loads(self.artifacts(project, done)["validation.json"][1])
        self.assertEqual([file["checked"] for file in report["files"]], ["built by podman"])

    @unittest.skipIf(ENGINE is None, "neither podman nor docker answers here")
    def test_the_engine_of_this_machine_finds_what_a_parser_cannot(self):
        dockerfile = "FROM scratch\nCOPY {} /shop\nCMD [\"/shop/run\"]\n"
        project = self.shop([answer({"Dockerfile": dockerfile.format("absent")}, round=1), answer({"Dockerfile": dockerfile.format("shop")})],
                            **{"with": {"container-build": True}})
        done = self.finish(project)
        self.assertEqual((done.result["status"], done.result["rounds"]), ("COMPLETED", 2), done)
        report = json.loads(self.artifacts(project, done)["validation.json"][1])
        self.assertRegex(report["files"][0]["checked"], "^built by (podman|docker)$")
        refused = [line for line in project.run("events", "--json").lines if line["event"] == "round.opened"]
        self.assertIn("absent", json.dumps(refused), "the engine's own words go back with the feedback")

    def test_stock_answers_pass_their_own_checks(self):
        project = self.project()
        targets = ["dockerfile", "ci", "compose", "kubernetes"]
        project.write("w.yaml", {**workflow(**{"with": {"targets": targets}}), "workspace": {}})
        done = project.run("run", "w.yaml", "--llm", "mock", "--json")
        self.assertEqual(done.result["status"], "COMPLETED", done)
        self.assertEqual(done.result["tasks"]["package"]["evidence"][0]["passed"], 4)

    def test_a_kill_inside_changes_nothing_of_the_bundle(self):
        def alone():
            project = self.shop([answer({"Dockerfile": DOCKERFILE})])
            project.write("w.yaml", {**workflow(), "tasks": {"package": {"agent": "devops"}}})
            return project

        reference = self.finish(alone())
        self.assertEqual(reference.result["status"], "COMPLETED", reference)
        for point in ("llm.after_answer", "agent.before_commit", "agent.after_commit"):
            with self.subTest(point):
                project = alone()
                self.assertEqual(self.finish(project, env={"CONDUCTORAI_CRASH_AT": point}).code, -9)
                outcome = project.run("resume", "--json")
                self.assertEqual(outcome.result["status"], "COMPLETED", outcome)
                self.assertEqual(self.bundle_of(outcome), self.bundle_of(reference))
                self.assertEqual(outcome.result["usage"]["calls"] - outcome.result["usage"]["unknown_calls"], 1)
                self.assertEqual(harness.normal_form(outcome.result), harness.normal_form(reference.result))


if __name__ == "__main__":
    harness.unittest.main()
