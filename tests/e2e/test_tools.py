"""Agents that work by tools: by a script, killed in the middle of the loop, and over HTTP with both protocols."""
import json
import os
import tempfile

import harness
from llm_server import Loopback, Quiet

FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "test_calc.py": "import unittest\nimport calc\n\n\nclass T(unittest.TestCase):\n    def test_add(self):\n"
                    "        self.assertEqual(calc.add(2, 3), 5)\n",
}
WORKFLOW = {
    "name": "by-tools", "requirement": "add must add", "workspace": {"repo": ".", "protected": ["test_calc.py"]},
    "tasks": {"code": {"agent": "coding"}, "test": {"agent": "test", "needs": ["code"], "with": {"write-tests": False}}},
}
PATCH = "--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    return a + b\n"
TURNS = [
    [("list_files", {}), ("read_file", {"path": "calc.py"})],
    [("write_file", {"path": "test_calc.py", "content": ""}), ("apply_patch", {"patch": PATCH})],
    [("run_command", {"command": "python3 -m unittest 2>&1 | tail -1; date +%N"})],
]
LAST = "It adds now."
ANSWERS = [{"reply": {"tool_calls": [{"name": name, "arguments": arguments} for name, arguments in turn]}} for turn in TURNS]
ANSWERS.append({"reply": {"text": LAST}})


class ToolService(Loopback):
    """Plays TURNS in the provider's protocol; what it is asked is kept."""

    def __init__(self):
        self.asked = []
        service = self

        class Handler(Quiet):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                service.asked.append(body)
                turn = TURNS[len(service.asked) - 1] if len(service.asked) <= len(TURNS) else None
                events = service.chat(turn) if self.path.endswith("/chat/completions") else service.messages(turn)
                data = "".join(events).encode()
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.listen(Handler)

    def chat(self, turn):
        def event(delta, finish=None, **more):
            return "data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                                          "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}) + "\n\n"
        yield event({"role": "assistant", "content": LAST if turn is None else None})
        for index, (name, arguments) in enumerate(turn or []):
            text = json.dumps(arguments)
            yield event({"tool_calls": [{"index": index, "id": f"call_{index}", "type": "function",
                                         "function": {"name": name, "arguments": text[:5]}}]})
            yield event({"tool_calls": [{"index": index, "function": {"arguments": text[5:]}}]})
        yield event({}, "stop" if turn is None else "tool_calls")
        yield "data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
                                     "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}) + "\n\ndata: [DONE]\n\n"

    def messages(self, turn):
        def event(kind, **fields):
            return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"
        yield event("message_start", message={"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [],
                                              "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 1}})
        if turn is None:
            yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
            yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": LAST})
            yield event("content_block_stop", index=0)
        for index, (name, arguments) in enumerate(turn or []):
            text = json.dumps(arguments)
            yield event("content_block_start", index=index, content_block={"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}})
            for part in (text[:5], text[5:]):
                yield event("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": part})
            yield event("content_block_stop", index=index)
        yield event("message_delta", delta={"stop_reason": "end_turn" if turn is None else "tool_use", "stop_sequence": None},
                    usage={"output_tokens": 5})
        yield event("message_stop")


class Tools(harness.ProjectTest):
    def prepare(self, workflow=None):
        project = self.project()
        project.repository(FILES)
        project.write("w.yaml", workflow or WORKFLOW)
        project.write("answers.yaml", ANSWERS)
        return project

    def assert_done(self, project, done):
        self.assertEqual((done.code, done.result["status"]), (0, "COMPLETED"), done)
        files = project.head_files(done)
        self.assertIn("return a + b", files["calc.py"])
        self.assertEqual(files["test_calc.py"], FILES["test_calc.py"].rstrip("\n"))
        self.assertEqual(set(files), set(FILES), "nothing that a command left behind")

    def test_a_scripted_agent_explores_patches_runs_and_finishes(self):
        project = self.prepare()
        done = project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json")
        self.assert_done(project, done)
        self.assertEqual(done.result["usage"]["calls"], 4)

    def test_killed_at_each_kind_of_step_nothing_is_bought_or_run_twice(self):
        for point in ("agent.after_record", "step.begin.before_commit", "step.begin.after_commit", "step.finish.before_commit",
                      "step.finish.after_commit", "llm.before_send", "llm.after_answer"):
            for hit in (2, 4):
                with self.subTest(point, hit=hit):
                    project = self.prepare()
                    mark = os.path.join(tempfile.mkdtemp(), "reached")
                    killed = project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json",
                                         env={"CONDUCTORAI_CRASH_AT": f"{point}:{hit}", "CONDUCTORAI_CRASH_MARK": mark})
                    self.assertEqual(killed.code, -9, killed)
                    done = project.run("resume", "--json")
                    self.assert_done(project, done)
                    usage = done.result["usage"]
                    # one that the kill hid is charged and asked again; what was answered is not
                    self.assertEqual(usage["calls"] - usage["unknown_calls"], 4)
                    self.assertLessEqual(usage["unknown_calls"], 1)

    def test_tools_over_http_with_both_protocols(self):
        for provider in ("openai", "anthropic"):
            with self.subTest(provider):
                service = ToolService()
                self.addCleanup(service.close)
                project = self.prepare(dict(WORKFLOW, llm={"provider": provider, "model": "m"}))
                done = project.run("run", "w.yaml", "--json",
                                   env={"CONDUCTORAI_LLM__BASE_URL": service.url, "OPENAI_API_KEY": "k" * 20, "ANTHROPIC_API_KEY": "k" * 20})
                self.assert_done(project, done)
                self.assertEqual(len(service.asked), 4)
                self.assertEqual(len(service.asked[0]["tools"]), 6)
                told = json.dumps(service.asked[3]["messages"])
                for words in ("protected", "patched: calc.py", "return a - b", "OK"):
                    self.assertIn(words, told)

    def test_a_service_without_tools_is_asked_once(self):
        service = ToolService()
        self.addCleanup(service.close)
        project = self.prepare(dict(WORKFLOW, llm={"provider": "openai", "model": "m", "tools": "off"}))
        project.run("run", "w.yaml", "--json", env={"CONDUCTORAI_LLM__BASE_URL": service.url, "OPENAI_API_KEY": "k" * 20})
        self.assertNotIn("tools", service.asked[0])

    def test_commands_that_the_policies_forbid_are_refused_to_the_model(self):
        project = self.prepare(dict(WORKFLOW, policies={"allowed-commands": ["make *"]}, tasks={"code": {"agent": "coding"}}))
        done = project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json")
        self.assertEqual(done.code, 0, done)
        artifacts = project.run("artifacts", "list", done.result["workflow_id"], "--json")
        listed = [line for line in artifacts.lines if line.get("name") == "tools.txt"]
        self.assertTrue(listed, artifacts)

    def test_a_model_that_never_stops_fails_the_task_with_a_reason(self):
        project = self.prepare(dict(WORKFLOW, tasks={"code": {"agent": "coding", "retry": {"max-attempts": 1}}}))
        project.write("answers.yaml", [{"reply": {"tool_calls": [{"name": "list_files", "arguments": {}}]}, "times": "any"}])
        done = project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json")
        self.assertEqual(done.code, 1, done)
        self.assertIn("stuck: 3 times the same call", str(done.result["reason"]) + str(done.events))


if __name__ == "__main__":
    harness.unittest.main()
