"""The sandbox through the binary: at least twenty escapes are tried and denied."""
import harness


class Selftest(harness.ProjectTest):
    def test_every_escape_is_denied(self):
        done = self.project().run("sandbox", "selftest", "--json")
        self.assertEqual(done.code, 0, done)
        self.assertGreaterEqual(len(done.lines), 20)
        for line in done.lines:
            self.assertTrue(line["denied"], line)

    def test_escape_sequences_never_reach_the_terminal(self):
        project = self.project()
        project.write("w.yaml", {"name": "loud", "tasks": {"a": {"agent": "command", "with": {"run": "printf '\\033]0;owned\\007\\033[2Jx'; exit 1"}}},
                                 "rework": {"max-rounds": 1}})
        done = project.run("run", "w.yaml")
        self.assertEqual(done.code, 1, done)
        self.assertNotIn("\033", done.out + done.err)
