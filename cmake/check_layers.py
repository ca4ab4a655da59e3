#!/usr/bin/env python3
"""Checks every #include of our own against cmake/layers.txt and names the allowed way."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent


def read_table():
    table = {}
    for line in (root / "cmake/layers.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            folder, allowed = line.split(":")
            table[folder.strip()] = allowed.split()
    return table


def folder_of(path, table):
    """The longest entry of the table that the path lies in."""
    parts = path.split("/")
    for length in range(len(parts), 0, -1):
        if "/".join(parts[:length]) in table:
            return "/".join(parts[:length])
    return None


def violations(table):
    seen = 0
    for source in sorted((root / "src").rglob("*.[ch]pp")):
        inside = source.relative_to(root / "src").as_posix()
        folder = folder_of(inside, table)
        if folder is None:
            yield f"src/{inside}: its folder is not in cmake/layers.txt"
            continue
        for number, line in enumerate(source.read_text().splitlines(), 1):
            include = re.match(r'#include "([^"]+)"', line)
            if not include or include[1].startswith("conductorai/"):
                continue
            seen += 1
            target = folder_of(include[1], table)
            if target is None or target == folder or "*" in table[folder] or target in table[folder]:
                continue
            # Unit tests may use the neighbours they are tested with.
            if source.name.endswith("_test.cpp"):
                continue
            yield f"src/{inside}:{number}: {folder} may not include from {target}; allowed: {' '.join(table[folder]) or 'nothing'}"
    if seen == 0:
        yield "no include was found: the check itself is broken"


problems = list(violations(read_table()))
print("\n".join(problems))
if problems:
    sys.exit(1)
print("layers: ok")
