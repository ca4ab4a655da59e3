"""Twenty programming cases: a wrong answer alone must FAIL, wrong then right must COMPLETE in two rounds. Nothing is believed, all is run."""
import json
import pathlib
import unittest

import harness

WORKFLOW = {"name": "case", "requirement": "", "workspace": {"repo": ".", "protected": ["test_solution.py"]},
            "tasks": {"code": {"agent": "coding"}, "test": {"agent": "test", "needs": ["code"], "with": {"write-tests": False}}}}


@unittest.skipUnless(harness.FIXTURES, "CONDUCTORAI_FIXTURES is not set")
class CodeTruth(harness.ProjectTest):
    def cases(self):
        path = pathlib.Path(harness.FIXTURES) / "code-truth" / "cases.jsonl"
        cases = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
        self.assertEqual(len(cases), 20)
        return cases

    def run_case(self, case, solutions):
        project = self.project()
        project.repository({case["test_file"]: case["tests"]})
        project.write("w.yaml", dict(WORKFLOW, requirement=case["prompt"]))
        project.write("answers.yaml", [{"match": {"agent": "coding"}, "reply": {"text": "All tests pass.", "files": {case["file"]: s}}}
                                       for s in solutions])
        return project.run("run", "w.yaml", "--llm", "mock:answers.yaml", "--json")

    def test_a_wrong_answer_alone_fails(self):
        for case in self.cases():
            with self.subTest(case["id"]):
                done = self.run_case(case, [case["bad_solution"]])
                self.assertEqual((done.code, done.result["status"]), (1, "FAILED"), done)

    def test_wrong_then_right_completes_in_two_rounds(self):
        for case in self.cases():
            with self.subTest(case["id"]):
                done = self.run_case(case, [case["bad_solution"], case["good_solution"]])
                self.assertEqual((done.code, done.result["status"], done.result["rounds"]), (0, "COMPLETED", 2), done)
