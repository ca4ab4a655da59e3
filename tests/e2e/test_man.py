"""The manual page renders without a warning and tells of every command and option there is, no other."""
import re
import shutil
import subprocess
import unittest

import harness


def help_of(project, path):
    return project.run(*path, "--help").out


def words_of(project, path=()):
    """Every command path with its own long options, as --help tells them."""
    text = help_of(project, path)
    listed = text.split("Subcommands:", 1)[1].splitlines() if "Subcommands:" in text else []
    commands = [found.group(1) for line in listed if (found := re.match(r"  ([a-z][a-z-]*)( |$)", line))]
    options = set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", text, re.M)) - {"--help"}
    yield path, commands, options
    for command in commands:
        if command == "bench":  # its words are those of another program
            yield (command,), [], set()
        else:
            yield from words_of(project, (*path, command))


class ManPage(harness.ProjectTest):
    def page(self):
        done = self.project().run("man")
        self.assertEqual(done.code, 0, done)
        return done.out

    def test_tells_of_every_command_and_option(self):
        page = self.page().replace("\\-", "-").replace("\\fB", "").replace("\\fR", "").replace("\\fI", "")
        told = set(re.findall(r"^\.SS conductorai ([a-z -]+?)(?: \[?[A-Z].*)?$", page, re.M))
        project, known = self.project(), set()
        for path, commands, options in words_of(project):
            if path and not commands:
                known.add(" ".join(path))
            for option in options:
                self.assertRegex(page, rf"(?m)^(-\w, )?{option}( |$)", f"{path} {option}")
        self.assertGreater(len(known), 20)
        self.assertEqual(told, known)

    @unittest.skipUnless(shutil.which("man") and shutil.which("groff"), "no man here: script/setup --test installs it")
    def test_renders_without_a_warning(self):
        for width in ("40", "100"):
            done = subprocess.run(["man", "--warnings=all", "-E", "UTF-8", "-l", "-Tutf8", "-"], input=self.page(), text=True,
                                  capture_output=True, env={**harness.environment({}), "MANWIDTH": width, "LC_ALL": "C.UTF-8"})
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("EXIT STATUS", re.sub(".\b", "", done.stdout))

    @unittest.skipUnless(shutil.which("mandoc"), "no mandoc here: script/setup --test installs it")
    def test_is_understood_by_the_other_formatter(self):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "error"], input=self.page(), text=True, capture_output=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))
