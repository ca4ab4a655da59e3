"""Fifty workflows, a process each, ask a model under one budget of their project, and are killed twice: what the ledger says is held against
what the service counted."""
import collections
import contextlib
import datetime
import re
import signal
import sqlite3
import subprocess
import threading

import harness
from llm_server import Service

WORKFLOWS, TASKS = 50, 3
CALLS, USD = 110, 9.0  # of 150 calls; a call is reserved at some 0.36 USD and costs 0.0014
WORKFLOW = """
name: shared
requirement: A text file.
workspace: { repo: . }
toolchain: { build: "true" }
llm: { provider: openai, model: house-model, retries: 2 }
tasks:
  one: { agent: coding }
  two: { agent: coding, needs: [one] }
  three: { agent: coding, needs: [two] }
"""
CONFIG = f"""
budget: {{ calls-per-day: {CALLS}, usd-per-day: {USD} }}
llm: {{ base-url: "URL", prices: prices.yaml }}
"""
PRICES = "models: { house-model: { input: 10.00, output: 20.00 } }\n"
STEP = "workflow || '/' || task || '/' || round || '/' || attempt || '/' || ordinal"


class HoldingService(Service):
    """Answers each request with a text of its own; `hold` keeps so many of the next ones unanswered until `let_go`."""

    def __init__(self):
        super().__init__()
        self.holding, self.to_hold, self.answered = 0, 0, []
        self.open = threading.Event()

    def hold(self, count):
        self.open.clear()
        with self.lock:
            self.holding, self.to_hold = 0, count

    def let_go(self):
        with self.lock:
            self.to_hold = 0
        self.open.set()

    def play(self, handler, what, body, text):
        with self.lock:
            held = self.to_hold > 0
            if held:
                self.to_hold -= 1
                self.holding += 1
            number = len(self.requests)
        if held:
            self.open.wait()
        with contextlib.suppress(OSError):  # who asked may be dead
            nonce = f"answer-{number:04}"
            super().play(handler, what, body, f"Here it is.\n\n```file:{nonce}.txt\nwritten\n```\n")
            self.answered.append(nonce)


class Ledger:
    """The state database as anybody may read it."""

    def __init__(self, project):
        self.path = project.folder / ".conductorai" / "state.db"

    def rows(self, query):
        with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as db:
            db.execute("PRAGMA query_only = 1")
            return db.execute(query).fetchall()

    def project_use(self):
        """(calls, usd) spent and reserved together, of every day."""
        return [(calls, micros / 1e6) for calls, micros in self.rows(
            "SELECT spent_calls + reserved_calls, spent_usd_micros + reserved_usd_micros FROM budgets WHERE scope LIKE 'project/%'")]

    def in_flight(self):
        return self.rows("SELECT count(*) FROM steps WHERE kind = 'llm' AND status = 'sent'")[0][0]


class Auditor(threading.Thread):
    """Looks at the project's scope all the time."""

    def __init__(self, ledger):
        super().__init__(daemon=True)
        self.ledger, self.highest, self.looks, self.ended = ledger, [0, 0.0], 0, threading.Event()

    def run(self):
        while not self.ended.wait(0.01):
            with contextlib.suppress(sqlite3.OperationalError):  # not made yet
                for calls, usd in self.ledger.project_use():
                    self.highest = [max(self.highest[0], calls), max(self.highest[1], usd)]
                self.looks += 1

    def close(self):
        self.ended.set()
        self.join()


class SharedBudget(harness.ProjectTest):
    def launch(self, commands):
        """Starts them all at once; outputs go to files, so that nobody waits for a reader."""
        started = []
        for number, arguments in enumerate(commands):
            out = open(self.project_.folder / ".git" / f"out-{number}", "w+", encoding="utf-8", errors="replace")
            self.addCleanup(out.close)
            started.append((subprocess.Popen(self.project_.command(*arguments), cwd=self.project_.folder, stdout=out,
                                             stderr=subprocess.STDOUT, env=harness.environment({"OPENAI_API_KEY": "sk-shared-0123456789"})), out))
        return started

    def finished(self, started):
        outcomes = []
        for process, out in started:
            code = process.wait(timeout=300)
            out.seek(0)
            outcomes.append(harness.Outcome(code, out.read(), ""))
        return outcomes

    def kill_all(self, started):
        for process, _ in started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
        for process, _ in started:
            process.wait()

    def killed_in_flight(self, commands, held):
        """Runs them until the service keeps `held` calls waiting, kills everything; returns how many calls were in flight."""
        self.service.hold(held)
        started = self.launch(commands)
        harness.wait_until(lambda: self.service.holding == held, 120)
        self.kill_all(started)
        self.service.let_go()
        in_flight = self.ledger.in_flight()
        self.assertGreaterEqual(in_flight, held)
        return in_flight

    def unfinished(self):
        listed = self.project_.run("list", "--json").lines
        return [line["workflow_id"] for line in listed if line.get("workflow_id") and line["status"] in ("PENDING", "IN_PROGRESS", "PAUSED")]

    def prepare(self):
        self.service = HoldingService()
        self.addCleanup(self.service.close)
        self.project_ = self.project()
        self.project_.repository({"README.md": "a project\n"})
        self.project_.write("workflow.yaml", WORKFLOW)
        self.project_.write("prices.yaml", PRICES)
        self.project_.write("conductorai.yaml", CONFIG.replace("URL", self.service.url))
        self.ledger = Ledger(self.project_)
        self.auditor = Auditor(self.ledger)
        self.auditor.start()
        self.addCleanup(self.auditor.close)

    def assert_counts_agree(self, hidden):
        """What the ledger says, what the service counted, what was in flight at the kills."""
        answered = self.ledger.rows("SELECT count(*) FROM steps WHERE kind = 'llm' AND status = 'answered'")[0][0]
        unknown = self.ledger.rows("SELECT sum(unknown_calls) FROM steps WHERE kind = 'llm'")[0][0] + self.ledger.in_flight()
        asked = len(self.service.posts())
        self.assertLessEqual(answered, asked)
        self.assertLessEqual(asked, answered + unknown)
        self.assertLessEqual(unknown, hidden)
        return answered, unknown

    def assert_no_step_has_two_answers(self):
        self.assertEqual(self.ledger.rows(f"SELECT {STEP}, count(*) FROM steps WHERE status = 'answered' GROUP BY 1 HAVING count(*) > 1"), [])
        texts = self.ledger.rows("SELECT response FROM steps WHERE kind = 'llm' AND status = 'answered'")
        nonces = collections.Counter(re.search(r"answer-\d{4}", text).group() for text, in texts)
        self.assertEqual([nonce for nonce, count in nonces.items() if count > 1], [])
        self.assertLessEqual(set(nonces), set(self.service.answered))

    def test_the_budget_of_a_project_holds_over_fifty_processes_and_two_kills(self):
        # A day ends at midnight UTC, and its budget with it: who was interrupted by that begins again.
        for _ in range(2):
            self.prepare()
            day = datetime.datetime.now(datetime.timezone.utc).date()
            outcomes = self.story()
            if datetime.datetime.now(datetime.timezone.utc).date() == day:
                break
        self.judge(outcomes)

    def story(self):
        run = ["run", "workflow.yaml", "--sandbox", "none", "--json"]
        self.hidden = self.killed_in_flight([run] * WORKFLOWS, 8)
        self.hidden += self.killed_in_flight([["resume", each, "--json"] for each in self.unfinished()], 5)
        born = len(self.project_.run("list", "--json").lines)  # who was killed before it began is started again
        rest = [["resume", each, "--json"] for each in self.unfinished()] + [run] * (WORKFLOWS - born)
        return self.finished(self.launch(rest))

    def judge(self, outcomes):
        codes = collections.Counter(outcome.code for outcome in outcomes)
        print("in flight at the kills", self.hidden, "highest use", self.auditor.highest, "codes", dict(codes), flush=True)
        self.assertEqual(set(codes), {0, 3}, [o for o in outcomes if o.code not in (0, 3)])
        self.assertGreater(self.auditor.looks, 10)
        self.assertLessEqual(self.auditor.highest[0], CALLS)
        self.assertLessEqual(self.auditor.highest[1], USD)
        for outcome in outcomes:
            if outcome.code == 3:
                self.assertRegex(outcome.result["reason"], r"project/.*: (calls|usd): ")
        self.assert_counts_agree(self.hidden)
        self.assert_no_step_has_two_answers()

        more = ["--add-budget", "calls-per-day=200,usd-per-day=100"]
        self.finish_all(more)
        answered, unknown = self.assert_counts_agree(self.hidden)
        self.assert_no_step_has_two_answers()
        self.assertEqual(answered, WORKFLOWS * TASKS)
        self.assert_the_binary_says_the_same(answered, unknown)

    def finish_all(self, more):
        for outcome in self.finished(self.launch([["resume", each, *more, "--json"] for each in self.unfinished()])):
            self.assertEqual((outcome.code, outcome.result["status"]), (0, "COMPLETED"), outcome)

    def assert_the_binary_says_the_same(self, answered, unknown):
        listed = self.project_.run("list", "--json").lines
        results = [self.project_.run("status", line["workflow_id"], "--json").result for line in listed]
        self.assertEqual(len(results), WORKFLOWS)
        self.assertEqual({result["status"] for result in results}, {"COMPLETED"})
        self.assertEqual(sum(result["usage"]["calls"] for result in results), answered + unknown)
        self.assertEqual(sum(result["usage"]["unknown_calls"] for result in results), unknown)
        spent = sum(calls for calls, _ in self.ledger.project_use())
        self.assertEqual(spent, answered + unknown)
        self.assertEqual(self.ledger.rows("SELECT count(*) FROM budgets WHERE reserved_calls <> 0 OR reserved_usd_micros <> 0"), [(0,)])


if __name__ == "__main__":
    harness.unittest.main()
