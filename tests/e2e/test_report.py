"""`conductorai report` as a person meets it: the file, and the page in a real browser on a phone and a desktop, light and dark."""
import http.server
import os
import textwrap
import threading
import unittest

import browser
import harness

HOSTILE = "</script></pre><script>window.pwned=1</script><img src=x onerror=window.pwned=2> \u202eevil &lt; \x1b[31mred"


def reported(project, *args):
    done = project.run("report", *args, "--open", "no", "--json")
    assert done.code == 0, done
    return project.folder / done.lines[-1]["file"]


# What a watched service may do wrong besides answering wrongly: queue up, and complain in its log.
WATCHED = textwrap.dedent('''
    import http.server, os
    class Service(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if BAD and self.path == "/missing": print("Traceback: looked for what is not there", flush=True)
            text = b"# TYPE queue gauge\\nqueue QUEUE\\n" if self.path == "/metrics" else b"ok"
            self.send_response(404 if self.path == "/missing" and not BAD else 200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
        def log_message(self, *args): pass
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Service).serve_forever()
''')
WATCH = {
    "name": "watched", "requirement": "a service with a queue", "toolchain": {"run": "python3 service.py"},
    "tasks": {
        "code": {"agent": "coding"},
        "deploy": {"agent": "deploying", "needs": ["code"], "with": {"driver": "process", "health": "/healthz"}},
        "monitor": {"agent": "monitor", "needs": ["deploy"], "with": {
            "window": "1s", "logs": ["Traceback"],
            "probes": [{"get": "/missing", "status": 404}, {"metrics": "/metrics", "thresholds": {"queue": 10}}]}},
    },
}
DIAGNOSIS = {"match": {"agent": "monitor"}, "reply": {"json": {"diagnosis": "too much waits", "findings": [], "recommendations": [],
                                                               "affected_tasks": ["code"]}}}


def written(round, bad, queue):
    service = WATCHED.replace("BAD", str(bad)).replace("QUEUE", str(queue))
    return {"match": {"agent": "coding", "round": round}, "reply": {"files": {"service.py": service}}}


class ReportFile(harness.ProjectTest):
    def ran(self):
        project = self.project()
        project.write("w.yaml", {"name": "two", "tasks": {"first": {"agent": "command", "with": {"run": "echo one"}},
                                                         "then": {"agent": "command", "with": {"run": "echo two; exit 3"}, "needs": ["first"]}}})
        project.run("run", "w.yaml")
        return project

    def test_stands_beside_the_state_and_is_told_by_name(self):
        project = self.ran()
        done = project.run("report")
        self.assertEqual(done.code, 0, done)
        file = project.folder / done.out.strip()
        self.assertTrue(file.read_text().startswith("<!doctype html>"), done)
        self.assertEqual(file.parent, (project.folder / ".conductorai/reports").resolve())
        self.assertEqual(project.run("report").code, 0, "a report is written anew")

    def test_goes_where_the_user_says_and_replaces_nothing_else(self):
        project = self.ran()
        printed = project.run("report", "-o", "-")
        self.assertIn("</html>", printed.out)
        self.assertEqual(project.run("report", "-o", "sub/folder/r.html").code, 0)
        self.assertEqual(project.run("report", "-o", "sub/folder/r.html").code, 0)
        project.write("mine.html", "<p>mine</p>")
        refused = project.run("report", "-o", "mine.html")
        self.assertEqual(refused.code, 2, refused)
        self.assertIn("hint:", refused.err)
        self.assertEqual((project.folder / "mine.html").read_text(), "<p>mine</p>")
        os.symlink("elsewhere", project.folder / "link.html")
        self.assertEqual(project.run("report", "-o", "link.html").code, 2)
        self.assertFalse((project.folder / "elsewhere").exists())

    def test_tells_of_a_workflow_that_failed_or_waits(self):
        project = self.project()
        project.write("w.yaml", {"name": "waits", "tasks": {"a": {"agent": "command", "with": {"run": "true"}, "approval": True}}})
        self.assertEqual(project.run("run", "w.yaml").code, 3)
        page = reported(project).read_text()
        self.assertIn("conductorai approve", page)
        self.assertIn("PAUSED", page)
        self.assertEqual(project.run("report", "nothing-like-it").code, 2)


@unittest.skipUnless(browser.find(), "no chromium here: script/setup --test installs it")
class InABrowser(harness.ProjectTest):
    @classmethod
    def setUpClass(cls):
        cls.browser = browser.Browser().__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.browser.__exit__()

    def looks(self, file):
        for width in (375, 1280):
            for dark in (False, True):
                with self.subTest(width=width, dark=dark):
                    yield self.browser.open(file.resolve().as_uri(), width, dark)

    def check(self, page, file):
        self.assertEqual(page.complaints(), [])
        self.assertEqual(page.requests(), [file.resolve().as_uri()])
        self.assertIsNone(page.value("window.pwned"))
        page.value("document.querySelectorAll('details').forEach(fold => fold.open = true)")
        self.assertLessEqual(page.value("document.documentElement.scrollWidth"), page.value("innerWidth"))
        # headings: one first, none skipped
        levels = page.value("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
        self.assertEqual((levels[0], levels.count(1)), (1, 1))
        self.assertTrue(all(after - before <= 1 or (before, after) == (2, 4) for before, after in zip(levels, levels[1:])), levels)
        # what a person without sight is told: every drawing has a name, every link leads somewhere
        self.assertEqual(page.value("[...document.querySelectorAll('body svg:not(svg svg)')].filter(s => !s.getAttribute('aria-label')).length"), 0)
        self.assertEqual(page.value("[...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.getElementById(a.getAttribute('href').slice(1)))"
                                    ".map(a => a.outerHTML)"), [])
        self.assertEqual(page.value(LOW_CONTRAST), [])

    def test_a_run_with_rework(self):
        project, workflow, answers = self.example("fix-a-bug")
        project.run("run", workflow, "--llm", f"mock:{answers}")
        file = reported(project)
        for page in self.looks(file):
            self.check(page, file)
            text = page.value("document.body.innerText")
            for part in ("fix-a-bug", "COMPLETED", "Timeline", "Graph", "Round 2 · rework", "7 passed", "Usage", "Journal", "ValueError not raised"):
                self.assertIn(part, text)
            self.assertEqual(page.value("document.querySelectorAll('.bar').length"), 4)
            self.assertGreater(page.value("document.querySelectorAll('.diff .a').length"), 0)
            background = page.value("getComputedStyle(document.body).backgroundColor")
        self.assertEqual(background, "rgb(18, 20, 22)", "dark where the reader asked for it")

    def test_what_the_monitor_measured(self):
        project = self.project()
        project.write("w.yaml", WATCH)
        project.write("answers.yaml", [written(1, True, 19), DIAGNOSIS, written(2, False, 3)])
        self.addCleanup(self.stop_releases, project)
        done = project.run("run", "w.yaml", "--llm", "mock:answers.yaml")
        self.assertEqual(done.code, 0, done)
        file = reported(project)
        for page in self.looks(file):
            self.check(page, file)
            self.assertEqual(page.value("[...document.querySelectorAll('#probes .watch')].map(w => w.querySelector('.pill').textContent)"),
                             ["failed", "passed"])
            drawn = page.value("[...document.querySelectorAll('#probes .watch')].map(w => [...w.querySelectorAll('figure h4')].map(h => h.firstChild.textContent.trim()))")
            self.assertEqual(drawn, [["GET /missing", "METRICS /metrics", "queue", "Memory", "Processor"]] * 2)
            # each look of a probe is a point, the wrong ones stand out, and each line has its pieces within its drawing
            points = page.value("[...document.querySelectorAll('#probes .watch')].map(w => ['ok', 'bad'].map(c => w.querySelectorAll('circle.' + c).length))")
            self.assertEqual(points[0][0], 0, "nothing was as expected")
            self.assertEqual(points[1][1], 0, "everything was as expected")
            self.assertGreater(min(points[0][1], points[1][0]), 10)
            self.assertEqual(page.value(OUTSIDE), [])
            self.assertGreater(min(page.value("[...document.querySelectorAll('#probes svg.lines')].map(s => s.querySelectorAll('.value').length)")), 1)
            self.assertEqual(page.value("[...document.querySelectorAll('#probes svg.lines text.slo')].map(t => t.textContent)"), ["at most 10"] * 2)
            text = page.value("document.querySelector('#probes').innerText")
            self.assertRegex(text, r"Lines of the log that must not be there: \d+")
            self.assertIn("Traceback: looked for what is not there", text)
            self.assertRegex(page.value("document.body.innerText"), r"Time to repair\s+[\d.]+ m?s")

    def test_no_text_acts(self):
        project = self.project()
        script = "import sys; sys.stdout.write(%r); sys.exit(1)" % HOSTILE
        project.write("evil.py", script)
        project.repository({"evil.py": script, f"a{chr(0x202e)}<b>.txt": "x"})
        project.write("w.yaml", {"name": HOSTILE.replace("\x1b", "").replace("\u202e", ""), "description": "<script>window.pwned=3</script>",
                                 "requirement": HOSTILE.replace("\x1b", ""), "workspace": {"repo": "."},
                                 "tasks": {"print": {"agent": "command", "with": {"run": "/usr/bin/python3 evil.py"}}}})
        project.run("run", "w.yaml", "--allow-dirty")
        file = reported(project)
        self.assertNotIn("\x1b", file.read_text())
        self.assertNotIn("\u202e", file.read_text())
        for page in self.looks(file):
            self.check(page, file)
            self.assertIn("<script>window.pwned=1</script>", page.value("document.body.textContent"))

    def test_is_the_same_page_when_served(self):
        project = self.project()
        project.write("w.yaml", {"name": "served", "tasks": {"a": {"agent": "command", "with": {"run": "true"}}}})
        project.run("run", "w.yaml")
        file = reported(project)

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=str(file.parent))

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = self.browser.open(f"http://127.0.0.1:{server.server_port}/{file.name}", 1280)
        self.assertEqual([c for c in page.complaints() if "favicon" not in c], [])
        self.assertEqual(page.value("document.querySelector('h1').innerText.startsWith('served')"), True)


# What is drawn beyond its drawing, where nobody sees it.
OUTSIDE = """
[...document.querySelectorAll('#probes svg')].flatMap(svg => {
  const room = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('circle,line,rect,text')].filter(shape => {
    const box = shape.getBoundingClientRect();
    return !(box.left >= room.left - 4 && box.right <= room.right + 4 && box.top >= room.top - 4 && box.bottom <= room.bottom + 4);
  }).map(shape => shape.outerHTML);
})
"""

# Text whose contrast with what lies behind it is under 4.5 (WCAG AA); the page's backgrounds are plain colours.
LOW_CONTRAST = """
(() => {
  const rgba = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  for (const element of document.querySelectorAll('body *:not(svg *)')) {
    if (![...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const front = light(rgba(getComputedStyle(element).color)), back = light(behind(element));
    const ratio = (Math.max(front, back) + .05) / (Math.min(front, back) + .05);
    if (ratio < 4.5) found.add(element.tagName + '.' + element.className + ' ' + ratio.toFixed(2));
  }
  return [...found];
})()
"""
