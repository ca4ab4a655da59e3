"""aimock, an LLM service that is not ours: started for a test, with what it was asked as its journal and the wire have it."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import urllib.request

import harness

PEER = harness.ROOT / "tests" / "peers" / "aimock"


def node():
    """The peer's own, else the machine's: aimock needs 20.15."""
    own = sorted(PEER.glob("node_modules/node-linux-*/bin/node"))
    return str(own[0]) if own else shutil.which("node")


def missing():
    """What keeps its tests from running; empty: nothing."""
    if node() is None:
        return "there is no node"
    if not (PEER / "node_modules" / "@copilotkit").is_dir():
        return "aimock is not installed (script/setup --test)"
    return "" if harness.FIXTURES else "CONDUCTORAI_FIXTURES is not set"


def needed(test_class):
    """A machine without it skips, and says so; where everything must hold, that is a failure."""
    why = missing()
    if not why or os.environ.get("CI"):
        return test_class
    return unittest.skip(why)(test_class)


class Aimock:
    def __init__(self, fixtures):
        assert not missing(), missing()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="conductorai-aimock-"))
        (self.folder / "fixtures.json").write_text(json.dumps({"fixtures": fixtures}))
        self.wire_file = self.folder / "wire.jsonl"
        self.process = subprocess.Popen([node(), PEER / "serve.mjs", self.folder / "fixtures.json", self.wire_file], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        assert self.url, "aimock did not start"

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder)

    def journal(self):
        with urllib.request.urlopen(self.url + "/__aimock/journal") as answer:
            return [entry for entry in json.load(answer) if entry["method"] == "POST"]

    def wire(self):
        """What was posted, by the id that the journal knows it by."""
        lines = map(json.loads, self.wire_file.read_text().splitlines())
        return {line["headers"]["x-request-id"]: line for line in lines}
