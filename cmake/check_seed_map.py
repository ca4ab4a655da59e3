#!/usr/bin/env python3
"""Checks docs/seed-map.md against the repository: what it names is there, and what it calls missing is not."""
import collections
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
page = "docs/seed-map.md"

PATH = re.compile(r"(?:[\w.+-]+/)+[\w.+-]*|[\w-]+\.(?:md|txt|py|cpp|hpp)")
PYTHON_TEST = re.compile(r"([\w./-]+\.py)::(\w+)")
GTEST = re.compile(r"([A-Z]\w*)\.([A-Z]\w*)")
SYMBOL = re.compile(r"[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*")
ABSENT = re.compile(r"\*((?:[\w.-]+/)+[\w.-]+)\*")


def has_symbol(text, symbol):
    """`Type::method` as it is written in a .cpp, or a declaration of both in one header."""
    owner, _, name = symbol.rpartition("::")
    if re.search(rf"\b{re.escape(symbol)}\b", text):
        return True
    if not re.search(rf"\b{name}\b", text):
        return False
    return re.search(rf"\b(?:class|struct|enum|namespace)\s+(?:[\w:]+::)?{owner.rpartition('::')[2]}\b", text) is not None


def check_test(kind, path, text, pattern, name, seen):
    seen[kind] += 1
    if not re.search(pattern, text):
        yield f"{path} has no test {name}"


def check_token(token, file, in_table, seen):
    """Problems of one `token`; `file` is the path named last in the same row."""
    python = PYTHON_TEST.fullmatch(token)
    path = python[1] if python else token
    if PATH.fullmatch(path):
        seen["files"] += 1
        if not (root / path).exists():
            yield f"there is no {path}"
        elif python:
            yield from check_test("Python tests", path, (root / path).read_text(), rf"(?m)^\s*def {python[2]}\(", python[2], seen)
        return
    gtest = GTEST.fullmatch(token)
    if not in_table or not (gtest or SYMBOL.fullmatch(token)):
        return
    if file is None or not (root / file).is_file():
        yield f"{token}: name its file before it, in the same row"
        return
    text = (root / file).read_text()
    if gtest:
        pattern = rf"(?m)^\s*TEST(?:_F|_P)?\(\s*{gtest[1]}\s*,\s*{gtest[2]}\s*\)"
        yield from check_test("C++ tests", file, text, pattern, token, seen)
        return
    seen["symbols"] += 1
    if not has_symbol(text, token):
        yield f"{file} has no {token}"


def check_line(line, seen):
    in_table = line.startswith("|")
    words = line
    if in_table:
        cells = line.strip().strip("|").split("|")
        words = "|".join(cells[1:])  # the first cell speaks the overview's words
        if len(cells) < 3:
            yield "a row has three cells: the overview's words, where it is, what shows it"
        elif not re.match(r"\s*(?:`|no test|not yet|–|-+\s*$|shown by)", cells[-1]):
            yield "the last cell names a test, or says `no test` or `not yet`"
    file = None
    for token in re.findall(r"`([^`]+)`", words):
        yield from check_token(token, file, in_table, seen)
        path = token.partition("::")[0]
        file = path if PATH.fullmatch(path) else file
    for path in ABSENT.findall(words):
        seen["missing"] += 1
        if (root / path).exists():
            yield f"{path} is there by now: say where in it and which test shows it"


def problems():
    seen = collections.Counter()
    for number, line in enumerate((root / page).read_text().splitlines(), 1):
        for problem in check_line(line, seen):
            yield f"{page}:{number}: {problem}"
    for kind in ("files", "C++ tests", "Python tests", "symbols"):
        if seen[kind] == 0:
            yield f"{page}: no {kind} were found: the check itself is broken"


found = list(problems())
print("\n".join(found))
if found:
    sys.exit(1)
print("seed map: ok")
