"""Calls that can wait go in batches: one for all items of a foreach, bought once whatever dies meanwhile, each call's outcome its own."""
import json
import signal
import subprocess
import sys

import harness
from batch_server import BatchService

PROVIDERS = {"openai": "/v1/batches", "anthropic": "/v1/messages/batches"}
SCHEMAS = {"openai": "openai-chat.request", "anthropic": "anthropic-messages.request"}
KEY = "sk-batch-0123456789abcdef"
WORKFLOW = """
name: many
requirement: Many text files.
workspace: { repo: . }
toolchain: { build: "true" }
llm: { provider: PROVIDER, model: house-model, batch: true, tools: "off", retries: 1 }
policies: { max-concurrent-tasks: 30, max-concurrent-per-agent: 30 }
tasks:
  fan: { agent: coding, foreach: [ITEMS], retry: { max-attempts: 1 } }
"""
CONFIG = """
llm: { base-url: "URL", batch-window: WINDOW, batch-poll: 50ms, batch-poll-max: 200ms }
runtime: { agent-capacity: 30 }
"""


class Batches(harness.ProjectTest):
    def prepare(self, provider, items, window="2s", api="chat", **options):
        self.provider, self.service = provider, BatchService(**options)
        self.addCleanup(self.service.close)
        project = self.project()
        project.repository({"README.md": "a project\n"})
        numbers = ", ".join(str(number) for number in range(items))
        project.write("workflow.yaml", WORKFLOW.replace("PROVIDER", provider).replace("ITEMS", numbers))
        project.write("conductorai.yaml", CONFIG.replace("URL", self.service.url).replace("WINDOW", window).replace("llm: {", f"llm: {{ api: {api},"))
        self.env = {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}
        return project

    def run_it(self, project, *more):
        return project.run("run", "workflow.yaml", "--sandbox", "none", "--json", *more, env=self.env)

    def start(self, project):
        return subprocess.Popen(project.command("run", "workflow.yaml", "--sandbox", "none", "--json"), cwd=project.folder,
                                env=harness.environment(self.env), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def resume(self, project):
        return project.run("resume", "--json", env=self.env)

    def submissions(self):
        return len(self.service.asked("POST", PROVIDERS[self.provider]))

    def looks(self):
        return len(self.service.asked("GET", PROVIDERS[self.provider] + r"/batch_\d+"))

    def assert_all_came(self, project, done, items, unknown=0):
        self.assertEqual((done.code, done.result["status"]), (0, "COMPLETED"), done)
        written = [name for name in project.head_files(done) if name.endswith(".txt")]
        self.assertEqual(len(written), items)
        usage = done.result["usage"]
        self.assertEqual((usage["calls"], usage["unknown_calls"]), (items + unknown, unknown))
        self.assertEqual(usage["output_tokens"] >= 20 * items, True)
        self.assertNotIn(KEY, done.out + done.err)

    def test_twenty_items_are_one_batch(self):
        for provider, api in (("openai", "chat"), ("openai", "responses"), ("anthropic", "chat")):
            with self.subTest(provider, api=api):
                project = self.prepare(provider, 20, ends_at_once=True, api=api)
                self.assert_all_came(project, self.run_it(project), 20)
                self.assertEqual(self.submissions(), 1)
                batch, = self.service.batches.values()
                self.assertEqual(len(batch["calls"]), 20)
                self.assertEqual(self.service.files, {}, "what was sent for it is not left with the provider")
                self.assert_requests_are_valid(batch, "openai-responses.request" if api == "responses" else SCHEMAS[provider])

    def test_calls_in_batches_cost_half(self):
        for provider, model, cost in (("openai", "gpt-4.1", 0.00018), ("anthropic", "claude-haiku-4-5", 0.0001)):
            with self.subTest(provider):
                project = self.prepare(provider, 2, ends_at_once=True)
                project.write("prices.yaml", "models:\n  gpt-4.1: { input: 2, output: 8, batch: 0.5 }\n"
                                             "  claude-haiku-4-5: { input: 1, output: 5, batch: 0.5 }\n")
                project.write("conductorai.yaml", (project.folder / "conductorai.yaml").read_text().replace("llm: {", "llm: { prices: prices.yaml,"))
                done = self.run_it(project, "--model", model)
                self.assert_all_came(project, done, 2)
                self.assertAlmostEqual(done.result["usage"]["usd"], 2 * cost, places=6)

    def assert_requests_are_valid(self, batch, schema):
        if harness.FIXTURES is None:
            return
        for _, body in batch["calls"]:
            self.assertNotIn("stream", body)
            checked = subprocess.run([sys.executable, harness.FIXTURES + "/api-schemas/validate.py", schema],
                                     input=json.dumps(body), text=True, capture_output=True)
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_killed_while_its_batch_is_pending_it_goes_on_waiting_for_the_same(self):
        for provider in PROVIDERS:
            with self.subTest(provider):
                project = self.prepare(provider, 5)
                process = self.start(project)
                harness.wait_until(lambda: self.looks() > 1)
                harness.kill(process)
                self.service.end()
                self.assert_all_came(project, self.resume(project), 5)
                self.assertEqual((self.submissions(), len(self.service.batches)), (1, 1))

    def test_interrupted_it_leaves_its_batch_and_goes_on_later(self):
        for provider in PROVIDERS:
            with self.subTest(provider):
                project = self.prepare(provider, 3)
                process = self.start(project)
                harness.wait_until(lambda: self.looks() > 1)
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(timeout=60), 130)
                self.assertEqual(self.service.asked("POST", ".*/cancel"), [])
                self.service.end()
                self.assert_all_came(project, self.resume(project), 3)
                self.assertEqual(self.submissions(), 1)

    def killed_before_it_learns_the_id(self, provider):
        project = self.prepare(provider, 3)
        self.service.page = 1  # the list is read to its end
        process = self.start(project)

        def die():
            self.service.before_reply = lambda: None
            harness.kill(process)
        self.service.before_reply = die
        harness.wait_until(lambda: self.submissions() == 1)
        process.wait(timeout=60)
        self.service.end()
        self.service.first_state = "ended"
        with self.service.lock:  # somebody else's, newer, without and with a name
            if provider == "openai":
                for name in ({}, {"conductorai": "another"}):
                    self.service.make([], metadata=name)
        return project

    def test_killed_before_it_learns_its_id_a_batch_is_found_by_its_name(self):
        project = self.killed_before_it_learns_the_id("openai")
        self.assert_all_came(project, self.resume(project), 3)
        self.assertEqual(self.submissions(), 1)

    def test_where_batches_have_no_names_such_calls_count_as_unknown(self):
        project = self.killed_before_it_learns_the_id("anthropic")
        self.assert_all_came(project, self.resume(project), 3, unknown=3)
        self.assertEqual(self.submissions(), 2)

    def test_each_line_is_an_outcome_of_its_own(self):
        for provider in PROVIDERS:
            with self.subTest(provider):
                project = self.prepare(provider, 5, ends_at_once=True)
                first = ["ok", 400, 529, "expired", "missing"]
                self.service.lines = lambda number, custom_id: first[number] if len(self.service.batches) == 1 else "ok"
                done = self.run_it(project)
                self.assertEqual(done.code, 1, done)
                failed = [name for name, task in done.result["tasks"].items() if task["status"] == "FAILED" and "[" in name]
                self.assertEqual(len(failed), 1, done.result["tasks"])
                self.assertIn("made up 400", done.out)
                # 529 and expired cost nothing, the line that never came is charged: three ask again in a second batch.
                self.assertEqual((self.submissions(), done.result["usage"]["unknown_calls"], done.result["usage"]["calls"]), (2, 1, 5))

    def test_a_batch_that_is_refused_fails_as_a_call_does(self):
        for provider in PROVIDERS:
            for statuses, submissions, code in (([401], 0, 1), ([429], 1, 0)):
                with self.subTest(provider, statuses=statuses):
                    project = self.prepare(provider, 1, window="100ms", ends_at_once=True)
                    self.service.refuse = list(statuses)
                    done = self.run_it(project)
                    self.assertEqual((done.code, done.result["usage"]["unknown_calls"], len(self.service.batches)), (code, 0, submissions), done)

    def test_a_batch_that_is_refused_after_it_was_taken_fails_and_leaves_no_file(self):
        project = self.prepare("openai", 2)
        self.service.first_state = "failed"
        done = self.run_it(project)
        self.assertEqual((done.code, done.result["usage"]["calls"], self.service.files), (1, 0, {}), done)

    def test_a_key_that_is_taken_no_more_leaves_the_batch_waiting(self):
        for provider in PROVIDERS:
            with self.subTest(provider):
                project = self.prepare(provider, 2)
                self.service.refuse_looks = 401
                done = self.run_it(project)
                self.assertEqual((done.code, done.result["status"]), (3, "PAUSED"), done)
                self.assertIn("a batch cannot be looked at", done.result["reason"])
                self.service.refuse_looks = None
                self.service.end()
                self.assert_all_came(project, self.resume(project), 2)
                self.assertEqual(self.submissions(), 1)

    def test_cancelled_with_its_workflow_a_batch_is_cancelled_at_the_provider(self):
        for provider in PROVIDERS:
            with self.subTest(provider):
                project = self.prepare(provider, 3)
                process = self.start(project)
                harness.wait_until(lambda: self.looks() > 1)
                workflow, = [line["workflow_id"] for line in project.run("list", "--json").lines if line.get("workflow_id")]
                project.run("cancel", workflow)
                self.assertEqual(process.wait(timeout=60), 1)
                self.assertEqual(len(self.service.asked("POST", ".*/batch_1/cancel")), 1)

    def test_a_mock_answers_at_once(self):
        project = self.prepare("openai", 2)
        self.assertEqual(self.run_it(project, "--llm", "mock").code, 0)
        self.assertEqual(self.service.requests, [])


if __name__ == "__main__":
    harness.unittest.main()
