"""The completion scripts of the real binary in the shells they are for, as whoever presses Tab sees it."""
import os
import pty
import select
import shutil
import subprocess
import tempfile
import unittest

import harness


class Shell(harness.ProjectTest):
    shell = ""

    def setUp(self):
        if not shutil.which(self.shell):
            self.skipTest(f"{self.shell} is not installed")
        self.given = self.project()
        self.given.write("a-file.yaml", "")
        done = self.given.run("completion", self.shell)
        self.assertEqual(done.code, 0, done)
        self.script = self.given.write("completion", done.out)


class Fish(Shell):
    shell = "fish"

    def offers(self, line):
        home = tempfile.mkdtemp(prefix="conductorai-fish-")
        self.addCleanup(shutil.rmtree, home, ignore_errors=True)
        done = subprocess.run(["fish", "--no-config", "-c", f"source {self.script}; complete -C '{line}'"], cwd=self.given.folder,
                              env={**os.environ, "HOME": home, "XDG_CONFIG_HOME": home}, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [offer.split("\t")[0] for offer in done.stdout.splitlines()]

    def test_commands_subcommands_and_flags_come_out(self):
        self.assertEqual(self.offers("conductorai r"), ["reject", "releases", "report", "resume", "retry", "run"])
        self.assertEqual(self.offers("conductorai dlq "), ["drop", "list", "requeue"])
        self.assertEqual(self.offers("conductorai run --ll"), ["--llm"])
        self.assertEqual(self.offers("conductorai --json artifacts list --ta"), ["--task"])
        self.assertEqual(self.offers("conductorai run --follow"), [])

    def test_files_come_where_a_command_takes_them_and_nowhere_else(self):
        self.assertEqual(self.offers("conductorai run a-f"), ["a-file.yaml"])
        self.assertEqual(self.offers("conductorai a-f"), [])


class Zsh(Shell):
    shell = "zsh"

    def completed(self, typed):
        """What a line is after typing it, Tabs and all: an interactive zsh on a terminal, `conductorai` telling its arguments."""
        master, slave = pty.openpty()
        shell = subprocess.Popen(["zsh", "-f", "-i"], stdin=slave, stdout=slave, stderr=slave, cwd=self.given.folder,
                                 env={**os.environ, "TERM": "dumb"}, start_new_session=True)
        os.close(slave)
        try:
            prepare = (f"PROMPT= PROMPT2= ; autoload -U compinit; compinit -u -D; source {self.script}; "
                       "conductorai() { print -r -- \"<$*>\" }; print rea''dy\n")
            self.expect(master, prepare, "ready")
            return self.expect(master, typed + "\n", ">").rsplit("<", 1)[1]
        finally:
            os.close(master)
            shell.kill()
            shell.wait()

    def expect(self, master, typed, end):
        os.write(master, typed.encode())
        seen = ""
        while end not in seen:
            ready, _, _ = select.select([master], [], [], 30)
            self.assertTrue(ready, f"zsh says no more after {typed!r}: {seen!r}")
            seen += os.read(master, 4096).decode(errors="replace")
        return seen[:seen.index(end)]

    def test_commands_subcommands_and_flags_come_out(self):
        self.assertEqual(self.completed("conductorai doc\t"), "doctor")
        self.assertEqual(self.completed("conductorai dlq req\t 7"), "dlq requeue 7")
        self.assertEqual(self.completed("conductorai run --ll\t mock"), "run --llm mock")
        self.assertEqual(self.completed("conductorai --json artifacts li\t --ta\t x"), "--json artifacts list --task x")

    def test_files_come_where_a_command_takes_them_and_nowhere_else(self):
        self.assertEqual(self.completed("conductorai run a-f\t"), "run a-file.yaml")
        self.assertEqual(self.completed("conductorai a-f\t"), "a-f")


class Bash(Shell):
    shell = "bash"

    def test_commands_and_flags_come_out(self):
        ask = ("ask() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _conductorai; echo \"${COMPREPLY[*]}\"; }\n"
               "ask conductorai r; ask conductorai dlq ''; ask conductorai run --ll\n")
        done = subprocess.run(["bash", "--norc", "-c", f"source {self.script}\n{ask}"], capture_output=True, text=True, timeout=60)
        commands, letters, flags = done.stdout.splitlines()
        self.assertEqual((commands, flags), ("reject releases report resume retry run", "--llm"))
        self.assertTrue(letters.endswith("drop list requeue"), letters)


del Shell  # a base of its own runs nothing

if __name__ == "__main__":
    unittest.main()
