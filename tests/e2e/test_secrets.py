"""Secrets that the configuration takes from a file, a command or a text are nowhere in what a run keeps and shows."""
import json

import harness
from llm_server import Service

BY_FILE, BY_COMMAND, BY_TEXT = "file-key-0123456789", "command-key-0123456789", "text-header-0123456789"
CONFIG = """
llm:
  openai-key: { file: KEYFILE }
  anthropic-key: { command: "echo %s" }
  headers: { x-gateway-token: %s }
""" % (BY_COMMAND, BY_TEXT)
LEAK = "printf '%s\\n' " + BY_FILE + " " + BY_TEXT + " " + BY_COMMAND + "; echo key=" + BY_FILE + " > $CONDUCTORAI_OUTPUT; "
WORKFLOW = {
    "name": "secrets", "requirement": "x", "workspace": {"repo": "."}, "toolchain": {"build": "true"},
    "llm": {"provider": "anthropic", "model": "m", "retries": 0},
    "tasks": {
        "code": {"agent": "coding"},
        "review": {"agent": "review", "needs": ["code"]},
        "leak": {"agent": "command", "needs": ["code"], "with": {"run": LEAK + "exit 3"}},
    },
}
FINDINGS = {"findings": [{"severity": "error", "file": "add.py", "line": 1, "message": f"it holds {BY_FILE} and {BY_COMMAND}"}],
            "summary": f"do not print {BY_TEXT}"}


class Secrets(harness.ProjectTest):
    def test_none_is_in_output_artifacts_journal_or_findings(self):
        service, project = Service(), self.project()
        self.addCleanup(service.close)
        service.texts = ["```file:add.py\nx = 1\n```\n", json.dumps(FINDINGS)]
        project.repository({"README.md": "a project\n"})
        keyfile = harness.pathlib.Path(self.temporary_folder()) / "key"
        keyfile.write_text(BY_FILE + "\n")
        project.write("conductorai.yaml", CONFIG.replace("KEYFILE", str(keyfile)))
        # The workflow's own text is the user's; what is printed is assembled so that the text does not hold it.
        text = json.dumps(WORKFLOW)
        for secret in (BY_FILE, BY_COMMAND, BY_TEXT):
            text = text.replace(secret, secret.replace("-0123", "-''0123"))
        project.write("w.yaml", text)
        env = {"CONDUCTORAI_LLM__BASE_URL": service.url}
        done = project.run("run", "w.yaml", "--sandbox", "none", "--json", env=env)
        self.assertEqual(done.code, 1, done)
        sent = service.posts()[0]["headers"]
        self.assertEqual((sent["x-api-key"], sent["x-gateway-token"]), (BY_COMMAND, BY_TEXT))  # they were there to be found
        workflow_id = done.result["workflow_id"]
        shown = done.out + done.err + project.run("why", workflow_id).out + project.run("events", workflow_id, "--json").out
        self.assertIn("it holds *** and ***", shown)
        for line in project.run("artifacts", "list", workflow_id, "--json").lines:
            if line["name"].startswith("command.stdout"):
                self.assertEqual(project.run("artifacts", "cat", line["digest"]).out, "***\n***\n***\n")
        for secret in (BY_FILE, BY_COMMAND, BY_TEXT):
            self.assertNotIn(secret, shown)
            for file in (project.folder / ".conductorai").rglob("*"):  # ledger, artifacts and the report too
                if file.is_file():
                    self.assertNotIn(secret.encode(), file.read_bytes(), file)


if __name__ == "__main__":
    harness.unittest.main()
