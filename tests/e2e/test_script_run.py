"""`script/run` as a person types it: a checkout of their own, an ordinary user, twice in a row while somebody uses the service."""
import os
import re
import shutil
import subprocess
import unittest

import harness
from shortener_client import Hammer, ask

USER = 65534


class ScriptRun(harness.ProjectTest):
    def checkout(self, user):
        """script/ and the example as they are; the build is this test's binary, which ninja finds up to date."""
        project = self.project()
        shutil.copytree(harness.ROOT / "script", project.folder / "script")
        shutil.copytree(harness.ROOT / "examples", project.folder / "examples")
        project.write("build/release/build.ninja", "build conductorai: phony\n")
        shutil.copy(harness.BINARY, project.folder / "build/release/conductorai")
        (project.folder / "home").mkdir()
        for path in [project.folder, *project.folder.rglob("*")]:
            os.chown(path, user, user)
        return project

    def typed(self, project, *command, user, cwd="."):
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user != os.geteuid() else []
        done = subprocess.run([*become, *command], cwd=project.folder / cwd, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
                              env={"HOME": str(project.folder / "home"), "PATH": "/usr/local/bin:/usr/bin:/bin", "ASAN_OPTIONS": "detect_leaks=0"})
        return harness.Outcome(done.returncode, done.stdout, done.stderr)

    def stop_all(self, project, user):
        for line in self.releases(project, user):
            if line["state"] in ("serving", "degraded", "candidate"):
                self.typed(project, "build/release/conductorai", "--state-dir", "build/demo/url-shortener/.conductorai", "releases", "stop", line["id"],
                           user=user)
        harness.wait_until(lambda: not harness.children_of(str(project.folder)), 30)

    def releases(self, project, user):
        # as script/run tells: from the demo's folder
        return self.typed(project, "../../release/conductorai", "releases", "list", "--json", user=user, cwd="build/demo/url-shortener").lines

    def twice(self, user):
        project = self.checkout(user)
        self.addCleanup(self.stop_all, project, user)
        first = self.typed(project, "script/run", user=user)
        self.assertEqual(first.code, 0, first)
        url = re.search(r"^release +serving (http://\S+)$", first.out, re.M)[1]
        self.assertIn("COMPLETED  3 rounds, 1 feedback loop", first.out)
        self.assertIn("The service is still serving", first.out)
        self.assertRegex(first.out, r"(?m)^repaired   in [\d.]+ m?s, ")
        with Hammer(url) as hammer:
            second = self.typed(project, "script/run", user=user)
        self.assertEqual(second.code, 0, second)
        self.assertGreater(hammer.answered, 100)
        self.assertEqual(hammer.failed, [])
        self.assertIn(f"serving {url}\n", second.out)
        serving = [line for line in self.releases(project, user) if line["state"] == "serving"]
        self.assertEqual(len(serving), 1, serving)
        self.assertEqual(ask(url, "GET", "/healthz")[0], 200)
        owners = {os.stat(f"/proc/{pid}").st_uid for pid, _ in harness.children_of(str(project.folder))}
        self.assertEqual(owners, {user})

    def existing_projects(self, user):
        project = self.checkout(user)
        for name, tests in (("fix-a-bug", 7), ("cpp-sanitizer", 5)):
            for run in ("first", "second"):
                with self.subTest(name, run=run):
                    done = self.typed(project, "script/run", f"examples/{name}", "--json", user=user)
                    self.assertEqual((done.code, done.result["status"], done.result["rounds"]), (0, "COMPLETED", 2), done)
                    self.assertIn(tests, [e.get("passed") for e in done.result["tasks"]["test"]["evidence"]])
                    self.assertNotIn("still serving", done.out)
            commits = harness.git(project.folder / "build/demo" / name, "-c", "safe.directory=*", "log", "--format=%s", "main")
            self.assertEqual(commits, "As it was")

    def test_an_example_of_an_existing_project_is_run_in_a_repository_of_its_own(self):
        self.existing_projects(os.geteuid())

    @unittest.skipIf(os.geteuid() != 0, "not root: the other test is the ordinary user's already")
    def test_an_ordinary_user_runs_these_examples_too(self):
        self.existing_projects(USER)

    def test_the_second_run_replaces_the_service_without_a_failed_request(self):
        self.twice(os.geteuid())

    @unittest.skipIf(os.geteuid() != 0, "not root: the other test is the ordinary user's already")
    def test_an_ordinary_user_needs_nothing_else(self):
        self.twice(USER)


if __name__ == "__main__":
    unittest.main()
