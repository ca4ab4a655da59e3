"""Drives the conductorai binary as a user would: real projects in temporary folders, real processes, JSON lines read back."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("CONDUCTORAI_BIN", str(ROOT / "build/dev/conductorai"))
FIXTURES = os.environ.get("CONDUCTORAI_FIXTURES")


class Outcome:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err
        self.lines = []
        for line in out.splitlines():
            if line.startswith("{"):
                self.lines.append(json.loads(line))

    @property
    def result(self):
        results = [line for line in self.lines if line.get("type") == "result"]
        assert results, f"no result line; exit {self.code}\n{self.out[-2000:]}\n{self.err[-2000:]}"
        return results[-1]

    @property
    def events(self):
        return [line for line in self.lines if line.get("type") == "event"]

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out[-3000:]}\nstderr: {self.err[-3000:]}"


def git(folder, *args):
    done = subprocess.run(["git", "-C", str(folder), *args], capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Project:
    """A folder with a workflow file, scripted answers and, where files are given, a git repository."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if isinstance(text, str) else json.dumps(text, indent=1))
        return path

    def repository(self, files):
        for name, text in files.items():
            self.write(name, text)
        git(self.folder, "-c", "init.defaultBranch=main", "init", "-q")
        git(self.folder, "add", "-A")
        git(self.folder, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", "as it was")

    def command(self, *args):
        return [BINARY, *map(str, args)]

    def run(self, *args, env=None, timeout=300, stdin=""):
        done = subprocess.run(self.command(*args), cwd=self.folder, env=environment(env), capture_output=True, text=True,
                              timeout=timeout, input=stdin, errors="replace")
        return Outcome(done.returncode, done.stdout, done.stderr)

    def start(self, *args, env=None):
        return subprocess.Popen(self.command(*args), cwd=self.folder, env=environment(env), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, errors="replace")

    def head_files(self, outcome):
        """Files of the result's branch, by content."""
        commit = outcome.result["workspace"]["commit"]
        names = git(self.folder, "ls-tree", "-r", "--name-only", commit).splitlines()
        return {name: git(self.folder, "show", f"{commit}:{name}") for name in names}


def environment(extra):
    # Only what a user would have; crash and sanitizer settings come by `extra`.
    base = {k: v for k, v in os.environ.items() if not k.startswith("CONDUCTORAI_")}
    base.setdefault("ASAN_OPTIONS", "detect_leaks=0")
    base.update(extra or {})
    return base


class ProjectTest(unittest.TestCase):
    maxDiff = None

    def temporary_folder(self, prefix="conductorai-e2e-"):
        """A fresh one that other users can pass through, removed with the test."""
        folder = tempfile.mkdtemp(prefix=prefix)
        os.chmod(folder, 0o755)
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def project(self):
        return Project(self.temporary_folder())

    def stop_releases(self, project):
        """Of all its apps: what serves, and what is about to."""
        for line in project.run("releases", "list", "--json").lines:
            if line.get("state") in ("serving", "degraded", "candidate"):
                project.run("releases", "stop", line["id"])

    def example(self, name):
        """The example's repository as its author would have it, plus its workflow and answers beside it."""
        project = self.project()
        source = ROOT / "examples" / name
        shutil.copytree(source / "repo", project.folder, dirs_exist_ok=True)
        project.repository({})
        return project, source / "workflow.yaml", source / "answers.yaml"


def normal_form(result):
    """What a disturbed run must have in common with the undisturbed one: no ids, no times."""
    tasks = {}
    for name, task in result["tasks"].items():
        evidence = [(e["kind"], e.get("value"), e.get("passed"), e.get("failed")) for e in task.get("evidence", [])]
        tasks[name] = (task["status"], task["round"], task["attempts"], task["verdict"], evidence)
    return {"status": result["status"], "phase": result["phase"], "rounds": result["rounds"],
            "loops": result["feedback_loops"], "tasks": tasks, "tree": result["workspace"]["tree"]}


def children_of(marker):
    """Living processes whose command line holds `marker`."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if marker in line and state != "Z":
            found.append((int(entry.name), line))
    return found


def wait_until(condition, seconds=30):
    """Polls an outside fact (a process list, a file); fails the test when it never holds."""
    import time
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it never came true: " + (condition.__doc__ or repr(condition)))


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()
