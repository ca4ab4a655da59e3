"""Real providers over HTTP, against a service of our own on the loopback: one task from requirement to commit, and bad days."""
import json
import pathlib

import harness
from llm_server import FILES, Service

KEY = "sk-e2e-0123456789abcdefSECRET"
WORKFLOW = """
name: add
requirement: A function add(a, b) in add.py.
workspace: { repo: . }
toolchain: { build: python3 -m compileall -q . }
llm: { provider: %s, model: %s, retries: 2 }
tasks:
  code: { agent: coding }
"""
PRICES = "models: { house-model: { input: 10.00, output: 20.00 } }\n"


class Providers(harness.ProjectTest):
    def service(self, *script, **options):
        service = Service(script or ("ok",), **options)
        self.addCleanup(service.close)
        return service

    def workflow(self, provider, model="house-model"):
        project = self.project()
        project.repository({"README.md": "a project\n"})
        project.write("workflow.yaml", WORKFLOW % (provider, model))
        return project

    def go(self, project, service, *args, command="run", **env):
        target = () if command == "resume" else ("workflow.yaml",)
        variables = {"CONDUCTORAI_LLM__BASE_URL": service.url, "OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY, **env}
        return project.run(command, *target, *args, "--sandbox", "none", "--json", env=variables)

    def assert_no_key(self, project, done):
        self.assertNotIn(KEY, done.out + done.err)
        for path in pathlib.Path(project.folder).rglob("*"):
            if path.is_file():
                self.assertNotIn(KEY.encode(), path.read_bytes(), path)

    def test_each_protocol_takes_a_requirement_to_a_commit(self):
        for provider, path in (("openai", "/v1/chat/completions"), ("anthropic", "/v1/messages")):
            with self.subTest(provider):
                service, project = self.service(), self.workflow(provider)
                done = self.go(project, service)
                self.assertEqual(done.code, 0, done)
                self.assertIn("return a + b", project.head_files(done)["add.py"])
                usage = done.result["usage"]
                self.assertEqual((usage["calls"], usage["input_tokens"], usage["output_tokens"]), (1, 100, 20))
                sent = service.posts()[0]
                self.assertEqual((sent["path"], sent["body"]["model"], sent["body"]["stream"]), (path, "house-model", True))
                self.assertIn(KEY, sent["headers"]["authorization" if provider == "openai" else "x-api-key"])
                self.assert_no_key(project, done)

    def test_what_may_pass_is_tried_again_and_paid_once(self):
        service, project = self.service(429, 529, "ok", headers={"retry-after-ms": "5"}), self.workflow("anthropic")
        done = self.go(project, service)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(len(service.posts()), 3)
        self.assertEqual((done.result["usage"]["input_tokens"], done.result["usage"]["unknown_calls"]), (100, 0))

    def test_a_lost_connection_and_a_cut_stream_are_unknown_and_charged(self):
        for fault in ("lost", "cut"):
            with self.subTest(fault):
                service, project = self.service(fault, "ok"), self.workflow("openai")
                done = self.go(project, service)
                self.assertEqual(done.code, 0, done)
                self.assertEqual(done.result["usage"]["unknown_calls"], 1)
                self.assertEqual(len(service.posts()), 2)

    def test_what_will_not_pass_is_asked_once_and_explained(self):
        quota = {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": "insufficient_quota"}
        cases = [(401, {"message": f"Incorrect API key provided: {KEY}", "type": "authentication_error"}, "status 401"),
                 (404, {"message": "no such model", "type": "not_found_error"}, "no such model"),
                 (429, quota, "quota")]
        for status, error, word in cases:
            with self.subTest(status):
                service, project = self.service(status, error=error), self.workflow("openai")
                done = self.go(project, service)
                self.assertNotEqual(done.code, 0, done)
                self.assertEqual(len(service.posts()), 1, done)
                self.assertIn(word, str(done.result["reason"]) + str(done.events))
                self.assert_no_key(project, done)

    def test_another_model_answers_when_the_first_is_down_and_is_not_paid_twice(self):
        down, up = self.service(503), self.service()
        project = self.workflow("openai")
        text = (project.folder / "workflow.yaml").read_text()
        project.write("workflow.yaml", text.replace("retries: 2", "retries: 0, fallback: [{ provider: anthropic, model: other-model }]"))
        done = self.go(project, down, CONDUCTORAI_LLM__ANTHROPIC_BASE_URL=up.url)
        self.assertEqual(done.code, 0, done)
        self.assertEqual((len(down.posts()), len(up.posts())), (1, 1))
        self.assertEqual((up.posts()[0]["path"], up.posts()[0]["body"]["model"]), ("/v1/messages", "other-model"))
        warnings = " ".join(done.result["warnings"])
        self.assertIn("task code: anthropic other-model answered 1 call in place of the first model", warnings)
        self.assertIn("status 503", warnings)

    def test_a_model_that_keeps_failing_is_left_alone_for_a_while(self):
        down, up = self.service(503), self.service()
        project = self.workflow("openai")
        text = (project.folder / "workflow.yaml").read_text()
        text = text.replace("retries: 2", "retries: 0, fallback: [{ provider: anthropic, model: other-model }]")
        project.write("workflow.yaml", text + "  two: { agent: coding, needs: [code] }\n  three: { agent: coding, needs: [two] }\n")
        up.texts = [FILES, FILES.replace("a + b", "b + a"), FILES.replace("a + b", "sum((a, b))")]
        done = self.go(project, down, CONDUCTORAI_LLM__ANTHROPIC_BASE_URL=up.url, CONDUCTORAI_LLM__BREAKER_FAILURES="2")
        self.assertEqual(done.code, 0, done)
        self.assertEqual(len(down.posts()), 2, done)
        self.assertEqual(len(up.posts()), 3, done)

    def test_a_kept_answer_is_given_again_for_nothing(self):
        service, project = self.service(), self.workflow("openai")
        env = {"CONDUCTORAI_LLM__CACHE_TTL": "1h"}
        first, second = self.go(project, service, **env), self.go(project, service, **env)
        self.assertEqual((first.code, second.code, len(service.posts())), (0, 0, 1), second)
        usage = second.result["usage"]
        self.assertEqual((usage["calls"], usage["cached_calls"], usage["input_tokens"]), (0, 1, 0))
        self.assertEqual(project.head_files(second), project.head_files(first))
        self.assert_no_key(project, second)

    def test_a_minutes_requests_are_not_exceeded(self):
        service, project = self.service(headers={"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "700ms"}), self.workflow("openai")
        text = (project.folder / "workflow.yaml").read_text()
        project.write("workflow.yaml", text + "  review: { agent: review, needs: [code] }\n")
        service.texts = [FILES, '{"findings": [], "summary": "fine"}']
        done = self.go(project, service)
        self.assertEqual(done.code, 0, done)
        times = [r["at"] for r in service.posts()]
        self.assertEqual(len(times), 2)
        self.assertGreater(times[1] - times[0], 0.65)

    def test_a_money_budget_pauses_before_the_call_and_goes_on_with_more(self):
        service, project = self.service(), self.workflow("anthropic")
        project.write("prices.yaml", PRICES)
        env = {"CONDUCTORAI_LLM__PRICES": "prices.yaml"}
        done = self.go(project, service, "--budget", "usd=0.01", **env)
        self.assertEqual((done.code, done.result["status"]), (3, "PAUSED"), done)
        self.assertEqual(service.posts(), [])
        done = self.go(project, service, "--add-budget", "usd=5", command="resume", **env)
        self.assertEqual((done.code, done.result["status"]), (0, "COMPLETED"), done)
        self.assertAlmostEqual(done.result["usage"]["usd"], 0.0014)

    def test_tasks_beside_each_other_take_turns_at_a_tight_budget(self):
        service, project = self.service(), self.workflow("anthropic")
        text = (project.folder / "workflow.yaml").read_text()
        project.write("workflow.yaml", text + "".join(f"  code{i}: {{ agent: coding }}\n" for i in range(2, 7)))
        planned = project.run("plan", "workflow.yaml", "--json", env={"ANTHROPIC_API_KEY": KEY})
        of_all = json.loads(planned.out)["cost"]["normal"]["tokens"]
        done = self.go(project, service, "--budget", f"tokens={of_all * 3 // 10}")  # for one at a time, not for two
        self.assertEqual((done.code, done.result["status"], done.result["usage"]["calls"]), (0, "COMPLETED", 6), done)
        self.assertEqual(len(service.posts()), 6)

    def test_a_token_budget_holds_with_a_service_that_counts_nothing(self):
        service, project = self.service("no-usage"), self.workflow("openai")
        done = self.go(project, service, "--budget", "tokens=100000")
        self.assertEqual(done.code, 0, done)
        self.assertGreater(done.result["usage"]["input_tokens"], 100)

    def test_an_unknown_price_under_a_money_budget_is_refused_before_anything_starts(self):
        service, project = self.service(), self.workflow("openai")
        done = self.go(project, service, "--budget", "usd=1")
        self.assertEqual(done.code, 2, done)
        self.assertIn("price of model 'house-model' is not known", done.err)
        self.assertEqual(service.requests, [])
        self.assertFalse((project.folder / ".conductorai").exists())

    def test_without_a_key_the_providers_own_service_is_not_asked(self):
        project = self.workflow("openai")
        done = project.run("llm", "check", "openai", "--model", "m", env={"OPENAI_API_KEY": ""})
        self.assertEqual(done.code, 2, done)
        self.assertIn("OPENAI_API_KEY", done.err)

    def test_models_are_listed_and_checked(self):
        service, project = self.service(text="ready"), self.project()
        env = {"CONDUCTORAI_LLM__BASE_URL": service.url, "OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}
        for provider in ("openai", "anthropic"):
            listed = project.run("llm", "models", provider, env=env)
            self.assertEqual((listed.code, listed.out), (0, "model-a\nmodel-b\n"), listed)
            checked = project.run("llm", "check", provider, "--model", "model-a", "--json", env=env)
            self.assertEqual(checked.code, 0, checked)
            self.assertEqual((checked.lines[0]["model"], checked.lines[0]["answer"]), ("model-a", "ready"))
        self.assertFalse((project.folder / ".conductorai").exists())

    def test_bad_days_are_said_in_one_line(self):
        project = self.project()
        html = self.service("html")
        cases = [({"CONDUCTORAI_LLM__BASE_URL": html.url}, "status 502"),
                 ({"CONDUCTORAI_LLM__BASE_URL": "http://127.0.0.1:1/v1"}, "no usable answer"),
                 ({"CONDUCTORAI_LLM__BASE_URL": html.url, "CONDUCTORAI_LLM__PROXY": "http://127.0.0.1:1"}, "no usable answer"),
                 ({"CONDUCTORAI_LLM__BASE_URL": html.url.replace("http:", "https:")}, "no usable answer")]
        for env, word in cases:
            with self.subTest(env):
                done = project.run("llm", "check", "openai", "--model", "m", env={"OPENAI_API_KEY": KEY, **env})
                self.assertEqual(done.code, 4, done)
                self.assertIn(word, done.err)
                self.assertNotIn(KEY, done.out + done.err)


if __name__ == "__main__":
    harness.unittest.main()
