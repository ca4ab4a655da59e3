"""Recorded answers of real services over HTTP, whole, in pieces, cut, reset and stalled. Needs the fixtures of CONDUCTORAI_FIXTURES."""
import json
import pathlib
import subprocess
import sys
import unittest

import harness

KEY = "sk-e2e-0123456789abcdefSECRET"
PROVIDERS = {"openai-chat": ("openai", "chat"), "openai-responses": ("openai", "responses"), "anthropic-messages": ("anthropic", "chat")}


def recordings():
    folder = pathlib.Path(harness.FIXTURES) / "llm-recordings"
    for name in ("recordings.jsonl", "composed.jsonl"):
        for line in (folder / name).read_text().splitlines():
            yield json.loads(line)


@unittest.skipUnless(harness.FIXTURES, "CONDUCTORAI_FIXTURES is not set")
class Recordings(harness.ProjectTest):
    def setUp(self):
        folder = pathlib.Path(harness.FIXTURES) / "llm-recordings"
        command = [sys.executable, "-B", str(folder / "replay.py"), str(folder / "recordings.jsonl"), str(folder / "composed.jsonl")]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.port = server.stdout.readline().split()[1]
        self.all = {r["id"]: r for r in recordings()}
        self.folder = self.project()

    def check(self, recording, options="", **env):
        provider, api = PROVIDERS[recording["api"]]
        variables = {"CONDUCTORAI_LLM__BASE_URL": f"http://127.0.0.1:{self.port}/{recording['id']}{options}/v1",
                     "CONDUCTORAI_LLM__API": api, "OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY, **env}
        done = self.folder.run("llm", "check", provider, "--model", "m", "--json", env=variables)
        self.assertNotIn(KEY, done.out + done.err)
        return done

    def some(self, wanted):
        """Three of each protocol and kind: enough to see that the wire changes nothing of what the parser's own test sees."""
        seen = {}
        for recording in self.all.values():
            key = (recording["api"], recording["stream"])
            if wanted(recording) and len(seen.setdefault(key, [])) < 3:
                seen[key].append(recording)
        return [r for group in seen.values() for r in group]

    def test_answers_come_out_whole_and_in_pieces(self):
        for recording in self.some(lambda r: r["expected"].get("text") and r["expected"]["outcome"] == "ok"
                                   and not r["expected"].get("no_choices") and r["id"] != "composed-openai-stream-cut-before-done"):
            for options in ("", ";split=7"):
                with self.subTest(recording["id"] + options):
                    done = self.check(recording, options)
                    self.assertEqual(done.code, 0, done)
                    self.assertEqual(done.lines[0]["answer"], recording["expected"]["text"])

    def test_errors_are_errors(self):
        for recording in self.some(lambda r: r["expected"]["outcome"] == "error"):
            with self.subTest(recording["id"]):
                done = self.check(recording)
                self.assertNotEqual(done.code, 0, done)
                self.assertIn("conductorai: error:", done.err)

    def test_a_stream_that_is_cut_or_reset_is_no_answer(self):
        for recording in self.some(lambda r: r["stream"] and r["expected"]["outcome"] == "ok"):
            for cut in (1, len(recording["response_body"].encode()) // 2, len(recording["response_body"].encode()) - 1):
                for options in (f";cut={cut}", f";cut={cut};rst=1"):
                    with self.subTest(recording["id"] + options):
                        done = self.check(recording, options)
                        self.assertEqual(done.code, 1, done)

    def test_a_stream_that_stalls_is_given_up(self):
        recording = self.some(lambda r: r["stream"] and r["expected"].get("text"))[0]
        done = self.check(recording, ";stall=60000", CONDUCTORAI_LLM__IDLE_TIMEOUT="300ms")
        self.assertEqual(done.code, 4, done)
        self.assertIn("no further piece of the answer came", done.err)

    def test_a_service_that_does_not_begin_is_given_up(self):
        recording = self.some(lambda r: r["stream"] and r["expected"].get("text"))[0]
        done = self.check(recording, ";first=60000", CONDUCTORAI_LLM__FIRST_BYTE_TIMEOUT="200ms", CONDUCTORAI_LLM__CONNECT_TIMEOUT="200ms")
        self.assertEqual(done.code, 4, done)
        self.assertIn("no answer began", done.err)


if __name__ == "__main__":
    unittest.main()
