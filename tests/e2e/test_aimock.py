"""The seven agents over HTTP against an LLM service that is not ours, with each protocol; what it was asked is held against the providers' schemas."""
import functools
import importlib.util
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import harness
from aimock import Aimock, needed

EXAMPLE = harness.ROOT / "examples" / "url-shortener"
KEY = "sk-aimock-0123456789-never-to-be-seen"
CODER, REVIEWER, DATA = "You are the programmer of a team", "You review a change", "You make test data"
TESTER, DELIVERY, DOCTOR = "You write automated tests", "You prepare the delivery", "A service was started and watched"
PROTOCOLS = {"chat": ("openai", "gpt-4.1", "/v1/chat/completions", "openai-chat.request"),
             "responses": ("openai", "gpt-4.1", "/v1/responses", "openai-responses.request"),
             "messages": ("anthropic", "claude-sonnet-4-5", "/v1/messages", "anthropic-messages.request")}
NOTHING_WRONG = {"findings": [{"severity": "info", "file": None, "line": None, "message": "Links are kept in memory only."}], "summary": "Small."}
DIAGNOSIS = {"diagnosis": "URLs with a query are refused.", "recommendations": ["Parse URLs with urllib.parse."], "affected_tasks": ["code"],
             "findings": [{"severity": "error", "file": "shortener/links.py", "line": 6, "message": "The pattern refuses a query."}]}


def by_tools(*calls):
    return {"toolCalls": [{"name": name, "arguments": arguments} for name, arguments in calls]}


def writes(files):
    return by_tools(*(("write_file", {"path": path, "content": content}) for path, content in files.items()))


def says(text):
    return {"content": text if isinstance(text, str) else json.dumps(text)}


def fault(status, kind):
    return {"error": {"message": f"made up {status}", "type": kind}, "status": status, "retryAfter": 1}


def blocks(files):
    return "Here it is.\n\n" + "".join(f"```file:{path}\n{content.rstrip()}\n```\n" for path, content in files.items())


def in_turn(system, *responses):
    """What the agent with this prompt is answered, one request after another."""
    return [{"match": {"systemMessage": system, "sequenceIndex": nth}, "response": response} for nth, response in enumerate(responses)]


def coding(files, look):
    """Looks by several calls of one turn, writes, runs, and says that it is done."""
    return look, writes(files), by_tools(("run_command", {"command": "python3 -m compileall -q shortener"})), says("Done.")


@functools.cache
def example():
    """What the example's script answers, by task and round, and the tree it ends with."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="conductorai-e2e-"))
    folder.chmod(0o755)
    try:
        project = harness.Project(folder)
        (folder / ".conductorai").mkdir()
        done = project.run("run", EXAMPLE / "workflow.yaml", "--llm", f"mock:{EXAMPLE / 'answers.yaml'}", "--json")
        assert done.code == 0, done
        for line in project.run("releases", "list", "--json").lines:
            project.run("releases", "stop", line["id"])
        exported = project.run("export", done.result["workflow_id"], "--to", "out")
        assert exported.code == 0, exported
        harness.git(folder, "clone", "-q", "out/branch.bundle", "clone", "-b", done.result["workspace"]["branch"])
        answers, trailer = {}, "%(trailers:key=Conductorai-{},valueonly,separator=)"
        for line in harness.git(folder / "clone", "log", "--reverse", "--format=%H " + trailer.format("Task") + " " + trailer.format("Round")).splitlines():
            commit, *of = line.split()
            if len(of) == 2:
                changed = harness.git(folder / "clone", "diff-tree", "--no-commit-id", "--name-only", "-r", commit).splitlines()
                answers[of[0], int(of[1])] = {name: whole(folder / "clone", commit, name) for name in changed}
        return answers, done.result["workspace"]["tree"]
    finally:
        shutil.rmtree(folder)


def whole(folder, commit, name):
    return subprocess.run(["git", "-C", str(folder), "show", f"{commit}:{name}"], capture_output=True, text=True, check=True).stdout


def seven_agents():
    """The example's answers as a model gives them that works by tools, with a 429 before the first and a 529 in the midst."""
    answers, _ = example()
    look = by_tools(("list_files", {}), ("search", {"pattern": "def "}))
    again = by_tools(("read_file", {"path": "shortener/links.py"}), ("list_files", {}))
    delivery = next(files for (task, _), files in answers.items() if task == "package")
    return [
        *in_turn(CODER, fault(429, "rate_limit_error"), *coding(answers["code", 1], look), *coding(answers["code", 2], again),
                 *coding(answers["code", 3], again)),
        *in_turn(REVIEWER, fault(529, "overloaded_error"), *[says(NOTHING_WRONG)] * 3),
        *in_turn(DATA, says(blocks(answers["test-data", 1]))),
        *in_turn(TESTER, writes(answers["test", 1]), says("The service is driven over HTTP.")),
        *in_turn(DELIVERY, writes(delivery), says("An image and a workflow.")),
        *in_turn(DOCTOR, says(DIAGNOSIS))]


def validator():
    """The strict one that stands beside the schemas."""
    folder = pathlib.Path(harness.FIXTURES) / "api-schemas"
    spec = importlib.util.spec_from_file_location("validate", folder / "validate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class AimockTest(harness.ProjectTest):
    def serve(self, fixtures):
        service = Aimock(fixtures)
        self.addCleanup(service.close)
        return service

    def environment(self, service, protocol, **more):
        return {"CONDUCTORAI_LLM__BASE_URL": service.url + "/v1", "CONDUCTORAI_LLM__API": "responses" if protocol == "responses" else "chat",
                "OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY, **more}

    def assert_asked_by_the_schema(self, service, protocol):
        """Every request, byte for byte as it came; the journal says which there were."""
        _, _, path, schema = PROTOCOLS[protocol]
        journal, wire = service.journal(), service.wire()
        self.assertEqual({entry["path"] for entry in journal}, {path})
        self.assertEqual(sorted(entry["headers"]["x-request-id"] for entry in journal), sorted(wire))
        check = validator()
        strict = check.load(schema)
        for entry in journal:
            line = wire[entry["headers"]["x-request-id"]]
            body = json.loads(line["body"])
            self.assertEqual(check.errors(strict, body), [], line["body"][:2000])
            self.assertIn(KEY, (line["headers"].get("authorization", ""), line["headers"].get("authorization", "").removeprefix("Bearer "),
                                line["headers"].get("x-api-key")))
            if protocol == "chat":  # the one protocol whose requests the journal keeps in their own form
                kept = {key: value for key, value in entry["body"].items() if not key.startswith("_")}
                self.assertEqual(kept, body)
                self.assertEqual(check.errors(strict, kept), [])
        return journal, [json.loads(wire[entry["headers"]["x-request-id"]]["body"]) for entry in journal]

    def assert_no_key(self, project, done):
        self.assertNotIn(KEY, done.out + done.err)
        for file in project.folder.rglob("*"):
            if file.is_file() and not file.is_symlink():
                self.assertNotIn(KEY.encode(), file.read_bytes(), file)


@needed
class SevenAgents(AimockTest):
    def go(self, protocol):
        service = self.serve(seven_agents())
        provider, model, _, _ = PROTOCOLS[protocol]
        project = self.project()
        (project.folder / ".conductorai").mkdir()
        self.addCleanup(self.stop_releases, project)
        done = project.run("run", EXAMPLE / "workflow.yaml", "--llm", provider, "--model", model, "--json", env=self.environment(service, protocol))
        self.assertEqual(done.code, 0, done)
        result = done.result
        self.assertEqual((result["status"], result["rounds"], result["feedback_loops"]), ("COMPLETED", 3, 1), result["reason"])
        self.assertEqual({name: task["status"] for name, task in result["tasks"].items()},
                         dict.fromkeys(("code", "review", "test-data", "test", "package", "deploy", "monitor"), "COMPLETED"))
        self.assertEqual(result["workspace"]["tree"], example()[1])
        journal, bodies = self.assert_asked_by_the_schema(service, protocol)
        self.assertTrue(all(body["stream"] for body in bodies))
        self.assert_failed_and_went_on(journal, result)
        self.assert_tools_were_used(journal)
        self.assert_no_key(project, done)

    def assert_failed_and_went_on(self, journal, result):
        statuses = [entry["response"]["status"] for entry in journal]
        self.assertEqual(sorted(set(statuses)), [200, 429, 529])
        self.assertEqual((statuses.count(429), statuses.count(529), statuses.count(200)), (1, 1, result["usage"]["calls"]))
        self.assertEqual({task["attempts"] for task in result["tasks"].values()}, {1})
        limited = statuses.index(429)
        self.assertGreaterEqual(journal[limited + 1]["timestamp"] - journal[limited]["timestamp"], 1000, "Retry-After: 1")

    def assert_tools_were_used(self, journal):
        """By aimock's own form of the conversations, which is one for all protocols."""
        asked = {prompt: [entry["body"]["messages"] for entry in journal if prompt in entry["body"]["messages"][0]["content"]]
                 for prompt in (CODER, REVIEWER, DATA, TESTER, DELIVERY, DOCTOR)}
        self.assertEqual({prompt: len(calls) for prompt, calls in asked.items()},
                         {CODER: 1 + 3 * 4, REVIEWER: 1 + 3, DATA: 1, TESTER: 2, DELIVERY: 2, DOCTOR: 1})
        last = asked[CODER][-1]
        calls = [call["id"] for message in last for call in message.get("tool_calls") or []]
        self.assertEqual(len(calls), 4)  # two at once, then one after the other
        self.assertEqual([message["tool_call_id"] for message in last if message["role"] == "tool"], calls)
        self.assertIn("exit code 0", last[-1]["content"])

    def test_over_chat_completions(self):
        self.go("chat")

    def test_over_responses(self):
        self.go("responses")

    def test_over_messages(self):
        self.go("messages")


@needed
class OneAgent(AimockTest):
    """What a single agent shows, with every protocol."""

    def prepare(self, protocol, fixtures):
        service = self.serve(fixtures)
        provider, model, _, _ = PROTOCOLS[protocol]
        project = self.project()
        project.repository({"app.py": "def one():\n    return 2\n"})
        project.write("w.yaml", {"name": "one", "requirement": "one() returns 1.", "workspace": {"repo": "."}, "llm": {"provider": provider, "model": model},
                                 "tasks": {"code": {"agent": "coding", "retry": {"max-attempts": 1}}}})
        return service, project

    def go(self, protocol, fixtures, **more):
        service, project = self.prepare(protocol, fixtures)
        return service, project, project.run("run", "w.yaml", "--json", env=self.environment(service, protocol, **more))

    def mends(self):
        patch = "--- a/app.py\n+++ b/app.py\n@@ -1,2 +1,2 @@\n def one():\n-    return 2\n+    return 1\n"
        return in_turn(CODER, fault(529, "overloaded_error"), by_tools(("read_file", {"path": "app.py"}), ("search", {"pattern": "one"})),
                       fault(429, "rate_limit_error"), by_tools(("apply_patch", {"patch": patch})), says("It returns 1 now."))

    def test_answers_may_come_whole(self):
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                service, project, done = self.go(protocol, self.mends(), CONDUCTORAI_LLM__STREAM="false")
                self.assertEqual((done.code, done.result["tasks"]["code"]["attempts"]), (0, 1), done)
                self.assertEqual(project.head_files(done)["app.py"], "def one():\n    return 1")
                journal, bodies = self.assert_asked_by_the_schema(service, protocol)
                self.assertFalse(any(body.get("stream") for body in bodies))
                self.assertEqual([entry["response"]["status"] for entry in journal], [529, 200, 429, 200, 200])
                self.assertEqual(done.result["usage"]["calls"], 3)
                self.assert_no_key(project, done)

    def test_a_service_that_stays_overloaded_ends_the_task_and_nothing_is_charged(self):
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                fixtures = [{"match": {"systemMessage": CODER}, "response": fault(529, "overloaded_error")}]
                service, project, done = self.go(protocol, fixtures)
                self.assertEqual((done.code, done.result["status"], done.result["usage"]["calls"]), (4, "FAILED", 0), done)
                self.assertIn("529", done.result["reason"])
                self.assertEqual(len(service.journal()), 3)  # the first try and two retries
                self.assert_no_key(project, done)

    def test_a_tool_loop_cancelled_in_mid_stream_asks_no_more_and_its_call_is_on_record(self):
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                endless = in_turn(CODER, by_tools(("list_files", {})), says("A long tale. " * 2000), says("Never asked for."))
                endless[1]["latency"] = 100  # between two pieces: minutes for all of it
                service, project = self.prepare(protocol, endless)
                run = project.start("run", "w.yaml", "--json", env=self.environment(service, protocol))
                self.addCleanup(run.stdout.close)
                self.addCleanup(run.stderr.close)
                harness.wait_until(lambda: service.wire_file.exists() and len(service.wire()) == 2)
                self.assertEqual(project.run("cancel").code, 0)
                out, err = run.communicate(timeout=20)
                done = harness.Outcome(run.returncode, out, err)
                self.assertEqual((done.code, done.result["status"]), (1, "CANCELLED"), done)
                usage = project.run("status", "--json").result["usage"]
                self.assertEqual((usage["calls"], usage["unknown_calls"]), (2, 1), usage)
                self.assertEqual(len(service.wire()), 2)
                self.assertEqual(harness.children_of(str(project.folder)), [])
                self.assert_no_key(project, done)

    def test_a_key_that_the_service_quotes_is_not_repeated(self):
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                refusal = {"error": {"message": f"Incorrect API key provided: {KEY}.", "type": "authentication_error"}, "status": 401}
                service, project, done = self.go(protocol, [{"match": {"systemMessage": CODER}, "response": refusal}])
                self.assertNotEqual(done.code, 0, done)
                self.assertEqual(len(service.journal()), 1)
                self.assert_no_key(project, done)


if __name__ == "__main__":
    unittest.main()
