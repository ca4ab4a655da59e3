"""Lists or runs the tests of a Cargo package or workspace and writes CONDUCTORAI_REPORT, one JSON object a line.

Usage: python3 -I -B cargo_tests.py discover|run

libtest's machine-readable output needs a nightly compiler, and its printed text is no report. So each test runs in a process of its own
(`--exact NAME`), and that process's exit code is the result: neither an exit in one test nor text it prints changes another's.
"""
import json
import os
import re
import shutil
import subprocess
import sys


def built_binaries():
    """(package target, path) of every test binary; cargo names them in JSON on stdout, where no generated code prints."""
    command = ["cargo", "test", "--no-run", "--message-format=json", "--quiet"]
    built = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    binaries, doc = [], False
    for line in built.stdout.splitlines():
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if message.get("reason") == "compiler-message":
            print(message["message"].get("rendered", ""), file=sys.stderr)
        if message.get("reason") != "compiler-artifact":
            continue
        target = message.get("target", {})
        doc = doc or (target.get("doctest", False) and "lib" in target.get("kind", []))
        if message.get("executable") and message.get("profile", {}).get("test"):
            package = os.path.dirname(message.get("manifest_path", "")) or os.getcwd()
            binaries.append((f"{target.get('name', '?')}", message["executable"], package))
    return built.returncode, sorted(binaries), doc


def names_in(binary, folder, ignored):
    command = [binary, "--list", "--format", "terse"] + (["--ignored"] if ignored else [])
    listed = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=folder, text=True, errors="replace")
    if listed.returncode != 0:
        return None
    return [line[: -len(": test")] for line in listed.stdout.splitlines() if line.endswith(": test")]


def run_one(binary, folder, name):
    command = [binary, "--exact", name, "--test-threads=1", "--nocapture"]
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=folder)
    text = ran.stdout[-3500:].decode("utf-8", "replace")
    if ran.returncode == 0:
        # Not taken as proof of a pass, only as a doubt: libtest says so whenever it reached its own end.
        if "test result: ok. 1 passed" in text or "test result: ok. 0 passed; 0 failed; 1 ignored" in text:
            return {"status": "passed"}
        return {"status": "error", "message": "the process ended with exit code 0 before the test did\n" + text}
    place = re.search(r"panicked at '?(?:.*', )?([^\s:']+):(\d+):\d+", text)
    where = {"file": place.group(1), "line": int(place.group(2))} if place else {}
    return {"status": "failed" if ran.returncode == 101 else "error", "message": text, **where}


def main():
    path = os.environ.pop("CONDUCTORAI_REPORT")
    mode = sys.argv[1]
    file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")
    count, bad, good = 0, 0, 0

    def out(value):
        file.write(json.dumps(value) + "\n")
        file.flush()

    out({"shim": "cargo", "version": 1})
    if shutil.which("cargo") is None:
        out({"end": {"cases": 0, "missing": ["cargo"]}})
        return 5
    code, binaries, doc = built_binaries()
    if code != 0:
        print("the tests do not build", file=sys.stderr)
        return code
    for target, binary, folder in binaries:
        names, ignored = names_in(binary, folder, False), names_in(binary, folder, True)
        if names is None or ignored is None:
            print(f"{target} can't list its tests", file=sys.stderr)
            return 3
        for name in names:
            count += 1
            if mode == "discover":
                out({"test": f"{target}::{name}"})
                continue
            result = {"status": "skipped"} if name in ignored else run_one(binary, folder, name)
            bad += result["status"] in ("failed", "error")
            good += result["status"] == "passed"
            out({"case": {"name": f"{target}::{name}", **result}})
            if result.get("message"):
                print(f"---- {target}::{name}\n{result['message']}")
    if mode == "run" and doc:
        ran = subprocess.run(["cargo", "test", "--doc", "--quiet"], stdin=subprocess.DEVNULL)
        bad += ran.returncode != 0
    out({"end": {"cases": count}})
    return 0 if mode == "discover" else 1 if bad else 0 if good else 5


if __name__ == "__main__":
    sys.exit(main())
