"""The example recorded over HTTP and played back: the same tree, and not one socket to the outside."""
import json
import pathlib
import re
import shutil
import subprocess
import unittest

import harness
from llm_server import Service

KEY = "sk-e2e-0123456789abcdefSECRET"
EXAMPLE = harness.ROOT / "examples" / "url-shortener"
REVIEW = {"findings": [], "summary": "nothing to find"}
DIAGNOSIS = {"diagnosis": "The address of a code is cut at its question mark.", "findings": [
    {"severity": "error", "message": "a shortened URL loses its query", "file": "shortener/links.py"}],
    "recommendations": ["keep query and fragment"], "affected_tasks": ["code"]}
# By what the agent is told it is.
WHO = {"programmer of a team": "coding", "You review": "review", "You make test data": "test_data", "write automated tests": "test",
       "prepare the delivery": "devops"}


def files_of_rules():
    """The files of the example's answers, by agent, in order: what a model of flesh and blood would write."""
    rules = {}
    for rule in re.split(r"(?m)^- match: ", (EXAMPLE / "answers.yaml").read_text())[1:]:
        agent = re.match(r"\{ agent: (\w+)", rule).group(1)
        blocks = re.findall(r"(?m)^      (\S+): \|\n((?:        .*\n|[ \t]*\n)*)", rule)
        text = "".join(f"```file:{path}\n" + re.sub(r"(?m)^        ", "", body).rstrip("\n") + "\n```\n" for path, body in blocks)
        rules.setdefault(agent, []).append("Here it is.\n\n" + text)
    return rules


class Team:
    """Answers as the example's script does, by the agent that asks and how often it has."""

    def __init__(self):
        self.rules, self.asked = files_of_rules(), {}

    def __call__(self, body):
        prompt = json.dumps(body["messages"]) + json.dumps(body.get("system", ""))
        agent = next((name for words, name in WHO.items() if words in prompt), "monitor")
        count = self.asked[agent] = self.asked.get(agent, 0) + 1
        if agent == "review":
            return json.dumps(REVIEW)
        if agent == "monitor":
            return json.dumps(DIAGNOSIS)
        return self.rules[agent][min(count, len(self.rules[agent])) - 1]


class Cassette(harness.ProjectTest):
    def prepare(self):
        project = self.project()
        (project.folder / ".conductorai").mkdir()
        self.addCleanup(self.stop_releases, project)
        return project

    def record(self, provider, cassette):
        service = Service()
        service.choose = Team()
        self.addCleanup(service.close)
        project = self.prepare()
        env = {"CONDUCTORAI_LLM__BASE_URL": service.url, "OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}
        done = project.run("run", EXAMPLE / "workflow.yaml", "--llm", f"record:{provider}:{cassette}", "--model", "m", "--json", env=env)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(done.result["usage"]["calls"], len(service.posts()))
        return done.result

    def test_what_was_recorded_plays_back_to_the_same_tree(self):
        for provider in ("openai", "anthropic"):
            with self.subTest(provider):
                cassette = pathlib.Path(self.temporary_folder()) / "example.jsonl"
                recorded = self.record(provider, cassette)
                self.assertNotIn(KEY, cassette.read_text())
                project = self.prepare()
                played = project.run("run", EXAMPLE / "workflow.yaml", "--llm", f"replay:{cassette}", "--json")
                self.assertEqual(played.code, 0, played)
                self.assertEqual(harness.normal_form(played.result), harness.normal_form(recorded))
                self.assertEqual(played.result["usage"]["calls"], recorded["usage"]["calls"])
                self.assertEqual(played.result["usage"]["usd"], 0)

    def small(self, service):
        project = self.project()
        project.repository({"README.md": "a project\n"})
        project.write("workflow.yaml", "name: add\nrequirement: A function add(a, b) in add.py.\nworkspace: { repo: . }\n"
                      "toolchain: { build: python3 -m compileall -q . }\nllm: { provider: openai, model: m }\ntasks:\n  code: { agent: coding }\n")
        env = {"CONDUCTORAI_LLM__BASE_URL": service.url, "OPENAI_API_KEY": KEY}
        done = project.run("run", "workflow.yaml", "--sandbox", "none", "--llm", "record:c.jsonl", "--json", env=env)
        self.assertEqual(done.code, 0, done)
        return project

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_a_replay_opens_no_socket(self):
        service = Service()
        self.addCleanup(service.close)
        project = self.small(service)
        posts = len(service.posts())
        trace = pathlib.Path(self.temporary_folder()) / "trace"
        done = subprocess.run(["strace", "-f", "-o", trace, "-e", "trace=socket,connect", *project.command(
            "run", "workflow.yaml", "--sandbox", "none", "--llm", "replay:c.jsonl", "--json")], cwd=project.folder,
            env=harness.environment({"CONDUCTORAI_LLM__BASE_URL": service.url, "OPENAI_API_KEY": KEY}), capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])
        calls = [line for line in trace.read_text().splitlines() if "socket(AF_INET" in line or "connect(" in line and "AF_INET" in line]
        self.assertEqual(calls, [])
        self.assertEqual(len(service.posts()), posts)

    def test_a_request_that_was_never_recorded_is_an_error_and_no_call(self):
        service = Service()
        self.addCleanup(service.close)
        project = self.small(service)
        posts = len(service.posts())
        text = (project.folder / "workflow.yaml").read_text()
        project.write("other.yaml", text.replace("A function add(a, b)", "A function mul(a, b)"))
        done = project.run("run", "other.yaml", "--sandbox", "none", "--llm", "replay:c.jsonl", "--json",
                           env={"CONDUCTORAI_LLM__BASE_URL": service.url, "OPENAI_API_KEY": KEY})
        self.assertEqual((done.code, done.result["status"]), (1, "FAILED"), done)
        self.assertIn("the cassette holds no answer for agent coding, task code, round 1", json.dumps(done.events))
        self.assertEqual(done.result["tasks"]["code"]["attempts"], 1)
        self.assertEqual(len(service.posts()), posts)

    def test_files_that_are_no_cassettes_are_the_users_matter(self):
        project = self.project()
        project.repository({"README.md": "a project\n"})
        project.write("workflow.yaml", "name: a\nrequirement: b\nworkspace: { repo: . }\ntasks:\n  code: { agent: coding }\n")
        for args, word in ((("replay:missing.jsonl",), "missing.jsonl"), (("replay:README.md",), "no cassette"), (("record:c.jsonl",), "whom to record"),
                           (("record:mock:README.md",), "not recorded over"), (("replay",), "expected a provider")):
            with self.subTest(args):
                done = project.run("run", "workflow.yaml", "--sandbox", "none", "--llm", *args)
                self.assertEqual(done.code, 2, done)
                self.assertIn(word, done.err)
        self.assertEqual((project.folder / "README.md").read_text(), "a project\n")


if __name__ == "__main__":
    harness.unittest.main()
