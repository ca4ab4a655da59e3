"""A release that is watched: rejected when its probes fail, mended in a feedback round, watched again later."""
import pathlib
import textwrap
import unittest
import urllib.error
import urllib.request

import harness

SERVICE = textwrap.dedent('''
    import http.server, os
    class Service(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/healthz" else STATUS)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")
        def log_message(self, *args): pass
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Service).serve_forever()
''')

WORKFLOW = {
    "name": "watched",
    "requirement": "a service that knows what it has not",
    "toolchain": {"run": "python3 service.py"},
    "tasks": {
        "code": {"agent": "coding"},
        "deploy": {"agent": "deploying", "needs": ["code"], "with": {"driver": "process", "health": "/healthz"}},
        "monitor": {
            "agent": "monitor",
            "needs": ["deploy"],
            "with": {"window": "1s", "probes": [{"get": "/healthz", "status": 200}, {"get": "/missing", "status": 404}]},
        },
    },
}


def coding(round, status):
    return {"match": {"agent": "coding", "round": round}, "reply": {"files": {"service.py": SERVICE.replace("STATUS", str(status))}}}


DIAGNOSIS = {"match": {"agent": "monitor"},
             "reply": {"json": {"diagnosis": "every path is found", "findings": [], "recommendations": ["answer 404"], "affected_tasks": ["code"]}}}


class Watched(harness.ProjectTest):
    def test_failing_probes_lead_back_to_development_and_the_mended_service_goes_on_serving(self):
        project = self.project()
        done = self.mended(project)
        result = done.result
        self.assertEqual((done.code, result["status"], result["feedback_loops"], result["rounds"]), (0, "COMPLETED", 1, 2), done)
        self.assertEqual(result["release"]["state"], "serving")
        kinds = [evidence["kind"] for evidence in result["tasks"]["monitor"]["evidence"]]
        self.assertEqual(kinds, ["probes", "probes", "slo", "process"])
        failed = next(e for e in done.events if e["event"] == "task.completed" and e["payload"].get("verdict") == "failed")
        self.assertIn("expected status 404, got 200", str(failed["payload"]))

        releases = [line["id"] for line in project.run("releases", "list", "--json").lines]
        self.assertEqual(len(releases), 2, releases)
        page = pathlib.Path(project.run("report").out.strip()).read_text()
        shown = page[page.index('<section id="releases">'):].split("</section>")[0]
        for release in releases:
            self.assertIn(release, shown)

        again = project.run("monitor", "watched", "--for", "1s", "--json")
        self.assertEqual(again.code, 0, again)
        self.assertTrue(again.lines[-1]["healthy"])
        self.assertGreater(sum(line["type"] == "sample" for line in again.lines), 10)
        text = project.run("monitor", "--for", "1s")
        self.assertIn("GET /missing", text.out)
        self.assertIn("healthy", text.out)

        self.stop_releases(project)
        gone = project.run("monitor", "watched", "--for", "1s")
        self.assertEqual(gone.code, 2, gone)
        self.assertIn("no release of this app is serving", gone.err)

    def test_a_problem_found_later_is_mended_by_a_round_that_development_begins(self):
        project = self.project()
        breaks = SERVICE.replace("STATUS", "200 if broken else 404").replace("def do_GET(self):", textwrap.indent(textwrap.dedent("""\
            def do_GET(self):
                global broken
                broken = broken or self.path == "/break\""""), "    ").strip()).replace("class Service", "broken = False\nclass Service", 1)
        project.write("workflow.yaml", WORKFLOW)
        project.write("answers.yaml", [{"match": {"agent": "coding"}, "reply": {"files": {"service.py": breaks}}}])
        self.addCleanup(self.stop_releases, project)
        first = project.run("run", "workflow.yaml", "--llm", "mock:answers.yaml", "--json")
        self.assertEqual((first.code, first.result["rounds"]), (0, 1), first)
        url = first.result["release"]["url"]
        with urllib.request.urlopen(url + "/break") as answer:
            self.assertEqual(answer.status, 200)

        found = project.run("monitor", "watched", "--for", "1s")
        self.assertEqual(found.code, 1, found)
        self.assertIn("expected status 404, got 200", found.err)
        project.write("mend.yaml", [{"match": {"agent": "coding", "prompt": "GET /missing: availability 0 %"},
                                     "reply": {"files": {"service.py": SERVICE.replace("STATUS", "404")}}}])
        mended = project.run("monitor", "watched", "--for", "1s", "--feedback", "--llm", "mock:mend.yaml", "--json")
        self.assertEqual(mended.code, 0, mended)
        self.assertEqual([line["type"] for line in mended.lines if line["type"] not in ("sample", "event")], ["monitor", "repair", "result"])
        repair = next(line for line in mended.lines if line["type"] == "repair")
        self.assertGreater(repair["repair_ms"], 1000, "a window of a second is part of it")
        result = mended.result
        self.assertEqual((result["status"], result["release"]["state"], result["release"]["url"]), ("COMPLETED", "serving", url))
        self.assertNotEqual(result["workflow_id"], first.result["workflow_id"])
        with self.assertRaises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(url + "/missing")
        self.assertEqual(answer.exception.code, 404)
        serving = [line["id"] for line in project.run("releases", "list", "--json").lines if line["state"] == "serving"]
        self.assertEqual(serving, [result["release"]["id"]])
        healthy = project.run("monitor", "watched", "--for", "1s", "--feedback")
        self.assertEqual(healthy.code, 0, healthy)
        self.assertEqual(len(project.run("list", "--json").lines), 2, "what is healthy starts nothing")

    def test_killed_around_the_window_and_the_rejection_it_goes_on_as_if_nothing_had_been(self):
        whole = self.project()
        plain = self.mended(whole)
        self.assertEqual(plain.code, 0, plain)
        # What is recorded in order: release, window and rejection of round 1, release and window of round 2.
        for point in ("agent.after_record:2", "agent.after_record:3", "agent.after_record:5", "llm.before_send:2"):
            with self.subTest(point):
                project = self.project()
                killed = self.mended(project, {"CONDUCTORAI_CRASH_AT": point})
                self.assertEqual(killed.code, -9, killed)
                done = project.run("resume", "--json")
                self.assertEqual(harness.normal_form(done.result), harness.normal_form(plain.result))
                self.assertEqual(done.result["release"]["state"], "serving")

    def mended(self, project, env=None):
        project.write("workflow.yaml", WORKFLOW)
        project.write("answers.yaml", [coding(1, 200), DIAGNOSIS, coding(2, 404)])
        self.addCleanup(self.stop_releases, project)
        return project.run("run", "workflow.yaml", "--llm", "mock:answers.yaml", "--json", env=env)

    def test_what_its_probes_read_of_inputs_and_outputs_is_filled_in_later_too(self):
        project = self.project()
        probes = [{"get": "${{ tasks.deploy.outputs.url }}/healthz", "status": "${{ inputs.status }}", "name": "health of ${{ env.PLACE }}"}]
        project.write("w.yaml", {**WORKFLOW, "inputs": {"status": 200}, "env": ["PLACE"], "tasks": {
            **WORKFLOW["tasks"], "monitor": {**WORKFLOW["tasks"]["monitor"], "with": {"window": "1s", "probes": probes}}}})
        project.write("answers.yaml", [coding(1, 200)])
        self.addCleanup(self.stop_releases, project)
        done = project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json", env={"PLACE": "here"})
        self.assertEqual(done.code, 0, done)
        later = project.run("monitor", "watched", "--json", env={"PLACE": "there"})
        self.assertEqual(later.code, 0, later)
        self.assertEqual({line["probe"] for line in later.lines if line["type"] == "sample"}, {"health of there"})

    def test_a_probe_that_cannot_work_is_told_before_anything_runs(self):
        project = self.project()
        wrong = {**WORKFLOW, "tasks": {**WORKFLOW["tasks"], "monitor": {**WORKFLOW["tasks"]["monitor"],
                                                                        "with": {"probes": [{"get": "healthz"}]}}}}
        project.write("workflow.yaml", wrong)
        done = project.run("validate", "workflow.yaml")
        self.assertEqual(done.code, 2, done)
        self.assertIn("with.probes[0].get", done.err)


if __name__ == "__main__":
    unittest.main()
