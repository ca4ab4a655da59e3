"""`conductorai init` and `conductorai plan`: the way to a first run."""
import json
import os
import pty
import subprocess

import harness

PROJECTS = {"python": {"pyproject.toml": "[project]\nname='x'\n"}, "node": {"package.json": "{}"}, "cpp": {"CMakeLists.txt": ""},
            "go": {"go.mod": "module x\n"}, "rust": {"Cargo.toml": ""}, "": {"notes.txt": "x"}}


class Init(harness.ProjectTest):
    def test_writes_a_file_that_holds_for_every_language(self):
        for language, files in PROJECTS.items():
            for repository in (True, False):
                with self.subTest(language=language, repository=repository):
                    project = self.project()
                    if repository:
                        project.repository(files)
                    else:
                        for name, text in files.items():
                            project.write(name, text)
                    made = project.run("init")
                    self.assertEqual(made.code, 0, made)
                    text = (project.folder / "workflow.yaml").read_text()
                    self.assertIn(f"language: {language}" if language else "# inputs:", text)
                    self.assertEqual("\nworkspace:\n" in text, repository)
                    self.assertEqual(project.run("validate", "workflow.yaml").code, 0)
                    self.assertEqual(project.run("plan", "workflow.yaml").code, 0)

    def test_overwrites_only_when_forced(self):
        project = self.project()
        project.write("workflow.yaml", "mine")
        refused = project.run("init")
        self.assertEqual(refused.code, 2, refused)
        self.assertIn("--force", refused.err)
        self.assertEqual((project.folder / "workflow.yaml").read_text(), "mine")
        self.assertEqual(project.run("init", "--force").code, 0)
        self.assertEqual(project.run("validate", "workflow.yaml").code, 0)
        self.assertEqual([f.name for f in project.folder.iterdir()], ["workflow.yaml"])

    def test_asks_on_a_terminal(self):
        project = self.project()
        master, terminal = pty.openpty()
        process = subprocess.Popen(project.command("init"), cwd=project.folder, env=harness.environment({}), stdin=terminal, stdout=terminal, stderr=terminal)
        os.close(terminal)
        os.write(master, b"shop\nA shop that counts: all of it\npython\n")
        self.assertEqual(process.wait(60), 0)
        os.close(master)
        text = (project.folder / "workflow.yaml").read_text()
        self.assertIn('name: "shop"', text)
        self.assertIn("A shop that counts: all of it", text)
        self.assertIn("language: python", text)
        self.assertEqual(project.run("validate", "workflow.yaml").code, 0)


class Plan(harness.ProjectTest):
    def test_draws_the_graph_with_its_gates(self):
        project = self.project()
        project.write("w.yaml", {"name": "whole", "requirement": "x", "gates": {"devops": {"approval": True}}})
        text = project.run("plan", "w.yaml").out
        for part in ("DEVELOPMENT", "├─╮", "├─╯", "● │  review", "◆    gate: 100% of verdicts passed, then an approval", "model calls"):
            self.assertIn(part, text)
        self.assertLess(max(map(len, text.splitlines())), 100)

    def test_is_an_object_for_programs(self):
        project = self.project()
        project.write("w.yaml", {"name": "whole", "requirement": "x"})
        done = project.run("plan", "w.yaml", "--json")
        plan = json.loads(done.out)
        self.assertEqual([phase["phase"] for phase in plan["phases"]], ["DEVELOPMENT", "DEVOPS", "MONITORING"])
        self.assertEqual([[t["id"] for t in level] for level in plan["phases"][0]["levels"]], [["code"], ["review", "test-data"], ["test"]])
        self.assertGreater(plan["calls_worst"], plan["calls"])
