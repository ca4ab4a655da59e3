"""Dependencies: fetched once for the same lock files, given to every command of an agent, and never taken from what was not accepted."""
import unittest

import harness

# The files that a fetch brings: when it ran (to tell one fetch from another), and what the project says it needs.
FETCH = "if grep -q missing requirements.txt; then echo no such package >&2; exit 7; fi; " \
        "if grep -q local requirements.txt && [ ! -f local.txt ]; then echo no local.txt >&2; exit 8; fi; " \
        "mkdir -p .deps \"$CONDUCTORAI_BUILD/more\" && date +%s.%N > .deps/when && cp requirements.txt .deps && " \
        "cp .deps/when \"$CONDUCTORAI_BUILD/more/\" && if [ -f planted.sh ]; then sh planted.sh; fi"
FILES = {
    "requirements.txt": "left-pad==1.0\n",
    ".gitignore": ".deps/\n",
    "app.txt": "wrong\n",
    "run-tests.sh": "cmp -s requirements.txt .deps/requirements.txt && cmp -s .deps/when \"$CONDUCTORAI_BUILD/more/when\" "
                    "|| { echo 'the dependencies are not there'; exit 1; }\n"
                    "cat .deps/planted 2>/dev/null; grep -qx right app.txt && echo \"fetched at $(cat .deps/when)\"\n",
}
TEST = "sh ./run-tests.sh"


def workflow(**more):
    return {"name": "deps", "requirement": "app.txt says right", "workspace": {"repo": "."},
            "toolchain": {"prepare": FETCH, "build": "true", "test": TEST},
            "tasks": {"code": {"agent": "coding"}, "test": {"agent": "test", "needs": ["code"], "with": {"write-tests": False}}}, **more}


def by_tools(*calls):
    return [{"reply": {"tool_calls": [{"name": name, "arguments": arguments}]}} for name, arguments in calls] + [{"reply": {"text": "Done."}}]


RIGHT = ("write_file", {"path": "app.txt", "content": "right\n"})


class Dependencies(harness.ProjectTest):
    def prepared(self, answers=None, **more):
        project = self.project()
        project.repository(FILES)
        project.write("w.yaml", workflow(**more))
        project.write("answers.yaml", answers or by_tools(RIGHT))
        return project

    def printed(self, project, name, task="test"):
        """What a step of the newest workflow printed."""
        kept = project.run("artifacts", "list", "--task", task, "--name", name, "--json").lines
        self.assertTrue(kept, name)
        return project.run("artifacts", "cat", kept[-1]["digest"]).out

    def run_it(self, project, *more):
        done = project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json", *more)
        self.assertEqual((done.code, done.result["status"]), (0, "COMPLETED"), done)
        return self.printed(project, "tests.stdout").split("fetched at ")[1].strip()

    def test_are_fetched_once_for_the_same_lock_files(self):
        project = self.prepared()
        first = self.run_it(project)
        self.assertEqual(self.run_it(project), first, "by a later workflow of the project too")
        self.assertIn("fetched before", self.printed(project, "prepare.stdout"))

        project.write("requirements.txt", "left-pad==1.1\n")
        harness.git(project.folder, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qam", "another version")
        second = self.run_it(project)
        self.assertNotEqual(second, first)
        self.assertEqual(self.run_it(project), second)

    def test_an_attempt_with_changes_of_its_own_fetches_for_others_too(self):
        later = ("write_file", {"path": "requirements.txt", "content": "left-pad==2.0\n"})
        project = self.prepared(by_tools(RIGHT, ("run_command", {"command": "cat .deps/when"}), later,
                                         ("run_command", {"command": "cat .deps/when"})))
        first = self.run_it(project)
        seen = [self.printed(project, f"tool-{n}.stdout", "code").strip() for n in (2, 4)]
        self.assertNotEqual(seen[0], seen[1], "each by its lock file")
        self.assertEqual(seen[1], first, "what the coding agent had fetched is laid out for the tests")

    def test_are_fetched_each_time_where_none_are_kept(self):
        project = self.prepared()
        project.write("conductorai.yaml", {"runtime": {"dependency-cache": "0B"}})
        self.assertNotEqual(self.run_it(project, "--allow-dirty"), self.run_it(project, "--allow-dirty"))

    def test_are_fetched_once_by_an_attempt_also_where_none_are_kept_for_others(self):
        look = ("run_command", {"command": "cat .deps/when"})
        project = self.prepared(by_tools(RIGHT, look, look))
        project.write("conductorai.yaml", {"runtime": {"dependency-cache": "0B"}})
        tested = self.run_it(project, "--allow-dirty")
        seen = [self.printed(project, f"tool-{n}.stdout", "code").strip() for n in (2, 3)]
        self.assertEqual((seen[0], len(seen[0]) > 0), (seen[1], True))
        self.assertNotEqual(seen[0], tested)

    def test_without_a_lock_file_are_fetched_anew_once_a_file_has_changed(self):
        project = self.project()
        project.repository({"needs.list": "one\n", ".gitignore": ".deps/\n", "app.txt": "wrong\n"})
        project.write("w.yaml", {**workflow(), "toolchain": {"prepare": "mkdir -p .deps && cp needs.list .deps", "build": "true",
                                                             "test": "cmp needs.list .deps/needs.list"}})
        look = ("run_command", {"command": "cat .deps/needs.list"})
        project.write("answers.yaml", by_tools(look, ("write_file", {"path": "needs.list", "content": "two\n"}), look))
        done = project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json")
        self.assertEqual((done.code, done.result["status"]), (0, "COMPLETED"), done)
        self.assertEqual([self.printed(project, f"tool-{n}.stdout", "code") for n in (1, 3)], ["one\n", "two\n"])

    def test_are_there_for_each_command_of_a_model(self):
        look = ("run_command", {"command": "cat .deps/when \"$CONDUCTORAI_BUILD/more/when\""})
        project = self.prepared(by_tools(RIGHT, look, look))
        self.run_it(project)
        seen = self.printed(project, "tool-2.stdout", "code").split() + self.printed(project, "tool-3.stdout", "code").split()
        self.assertEqual((len(seen), len(set(seen))), (4, 1), seen)

    def test_a_script_that_an_attempt_planted_has_no_part_in_them(self):
        planted = ("write_file", {"path": "planted.sh", "content": "echo all is well > .deps/planted\n"})
        removed = ("run_command", {"command": "rm planted.sh", "keep_changes": True})
        project = self.prepared(by_tools(RIGHT, planted, ("run_command", {"command": "cat .deps/planted"}), removed))
        self.run_it(project)
        self.assertNotIn("all is well", self.printed(project, "tests.stdout"))

    def test_that_need_files_of_the_attempt_are_kept_for_it_alone(self):
        local = [("write_file", {"path": name, "content": "local\n"}) for name in ("requirements.txt", "local.txt")]
        planted = ("write_file", {"path": "planted.sh", "content": "echo all is well > .deps/planted\n"})
        removed = ("run_command", {"command": "rm planted.sh", "keep_changes": True})
        look = ("run_command", {"command": "cat .deps/when .deps/planted"})
        project = self.prepared(by_tools(RIGHT, *local, planted, look, look, removed))
        tested = self.run_it(project)
        first, second = (self.printed(project, f"tool-{n}.stdout", "code") for n in (5, 6))
        self.assertIn("all is well", first)
        self.assertEqual(first, second)
        self.assertNotIn(tested, first)
        self.assertNotIn("all is well", self.printed(project, "tests.stdout"))

    def test_killed_while_they_are_fetched_or_laid_out_it_goes_on(self):
        look = ("run_command", {"command": "cat .deps/when"})
        for point in ("step.begin.after_commit", "step.finish.before_commit", "step.finish.after_commit"):
            for hit in (3, 4, 5, 6, 8):
                with self.subTest(point, hit=hit):
                    project = self.prepared(by_tools(RIGHT, look))
                    mark = project.folder / "reached"
                    killed = project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json",
                                         env={"CONDUCTORAI_CRASH_AT": f"{point}:{hit}", "CONDUCTORAI_CRASH_MARK": str(mark)})
                    self.assertEqual((killed.code, mark.exists()), (-9, True), killed)
                    done = project.run("resume", "--json")
                    self.assertEqual((done.code, done.result["status"]), (0, "COMPLETED"), done)

    def test_a_fetch_that_fails_is_told_to_the_model_and_fails_the_build(self):
        broken = ("write_file", {"path": "requirements.txt", "content": "missing\n"})
        project = self.prepared(by_tools(RIGHT, broken, ("run_command", {"command": "echo still runs"})))
        done = project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json")
        self.assertEqual((done.code, done.result["status"]), (1, "FAILED"), done)
        self.assertIn("still runs", self.printed(project, "tool-3.stdout", "code"))
        self.assertIn("no such package", done.out)


if __name__ == "__main__":
    unittest.main()
