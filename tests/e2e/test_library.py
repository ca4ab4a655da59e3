"""The library as an outside CMake project uses it: installed, found by find_package, linked, run."""
import os
import pathlib
import subprocess
import tempfile
import unittest

from harness import BINARY, ROOT, ProjectTest, environment

BUILD = pathlib.Path(BINARY).parent


def must(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=900, **options)
    assert done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def cached(name):
    for line in (BUILD / "CMakeCache.txt").read_text().splitlines():
        if line.startswith(name + ":"):
            return line.split("=", 1)[1]
    return ""


class LibraryTest(ProjectTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="conductorai-sdk-")
        cls.addClassCleanup(cls.folder.cleanup)
        os.chmod(cls.folder.name, 0o755)
        cls.prefix = pathlib.Path(cls.folder.name) / "prefix"
        must("cmake", "--install", BUILD, "--prefix", cls.prefix)

    def build(self, example):
        build = pathlib.Path(self.folder.name) / example
        sanitize = cached("CONDUCTORAI_SANITIZE")  # what is linked together must be sanitized alike
        flags = f"-fsanitize={sanitize}" if sanitize else ""
        must("cmake", "-G", "Ninja", "-S", ROOT / "examples" / example, "-B", build, f"-DCMAKE_CXX_COMPILER={cached('CMAKE_CXX_COMPILER')}",
             f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DCMAKE_CXX_FLAGS={flags}")
        must("cmake", "--build", build)
        return build / example

    def test_a_program_builds_a_workflow_in_code_runs_it_and_reads_state_and_artifacts(self):
        program = self.build("embed")
        project = self.project()
        out = must(program, project.folder, env=environment({}))
        self.assertIn("workflow.started", out)
        self.assertIn("workflow.completed", out)
        self.assertRegex(out, r"wf-\w+ greeting: COMPLETED")
        self.assertRegex(out, r"python files: [1-9]")

    def test_an_agent_of_ones_own_judges_by_what_it_measured(self):
        program = self.build("custom-agent")
        project = self.project()
        project.repository({"short.txt": "1\n2\n", "long.txt": "x\n" * 40})
        fits = subprocess.run([program, project.folder, "100"], capture_output=True, text=True, env=environment({}), timeout=60)
        self.assertEqual((fits.returncode, fits.stdout), (0, "COMPLETED in DEVOPS: 0 of 2 files are too long\n"), fits.stderr)
        fails = subprocess.run([program, project.folder, "10"], capture_output=True, text=True, env=environment({}), timeout=60)
        self.assertEqual((fails.returncode, fails.stdout), (1, "FAILED in DEVOPS: 1 of 2 files are too long\n"), fails.stderr)

    def test_the_installed_program_is_the_one_that_was_built(self):
        installed = must(self.prefix / "bin" / "conductorai", "version", env=environment({}))
        self.assertEqual(installed, must(BINARY, "version", env=environment({})))


if __name__ == "__main__":
    unittest.main()
