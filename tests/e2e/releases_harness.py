"""One app's releases, driven through the port (release_tool) and looked at through the binary (conductorai releases)."""
import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import urllib.request
import uuid

import harness

TOOL = os.environ.get("CONDUCTORAI_RELEASE_TOOL", str(pathlib.Path(harness.BINARY).parent / "src/infrastructure/releases/release_tool"))
SERVICE = pathlib.Path(__file__).with_name("release_service.py")


class Answer(dict):
    """A release, or {"error", "message"}."""
    __getattr__ = dict.get


class App:
    def __init__(self, folder, user=None):
        self.folder = pathlib.Path(folder)
        self.state = self.folder / ".conductorai"
        self.marker = "release-test-" + uuid.uuid4().hex
        self.user = user
        self.tool = TOOL
        if user is not None:
            self.tool = str(self.folder / "release_tool")
            shutil.copy(TOOL, self.tool)
        self.files = self.folder / "files"
        self.files.mkdir()
        shutil.copy(SERVICE, self.files / "service.py")
        self.state.mkdir(exist_ok=True)
        if user is not None:
            for path in [self.folder, *self.folder.rglob("*")]:
                os.chown(path, user, user)

    def prefix(self):
        if self.user is None:
            return []
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--no-new-privs"]

    def request(self, id, behaviour="", **more):
        given = more.pop("variables", {})  # None: the driver takes none
        variables = {} if given is None else {"VERSION": id, "BEHAVIOUR": behaviour, **given}
        health = {"path": "/healthz", "start_timeout": 20000, "interval": 50, **more.pop("health", {})}
        return {"id": id, "app": "demo", "environment": "default", "driver": "process", "workflow": "wf-1", "version": id,
                "run": f"python3 service.py {self.marker}", "variables": variables, "health": health,
                "with": {"stop-timeout": "2s", "restart-backoff": "50ms", **more.pop("settings", {})}, **more}

    def start(self, call, *arguments, env=None):
        return subprocess.Popen([*self.prefix(), self.tool, str(self.state), call, *arguments], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=harness.environment(env))

    def call(self, call, *arguments, env=None):
        process = self.start(call, *arguments, env=env)
        out, err = process.communicate(timeout=150)
        lines = [Answer(json.loads(line)) for line in out.splitlines()]
        assert lines or call in ("ended", "list"), f"no answer; exit {process.returncode}\n{err[-3000:]}\n{self.own_log()}"
        return lines

    def deploy(self, id, behaviour="", env=None, **more):
        return self.call("deploy", json.dumps(self.request(id, behaviour, **more)), str(self.files), env=env)[0]

    def start_deploy(self, id, behaviour="", env=None, **more):
        return self.start("deploy", json.dumps(self.request(id, behaviour, **more)), str(self.files), env=env)

    def reject(self, id, reason="wrong answers"):
        return self.call("reject", id, reason)[0]

    def rollback(self, id):
        return self.call("rollback", id)[0]

    def stop(self, id, reason="enough"):
        return self.call("stop", id, reason)[0]

    def get(self, id):
        return self.call("get", id)[0]

    def list(self):
        return {release["id"]: release for release in self.call("list")}

    def states(self):
        return {id: release["state"] for id, release in self.list().items()}

    def own_log(self):
        return "".join(path.read_text() for path in self.state.glob("releases/*/supervisor.log"))[-4000:]

    def url(self):
        return f"http://127.0.0.1:{self.port()}"

    def port(self):
        return json.loads(next(self.state.glob("releases/*/state.json")).read_text())["port"]

    def ask(self, path="/", timeout=10):
        with urllib.request.urlopen(self.url() + path, timeout=timeout) as answer:
            return answer.read().decode()

    def answers(self, path="/"):
        try:
            return self.ask(path)
        except OSError:
            return None

    def services(self):
        """Processes of the service itself, by release: the interpreter, not the shell and bubblewrap around it."""
        return [pid for pid, line in harness.children_of(self.marker) if line.startswith("python3")]

    def supervisors(self):
        return [pid for pid, line in harness.children_of(str(self.state)) if "__release-supervisor" in line]

    def kill_supervisor(self):
        [pid] = self.supervisors()
        os.kill(pid, signal.SIGKILL)
        harness.wait_until(lambda: not self.supervisors() and not harness.children_of(self.marker))

    def end(self):
        assert "ERROR" not in self.own_log(), self.own_log()  # what a sanitizer or an assertion would have said
        for pid in self.supervisors():
            os.kill(pid, signal.SIGTERM)
        harness.wait_until(lambda: not self.supervisors() and not harness.children_of(self.marker), 60)


class Hammer:
    """Clients that ask without a pause until told to stop: some on connections kept alive, some on fresh ones. Counts what went wrong."""

    def __init__(self, port, clients=6):
        self.port, self.over, self.failures, self.seen = port, threading.Event(), [], []
        self.pool = concurrent.futures.ThreadPoolExecutor(clients)
        self.clients = [self.pool.submit(self.client, n) for n in range(clients)]

    def client(self, number):
        path = ["/", "/", "/chunked", "/slow"][number % 4]
        connection = None
        while not self.over.is_set():
            try:
                if connection is None or number % 2:
                    if connection is not None:
                        connection.close()
                    connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                connection.request("GET", path)
                answer = connection.getresponse()
                body = answer.read().decode().rstrip("!")
                if answer.status != 200:
                    self.failures.append((number, path, answer.status))
                self.seen.append(body)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append((number, path, repr(error)))
                connection = None

    def __enter__(self):
        harness.wait_until(lambda: len(self.seen) > 20)
        return self

    def __exit__(self, *_):
        self.over.set()
        self.pool.shutdown()


class ReleaseTest(harness.ProjectTest):
    USER = None

    def app(self):
        app = App(self.temporary_folder("conductorai-rel-"), self.USER)
        self.addCleanup(app.end)
        return app

    def serving(self, app, id, behaviour="", **more):
        release = app.deploy(id, behaviour, **more)
        self.assertEqual(release.state, "serving", f"{release}\n{app.own_log()}")
        return release


def crash_points():
    text = (harness.ROOT / "src/base/crash_point.hpp").read_text()
    return re.findall(r'"(release\.[a-z_]+)"', text)
