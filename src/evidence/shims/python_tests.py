"""Runs or lists the tests of the project in the working directory and writes CONDUCTORAI_REPORT, one JSON object a line.

Usage: python3 -I -B python_tests.py check | unittest discover|run [--start DIR] [--pattern GLOB] | pytest discover|run [ARGS]

Isolated mode (-I) keeps the project's files off sys.path until everything needed here is imported, so that a json.py or unittest.py of
the project replaces nothing. All state lives in closures, and __main__ is empty while the project's code runs.
"""
import builtins
import fnmatch
import importlib
import importlib.util
import json
import os
import sys
import traceback
import types
import unittest
import unittest.case
import unittest.loader
import unittest.result
import unittest.suite
import unittest.util

SKIPPED_FOLDERS = {"node_modules", "__pycache__", "venv", "env", "build", "dist", "site-packages"}


def python_files(root, wanted):
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in SKIPPED_FOLDERS)
        for name in sorted(names):
            if name.endswith(".py") and wanted(name):
                yield os.path.join(folder, name)


def check_syntax(root):
    bad = 0
    for path in python_files(root, lambda name: True):
        try:
            with open(path, "rb") as source:
                compile(source.read(), os.path.relpath(path, root), "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            bad += 1
            line = getattr(error, "lineno", None) or 1
            print(f"{os.path.relpath(path, root)}:{line}:1: error: {error.__class__.__name__}: {getattr(error, 'msg', error)}")
    return 1 if bad else 0


def open_report(name):
    path = os.environ.pop("CONDUCTORAI_REPORT")
    file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", errors="backslashreplace")
    encode = json.JSONEncoder(ensure_ascii=True).encode
    write, flush = file.write, file.flush

    def line(value):
        write(encode(value) + "\n")
        flush()

    line({"shim": name, "version": 1})
    return line


def snapshot(modules):
    """Identities of what decides over results: a test run must not change them. Names added to a module are no change."""
    seen = []
    callables = (types.FunctionType, types.BuiltinFunctionType, type, classmethod, staticmethod, property)
    for module in modules:
        for key, value in list(vars(module).items()):
            if not isinstance(value, callables):
                continue
            seen.append((vars(module), module.__name__, key, value))
            if isinstance(value, type) and value.__module__ == module.__name__ and module is not builtins:
                for name, member in list(vars(value).items()):
                    if isinstance(member, callables):
                        seen.append((vars(value), f"{module.__name__}.{key}", name, member))

    def changed():
        return [f"{owner}.{key}" for space, owner, key, value in seen if space.get(key) is not value][:20]

    return changed


def inside(root, path):
    path = os.path.realpath(path) if path and not path.startswith("<") else ""
    return os.path.relpath(path, root) if path.startswith(root + os.sep) else None


def place_of(tb, root, walk=traceback.walk_tb):
    """The deepest frame in a file of the project."""
    found = ("", 0)
    for frame, line in walk(tb):
        relative = inside(root, frame.f_code.co_filename)
        if relative is not None:
            found = (relative, line)
    return found


def describe(kind, error, tb, root, form=traceback.format_exception):
    file, line = place_of(tb, root)
    while tb is not None and file and inside(root, tb.tb_frame.f_code.co_filename) is None:
        tb = tb.tb_next  # frames of the runner before the project's first
    text = "".join(form(kind, error, tb))
    if isinstance(error, SyntaxError) and error.filename:
        relative = inside(root, error.filename)
        if relative is not None:
            file, line = relative, error.lineno or 0
    return {"message": text[-3500:], "file": file, "line": line}


def enter_project(root):
    """From here on the project's modules can be imported; __main__ no longer leads to this program."""
    sys.modules["__main__"] = types.ModuleType("__main__")
    source = os.path.join(root, "src")
    if os.path.isdir(source) and not os.path.exists(os.path.join(source, "__init__.py")):
        sys.path.insert(0, source)
    sys.path.insert(0, root)


def import_test_file(path, root):
    relative = os.path.relpath(path, root)
    folder = os.path.dirname(path)
    name = relative[:-3].replace(os.sep, ".")
    if os.path.exists(os.path.join(folder, "__init__.py")):
        top = folder
        while os.path.exists(os.path.join(os.path.dirname(top), "__init__.py")) and top != root:
            top = os.path.dirname(top)
        parent = os.path.dirname(top)
        if parent not in sys.path:
            sys.path.insert(1, parent)
        module = importlib.import_module(os.path.relpath(path, parent)[:-3].replace(os.sep, "."))
        if os.path.realpath(module.__file__ or "") != os.path.realpath(path):
            raise ImportError(f"{relative} is hidden by {module.__file__}")
        return module
    if folder not in sys.path:
        sys.path.append(folder)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def is_test_file(name):
    return name.startswith("test") or name.endswith("_test.py") or name.endswith("_tests.py")


def load_suites(root, options):
    """(suite, None) of each test file, or (None, error case) of one that can't be imported."""
    loader = unittest.loader.TestLoader()
    wanted = (lambda name: fnmatch.fnmatch(name, options["--pattern"])) if "--pattern" in options else is_test_file
    for path in python_files(os.path.normpath(os.path.join(root, options.get("--start", "."))), wanted):
        name = os.path.relpath(path, root)
        try:
            yield loader.loadTestsFromModule(import_test_file(path, root)), None
        except unittest.case.SkipTest as skip:
            yield None, {"name": name, "status": "skipped", "message": str(skip), "file": name, "line": 0}
        except BaseException:
            yield None, {"name": name, "status": "error", **describe(*sys.exc_info(), root)}


def tests_in(suite):
    try:
        members = list(suite)
    except TypeError:
        yield suite
        return
    for member in members:
        yield from tests_in(member)


def make_result(emit, root):
    class Recorder(unittest.result.TestResult):
        """One line a test. Nothing of the base class takes part in deciding an outcome."""

        def __init__(self):
            super().__init__()
            self.outcome = None
            self.bad = 0
            self.good = 0

        def startTest(self, test):
            self.outcome = None

        def record(self, test, status, detail):
            worse = self.outcome is None or self.outcome["status"] in ("passed", "skipped")
            if worse:
                self.outcome = {"name": test.id(), "status": status, **detail}

        def addSuccess(self, test):
            self.record(test, "passed", {})

        def addError(self, test, error):
            if not isinstance(test, unittest.case.TestCase):  # a class or module fixture
                self.bad += 1
                emit({"case": {"name": test.id(), "status": "error", **describe(*error, root)}})
                return
            self.record(test, "error", describe(*error, root))

        def addFailure(self, test, error):
            self.record(test, "failed", describe(*error, root))

        def addSkip(self, test, reason):
            if self.outcome is None:
                self.record(test, "skipped", {"message": str(reason)})
            if not isinstance(test, unittest.case.TestCase):
                self.stopTest(test)

        def addExpectedFailure(self, test, error):
            self.record(test, "skipped", {"message": "expected failure"})

        def addUnexpectedSuccess(self, test):
            self.record(test, "failed", {"message": "passed although marked as an expected failure"})

        def addSubTest(self, test, subtest, error):
            if error is not None:
                failed = issubclass(error[0], test.failureException)
                detail = describe(*error, root)
                detail["message"] = f"{subtest._subDescription()}\n{detail['message']}"
                self.record(test, "failed" if failed else "error", detail)

        def stopTest(self, test):
            outcome = self.outcome or {"name": test.id(), "status": "error", "message": "ended without an outcome"}
            self.outcome = None
            outcome["name"] = test.id()
            if outcome["status"] in ("failed", "error"):
                self.bad += 1
            else:
                self.good += 1
            emit({"case": outcome})

    return Recorder()


def run_unittest(mode, root, rest):
    options = dict(zip(rest[::2], rest[1::2]))
    changed = snapshot([builtins, unittest, unittest.case, unittest.loader, unittest.result, unittest.suite, unittest.util])
    out = open_report("unittest")
    count = 0

    def emit(line):
        nonlocal count
        count += 1
        out(line)

    enter_project(root)
    suites = list(load_suites(root, options))
    if mode == "discover":
        for suite, broken in suites:
            for name in [broken["name"]] if broken else [test.id() for test in tests_in(suite)]:
                emit({"test": name})
        out({"end": {"cases": count}})
        return 0
    result = make_result(emit, root)
    tampered = set(changed())
    for suite, broken in suites:
        if broken:
            emit({"case": broken})
            result.bad += broken["status"] == "error"
        else:
            suite.run(result)
        tampered.update(changed())
    out({"end": {"cases": count, "tampered": sorted(tampered)}})
    print(f"{count} tests, {result.bad} failed")
    return 1 if result.bad or tampered else 0 if result.good else 5


def pytest_plugin(pytest, emit, root, listing):
    class Plugin:
        raised = set()
        bad = 0

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_runtest_makereport(self, item, call):
            outcome = yield
            report = outcome.get_result()
            # A conftest.py that turns a failure into a pass is outvoted: what was raised is seen here.
            if call.excinfo is not None and report.outcome == "passed":
                self.raised.add(item.nodeid)

        def pytest_collection_finish(self, session):
            if listing:
                for item in session.items:
                    emit({"test": item.nodeid})

        def pytest_collectreport(self, report):
            if not report.failed:
                return
            if listing:
                emit({"test": report.nodeid})
            else:
                self.case(report, "error")

        def pytest_runtest_logreport(self, report):
            if report.nodeid in self.raised:
                self.raised.discard(report.nodeid)
                self.case(report, "error", "an exception was raised and reported as a pass")
            elif report.failed:
                self.case(report, "failed" if report.when == "call" else "error")
            elif report.skipped:
                self.case(report, "skipped")
            elif report.when == "call":
                self.case(report, "passed")

        def case(self, report, status, message=None):
            self.bad += status in ("failed", "error")
            text = "" if status == "passed" else message or report.longreprtext
            if status == "skipped" and isinstance(report.longrepr, tuple):
                text = str(report.longrepr[2])
            file, line = report.nodeid.split("::")[0], 0
            crash = getattr(getattr(report, "longrepr", None), "reprcrash", None)
            if crash is not None:
                relative = inside(root, os.path.join(root, crash.path))
                file, line = (relative, crash.lineno) if relative else (file, line)
            emit({"case": {"name": report.nodeid, "status": status, "message": text[-3500:], "file": file, "line": line}})

    return Plugin()


def run_pytest(mode, root, rest):
    out = open_report("pytest")
    try:
        import pytest
        import _pytest.python
        import _pytest.reports
        import _pytest.runner
        import _pytest.unittest
    except ImportError:
        out({"end": {"cases": 0, "missing": ["pytest"]}})
        print("pytest is not installed for", sys.executable, file=sys.stderr)
        return 5
    changed = snapshot([builtins, _pytest.python, _pytest.reports, _pytest.runner, _pytest.unittest])
    count = 0

    def emit(line):
        nonlocal count
        count += 1
        out(line)

    plugin = pytest_plugin(pytest, emit, root, mode == "discover")
    enter_project(root)
    arguments = ["-p", "no:cacheprovider", "--rootdir", root, "--color=no", "-q", "--continue-on-collection-errors", *rest]
    code = pytest.main(arguments + (["--collect-only"] if mode == "discover" else []), plugins=[plugin])
    if mode == "discover":
        out({"end": {"cases": count}})
        return 0
    tampered = changed()
    out({"end": {"cases": count, "tampered": tampered}})
    return int(code) or (1 if plugin.bad or tampered else 0)


def main():
    root = os.path.realpath(os.getcwd())
    arguments = sys.argv[1:]
    sys.argv = [arguments[0]]
    if arguments[0] == "check":
        return check_syntax(root)
    return {"unittest": run_unittest, "pytest": run_pytest}[arguments[0]](arguments[1], root, arguments[2:])


if __name__ == "__main__":
    sys.exit(main())
