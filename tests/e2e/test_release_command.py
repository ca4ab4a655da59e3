"""Releases by the user's own commands: the platform is a folder here, that the commands write what they were told to."""
import json
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import harness
from releases_harness import ReleaseTest


class Platform(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):
        self.send_response(Platform.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Commands(ReleaseTest):
    def setUp(self):
        super().setUp()
        Platform.status = 200
        server = ThreadingHTTPServer(("127.0.0.1", 0), Platform)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"

    def deploy(self, app, id, env=None, **settings):
        given = {"deploy": 'echo "deploy $RELEASE_ID after [$PREVIOUS_RELEASE_ID] of $RELEASE_APP in $RELEASE_ENVIRONMENT as $RELEASE_VERSION"',
                 "rollback": 'echo "rollback $RELEASE_ID to [$PREVIOUS_RELEASE_ID]"', "stop": 'echo "stop $RELEASE_ID"', **settings}
        return app.deploy(id, env=env, driver="command", run="", settings={k: v for k, v in given.items() if v is not None},
                          health={"start_timeout": 1500})

    def log(self, app, number):
        return (next(app.state.glob("releases/*/state.json")).parent / f"{number:04}" / "log").read_text()

    def test_the_exit_code_is_the_verdict_and_no_supervisor_stays(self):
        app = self.app()
        first = self.deploy(app, "a.1", deploy='test -f service.py && echo "url=%s" > "$CONDUCTORAI_OUTPUT"' % self.url)
        self.assertEqual((first.state, first.url, first.driver), ("serving", self.url, "command"), first)
        second = self.deploy(app, "a.2")
        self.assertEqual(second.state, "serving", second)
        self.assertIn("deploy a.2 after [a.1] of demo in default as a.2", self.log(app, 2))
        self.assertEqual(app.states(), {"a.1": "previous", "a.2": "serving"})
        self.assertEqual(app.supervisors(), [])

    def test_a_command_that_fails_is_rolled_back_and_the_previous_serves_in_the_books(self):
        app = self.app()
        self.deploy(app, "a.1")
        failed = self.deploy(app, "a.2", deploy="echo no room >&2; exit 7")
        self.assertEqual(failed.state, "failed")
        self.assertIn("exit code 7", failed.reason)
        self.assertIn("no room", failed.reason)
        self.assertIn("rollback a.2 to [a.1]", self.log(app, 2))
        self.assertEqual(app.states(), {"a.1": "serving", "a.2": "failed"})

    def test_what_answers_wrongly_at_its_address_is_failed(self):
        app = self.app()
        Platform.status = 503
        failed = self.deploy(app, "a.1", url=self.url)
        self.assertEqual(failed.state, "failed")
        self.assertIn("503", failed.reason)

    def test_a_rejected_one_goes_back_and_without_an_earlier_one_is_degraded(self):
        app = self.app()
        self.deploy(app, "a.1")
        self.assertEqual(app.reject("a.1").state, "degraded")
        self.assertEqual(self.deploy(app, "a.2").state, "serving")
        self.assertEqual(self.deploy(app, "a.3").state, "serving")
        self.assertEqual(app.reject("a.3").state, "failed")
        self.assertEqual(app.states(), {"a.1": "stopped", "a.2": "serving", "a.3": "failed"})
        self.assertIn("rollback a.3 to [a.2]", self.log(app, 3))

    def test_without_a_rollback_command_the_earlier_release_is_deployed_again(self):
        app = self.app()
        self.deploy(app, "a.1", rollback=None)
        self.deploy(app, "a.2", rollback=None)
        self.assertEqual(app.rollback("a.2").id, "a.1")
        self.assertEqual(app.rollback("a.2").id, "a.1", "said again, it is done")
        self.assertIn("deploy a.1 after [a.2]", self.log(app, 1))
        self.assertEqual(app.states(), {"a.1": "serving", "a.2": "stopped"})

    def test_stop_runs_its_command_and_without_one_says_so(self):
        app = self.app()
        self.deploy(app, "a.1", stop=None)
        self.assertEqual(app.stop("a.1").error, "conflict")
        self.deploy(app, "a.2")
        self.assertEqual(app.stop("a.2").state, "stopped")
        self.assertIn("stop a.2", self.log(app, 2))

    def test_a_crash_on_the_way_is_repeated_under_the_same_id(self):
        for point in ("release.before_start", "release.after_start", "release.before_switch"):
            with self.subTest(point):
                app = self.app()
                self.deploy(app, "a.1")
                process = app.start("deploy", json.dumps(app.request("a.2", driver="command", run="", settings={"deploy": "echo again"})),
                                    str(app.files), env={"CONDUCTORAI_CRASH_AT": point})
                process.communicate(timeout=60)
                self.assertEqual(app.states(), {"a.1": "serving", "a.2": "candidate"})
                self.assertEqual(self.deploy(app, "a.2").state, "serving")

    def test_an_app_has_one_driver_at_a_time(self):
        app = self.app()
        self.serving(app, "p.1")
        refused = self.deploy(app, "a.1")
        self.assertIn(refused.error, ("conflict", "unavailable"))
        app.stop("p.1")
        self.assertEqual(self.deploy(app, "a.2").state, "serving")
        self.assertEqual(app.deploy("p.2").error, "conflict")

    def test_credentials_are_the_callers_and_in_no_record(self):
        app = self.app()
        self.deploy(app, "a.1", env={"MY_TOKEN": "open-sesame"}, deploy='test "${#MY_TOKEN}" = 11', **{"host-env": "MY_TOKEN"})
        self.assertEqual(app.states(), {"a.1": "serving"})
        self.assertNotIn("open-sesame", next(app.state.glob("releases/*/state.json")).read_text())

    def test_whether_it_runs_is_asked_of_its_status_command(self):
        app = self.app()
        self.deploy(app, "a.1", status='test -f service.py && echo "$RELEASE_ID is what?" && exit $CODE', **{"host-env": "CODE"})
        for code, alive, known in (("0", True, True), ("1", False, True), ("3", False, True), ("4", False, False), ("127", False, False)):
            release = app.call("get", "a.1", env={"CODE": code})[0]
            self.assertEqual((release.alive, release.alive_known, release.restarts), (alive, known, -1), (code, release))
            if code != "0":
                self.assertIn(f"the status command: exit code {code}: a.1 is what?", release.reason)
        self.assertNotIn("is what?", self.log(app, 1), "a question is no event")

    def test_without_a_status_command_its_address_is_asked_and_without_one_nothing_is_claimed(self):
        app = self.app()
        self.deploy(app, "a.1", url=self.url)
        self.assertEqual((app.get("a.1").alive, app.get("a.1").alive_known), (True, True))
        Platform.status = 503
        down = app.get("a.1")
        self.assertEqual((down.alive, down.alive_known), (False, True))
        self.assertIn("got 503", down.reason)
        self.deploy(app, "a.2")
        told = app.get("a.2")
        self.assertEqual((told.alive, told.alive_known, told.reason), (False, False, "whether it runs is not known"))
        self.assertEqual((app.get("a.1").alive, app.get("a.1").alive_known), (False, True), "what gave way is not asked")
        project = harness.Project(app.folder)
        project.write("w.yaml", {"name": "any", "tasks": {"a": {"agent": "command", "with": {"run": "true"}}}})
        self.assertEqual(project.run("run", "w.yaml").code, 0)  # completes the state directory
        [line, _] = project.run("releases", "list", "--json").lines
        self.assertEqual((line["alive"], line["pid"], line["restarts"]), (None, None, None))
        self.assertNotIn("not running", project.run("releases", "show", "a.2").out)

    def test_a_status_command_that_hangs_is_not_waited_for(self):
        app = self.app()
        self.deploy(app, "a.1", status="sleep 600")
        told = app.get("a.1")
        self.assertEqual((told.alive_known, "took longer than" in told.reason), (False, True), told)

    def test_a_deploy_command_is_needed(self):
        self.assertEqual(self.deploy(self.app(), "a.1", deploy=None).error, "invalid_argument")


if __name__ == "__main__":
    unittest.main()
