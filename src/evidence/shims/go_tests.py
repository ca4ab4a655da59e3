"""Lists or runs the tests of a Go module and writes CONDUCTORAI_REPORT.

Usage: python3 -I -B go_tests.py discover|run

`run` keeps the event stream of `go test -json`, which the go command writes itself; `discover` lists by `go test -list`, which runs
no test. Event names are "package.Test", listed names are made alike.
"""
import json
import os
import shutil
import subprocess
import sys


def discover(out):
    out({"shim": "go", "version": 1})
    if shutil.which("go") is None:
        out({"end": {"cases": 0, "missing": ["go"]}})
        return 5
    command = ["go", "test", "-list", "^(Test|Fuzz)", "-json", "./..."]
    listed = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    count = 0
    for line in listed.stdout.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        name = event.get("Output", "").strip()
        if event.get("Action") == "output" and name.isidentifier() and name.startswith(("Test", "Fuzz")):
            count += 1
            out({"test": f"{event['Package']}.{name}"})
    out({"end": {"cases": count}})
    return 0


def main():
    path = os.environ.pop("CONDUCTORAI_REPORT")
    file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def out(value):
        file.write(json.dumps(value).encode() + b"\n")
        file.flush()

    if sys.argv[1] == "discover":
        return discover(out)
    ran = subprocess.Popen(["go", "test", "-json", "./..."], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    for line in ran.stdout:
        file.write(line)
        try:
            sys.stdout.write(json.loads(line).get("Output", ""))
        except ValueError:
            sys.stdout.buffer.write(line)
    file.flush()
    return ran.wait()


if __name__ == "__main__":
    sys.exit(main())
