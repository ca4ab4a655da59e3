"""Bad days as the person at `conductorai run` meets them: the reason is told, the release from before serves on, nothing is left behind."""
import textwrap
import unittest
import urllib.request

import harness

SERVICE = textwrap.dedent('''
    import http.server, os, signal, sys, threading, time
    DAY = "BEHAVIOUR"
    hoard = []
    class Service(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if DAY == "hangs" and self.path == "/item": time.sleep(600)
            text = b"rubbish" if DAY == "rubbish" and self.path == "/item" else b"VERSION"
            self.send_response(503 if DAY == "never healthy" else 200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
        def log_message(self, *args): pass
    def leak():
        while True:
            hoard.append(bytearray(2 << 20))
            time.sleep(0.02)
    def flood():
        while True: print("panic: " + "x" * 500, flush=True)
    if DAY == "exits": sys.exit("there is no configuration")
    if DAY == "takes its port late": time.sleep(1.5)
    if DAY == "ignores SIGTERM": signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if DAY == "dies": threading.Timer(1.2, lambda: os._exit(7)).start()
    if DAY == "leaks": threading.Thread(target=leak, daemon=True).start()
    if DAY == "floods": threading.Thread(target=flood, daemon=True).start()
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Service).serve_forever()
''')
WORKFLOW = {
    "name": "days", "requirement": "a service for every day",     "rework": {"max-rounds": 1}, "feedback": {"max-loops": 0},
    "tasks": {
        "code": {"agent": "coding"},
        "deploy": {"agent": "deploying", "needs": ["code"],
                   "with": {"driver": "process", "health": "/healthz", "start-timeout": "4s", "stop-timeout": "500ms"}},
        "monitor": {"agent": "monitor", "needs": ["deploy"], "with": {
            "window": "2s", "logs": ["panic:"], "process": {"max-rss": "100MiB"},
            "probes": [{"get": "/item", "expect": {"status": 200, "body": "^version"}, "timeout": "300ms"}]}},
    },
}
# What it does, the task that says no, and the word by which a person knows it.
REFUSED = {
    "never healthy": ("deploy", "answers 503, not 200"),
    "exits": ("deploy", "there is no configuration"),
    "rubbish": ("monitor", "rubbish"),
    "hangs": ("monitor", "no answer in time"),
    "dies": ("monitor", "restart"),
    "leaks": ("monitor", "memory"),
    "floods": ("monitor", "panic: x"),
}
BORNE = ("takes its port late", "ignores SIGTERM")


class BadDays(harness.ProjectTest):
    def run_with(self, project, behaviour, version):
        service = SERVICE.replace("BEHAVIOUR", behaviour).replace("VERSION", version)
        project.write("answers.yaml", [
            {"match": {"agent": "coding"}, "reply": {"files": {"service.py": service}}},
            {"match": {"agent": "monitor"}, "reply": {"json": {"diagnosis": "as measured", "findings": [], "recommendations": [],
                                                               "affected_tasks": ["code"]}}}])
        return project.run("run", "workflow.yaml", "--llm", "mock:answers.yaml", "--json")

    def says(self, url):
        with urllib.request.urlopen(url + "/item", timeout=10) as answer:
            return answer.read().decode()

    def alive(self, project):
        """How many supervisors and services of this project there are."""
        supervisors = [line for _, line in harness.children_of(str(project.folder)) if "__release-supervisor" in line]
        services = [line for _, line in harness.children_of(project.folder.name) if line.startswith("python3 service.py")]
        return len(supervisors), len(services)

    def stop_all(self, project):
        self.stop_releases(project)
        harness.wait_until(lambda: self.alive(project) == (0, 0))

    def prepared(self):
        project = self.project()
        # the folder's name tells its processes from those of other tests
        project.write("workflow.yaml", {**WORKFLOW, "toolchain": {"run": f"python3 service.py {project.folder.name}"}})
        self.addCleanup(self.stop_all, project)
        first = self.run_with(project, "", "version 1")
        self.assertEqual(first.code, 0, first)
        return project, first.result["release"]["url"]

    def serving(self, project):
        states = [line["state"] for line in project.run("releases", "list", "--json").lines]
        return states.count("serving"), states.count("candidate"), states.count("degraded")

    def test_what_is_refused_is_told_and_the_release_from_before_serves_on(self):
        project, url = self.prepared()
        for behaviour, (task, word) in REFUSED.items():
            with self.subTest(behaviour):
                done = self.run_with(project, behaviour, "version 2")
                self.assertEqual((done.code, done.result["status"]), (1, "FAILED"), done)
                self.assertEqual(done.result["tasks"][task]["verdict"], "failed", done)
                judged = next(e["payload"] for e in done.events if e["event"] == "task.completed" and e["payload"]["id"]["task"] == task)
                self.assertIn(word, str(judged.get("summary")) + str(judged.get("feedback")), "the word that a person reads")
                self.assertTrue(done.result["reason"])
                harness.wait_until(lambda: self.says(url) == "version 1")
                self.assertEqual(self.serving(project), (1, 0, 0))
                harness.wait_until(lambda: self.alive(project) == (1, 1))

    def test_what_is_only_slow_or_stubborn_is_released_and_replaced(self):
        project, url = self.prepared()
        for number, behaviour in enumerate((*BORNE, ""), 2):
            with self.subTest(behaviour):
                done = self.run_with(project, behaviour, f"version {number}")
                self.assertEqual(done.code, 0, done)
                self.assertEqual((done.result["release"]["url"], self.says(url)), (url, f"version {number}"))
                self.assertEqual(self.serving(project), (1, 0, 0))
                harness.wait_until(lambda: self.alive(project) == (1, 1))


if __name__ == "__main__":
    unittest.main()
