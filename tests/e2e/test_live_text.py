"""What a model answers is seen by who watches while it is still coming; the service holds the rest back until it was."""
import contextlib
import json
import os
import pty
import threading

import harness
from llm_server import Service, chat_events

SECRET = "tok-0123456789-very-secret"
WORKFLOW = """
name: live
requirement: A function.
workspace: { repo: . }
toolchain: { build: "true" }
llm: { provider: PROVIDER, model: m, retries: 0 }
tasks:
  code: { agent: coding }
"""
REST = [" more\n", "\x1b[31mred\x1b[0m\x07 tok-0123456789", "-very-secret done\n\n", "```file:add.py\nx = 1\n```\n"]


class SlowService(Service):
    """Sends a first piece when `begin` is set, the others when `go_on` is."""

    def __init__(self):
        super().__init__()
        self.begin, self.go_on, self.asked = threading.Event(), threading.Event(), threading.Event()

    def pieces(self, kind, body):
        if kind == "anthropic":
            whole = self.messages(body, "@@")
        else:
            whole = chat_events(body["model"], "@@", self.tokens)
            del whole[1]  # the second half of the text
            whole[0] = whole[0].replace('"@"', '"@@"')
        at = next(i for i, event in enumerate(whole) if "@@" in event)
        text = [whole[at].replace('"@@"', json.dumps(piece)) for piece in ["FIRST-TOKEN", *REST]]
        return whole[:at] + text[:1], text[1:] + whole[at + 1:]

    def play(self, handler, what, body, text):
        first, rest = self.pieces("anthropic" if handler.path.endswith("/messages") else "openai", body)
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.send_header("connection", "close")
        handler.end_headers()
        self.asked.set()
        with contextlib.suppress(OSError):
            for gate, events in ((self.begin, first), (self.go_on, rest)):
                gate.wait(60)
                handler.wfile.write("".join(events).encode())
                handler.wfile.flush()


def read_until(stream, word):
    seen = ""
    while word not in seen:
        piece = os.read(stream, 4096).decode(errors="replace")
        if not piece:
            raise AssertionError(f"{word} never came: {seen}")
        seen += piece
    return seen


class LiveText(harness.ProjectTest):
    def prepare(self, provider="openai"):
        service, project = SlowService(), self.project()
        self.addCleanup(service.close)
        for gate in (service.begin, service.go_on):
            self.addCleanup(gate.set)
        project.repository({"README.md": "a project\n"})
        project.write("workflow.yaml", WORKFLOW.replace("PROVIDER", provider))
        env = {"CONDUCTORAI_LLM__BASE_URL": service.url, "OPENAI_API_KEY": "sk-live-0123456789", "ANTHROPIC_API_KEY": "sk-live-0123456789",
               "MY_TOKEN": SECRET}
        runner = project.start("run", "workflow.yaml", "--sandbox", "none", env=env)
        self.addCleanup(lambda: (runner.kill(), runner.communicate()))
        service.asked.wait(60)
        return service, project, runner

    def watch(self, project, *args):
        watcher = project.start("watch", *args)
        self.addCleanup(lambda: (watcher.kill(), watcher.stdout.close(), watcher.stderr.close(), watcher.wait()))
        return watcher

    def end(self, service, runner):
        service.go_on.set()
        out, err = runner.communicate(timeout=60)
        self.assertEqual(runner.returncode, 0, out + err)
        return out

    def test_the_first_token_is_seen_before_the_last_is_sent(self):
        for provider in ("openai", "anthropic"):
            with self.subTest(provider):
                service, project, runner = self.prepare(provider)
                early = self.watch(project)
                seen = read_until(early.stdout.fileno(), "workflow.started")
                service.begin.set()
                seen += read_until(early.stdout.fileno(), "FIRST-TOKEN")
                late = self.watch(project)  # one who comes in the middle of an answer
                read_until(late.stdout.fileno(), "FIRST-TOKEN")
                self.assertFalse(service.go_on.is_set())
                printed = self.end(service, runner)
                self.assertNotIn("FIRST-TOKEN", printed)  # a run in a pipe prints a line an event
                seen += early.stdout.read()
                self.assertEqual(early.wait(), 0)
                self.assertIn("code | FIRST-TOKEN more\n", seen)
                self.assertIn("code | red *** done\n", seen)
                self.assertNotIn("\x1b", seen)
                self.assertNotIn(SECRET, seen)
                self.assertEqual(list((project.folder / ".conductorai" / "live").iterdir()), [])

    def test_the_table_of_a_terminal_shows_the_line_that_is_coming(self):
        service, project, runner = self.prepare()
        service.begin.set()
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        watcher = harness.subprocess.Popen(project.command("watch"), cwd=project.folder, env=harness.environment({"TERM": "xterm"}), stdout=theirs,
                                           stderr=theirs, stdin=theirs)
        os.close(theirs)
        self.assertIn("code", read_until(ours, "FIRST-TOKEN"))
        self.end(service, runner)
        with contextlib.suppress(OSError):  # the terminal of a process that has ended
            while os.read(ours, 4096):
                pass
        self.assertEqual(watcher.wait(60), 0)

    def test_nothing_of_it_is_in_json_nor_in_the_journal(self):
        service, project, runner = self.prepare()
        watcher = self.watch(project, "--json")
        read_until(watcher.stdout.fileno(), "workflow.started")
        service.begin.set()
        self.end(service, runner)
        rest = watcher.stdout.read()
        self.assertEqual({json.loads(line)["type"] for line in rest.splitlines() if line.startswith("{")}, {"event", "result"})
        self.assertNotIn("FIRST-TOKEN", rest + project.run("events", "--json").out)

    def test_what_a_killed_run_left_is_no_answer_of_the_next(self):
        service, project, runner = self.prepare()
        service.begin.set()
        live = project.folder / ".conductorai" / "live"
        harness.wait_until(lambda: any("FIRST-TOKEN" in path.read_text() for path in live.glob("*")))
        self.assertEqual([path.stat().st_mode & 0o777 for path in live.iterdir()], [0o600])
        harness.kill(runner)
        watched = project.run("watch")
        self.assertEqual(watched.code, 0, watched)
        service.go_on.set()
        done = project.run("resume", "--json", env={"CONDUCTORAI_LLM__BASE_URL": service.url, "OPENAI_API_KEY": "sk-live-0123456789"})
        self.assertEqual(done.code, 0, done)
        self.assertEqual(list(live.iterdir()), [])


if __name__ == "__main__":
    harness.unittest.main()
