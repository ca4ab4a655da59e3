"""Models over TLS and HTTP/2: an answer is whole when its stream has ended, not when it seems long enough."""
import pathlib
import ssl
import subprocess

import harness
from llm_server import FILES, Service, chat_events

ANSWER = "".join(chat_events("house-model", FILES, (100, 20)))
WORKFLOW = """
name: add
requirement: A function add(a, b) in add.py.
workspace: { repo: . }
toolchain: { build: python3 -m compileall -q . }
llm: { provider: openai, model: house-model, retries: 2 }
tasks:
  code: { agent: coding, foreach: [TASKS] }
"""


class TlsService(Service):
    """Over TLS; ends each connection with its answer, and notes whether the connection took up the session of an earlier one."""

    def __init__(self, key, certificate, script):
        super().__init__(script, headers={"connection": "close"})
        self.resumed = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    @property
    def url(self):
        return super().url.replace("http:", "https:")

    def note(self, handler, body):
        self.resumed.append(handler.connection.session_reused)
        return super().note(handler, body)


class TlsTest(harness.ProjectTest):
    def certificate(self):
        key, certificate = (self.temporary_folder() + "/" + name for name in ("key.pem", "certificate.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate,
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        return key, certificate

    def usage_of(self, url, certificate, tasks=1):
        """Of a run of so many tasks with that service."""
        project = self.project()
        project.repository({"README.md": "a project\n"})
        project.write("workflow.yaml", WORKFLOW.replace("TASKS", ", ".join(map(str, range(tasks)))))
        done = project.run("run", "workflow.yaml", "--sandbox", "none", "--json", env={
            "CONDUCTORAI_LLM__BASE_URL": url, "CONDUCTORAI_LLM__CA_FILE": certificate, "OPENAI_API_KEY": "sk-e2e-http2"})
        self.assertEqual(done.code, 0, done)
        self.assertIn("return a + b", project.head_files(done)["add.py"])
        return done.result["usage"]


class Tls(TlsTest):
    def test_a_later_connection_takes_up_the_session_of_the_first(self):
        key, certificate = self.certificate()
        service = TlsService(key, certificate, script=(503, 503, "ok"))
        self.addCleanup(service.close)
        self.assertEqual(self.usage_of(service.url, certificate)["calls"], 1)
        self.assertEqual(service.resumed, [False, True, True])


class Http2(TlsTest):
    def go(self, *script, tasks=1):
        """The usage of a run of so many tasks against a service with that script."""
        key, certificate = self.certificate()
        program = pathlib.Path(__file__).with_name("http2_service.mjs")
        with subprocess.Popen(["node", program, key, certificate, ANSWER, *script], stdout=subprocess.PIPE, text=True) as service:
            try:
                return self.usage_of(f"https://127.0.0.1:{int(service.stdout.readline())}/v1", certificate, tasks)
            finally:
                harness.kill(service)

    def test_a_whole_answer_is_taken_with_its_length_and_without(self):
        for how in ("length", "open"):
            with self.subTest(how):
                usage = self.go(how)
                self.assertEqual((usage["calls"], usage["unknown_calls"], usage["output_tokens"]), (1, 0, 20))

    def test_streams_beside_each_other_get_each_its_own_answer(self):
        usage = self.go("length", tasks=16)
        self.assertEqual((usage["calls"], usage["unknown_calls"], usage["output_tokens"]), (16, 0, 320))

    def test_an_answer_that_ends_early_is_unknown_and_asked_for_again(self):
        for how in ("short", "reset"):
            with self.subTest(how):
                usage = self.go(how, "length")
                self.assertEqual((usage["calls"], usage["unknown_calls"], usage["output_tokens"]), (2, 1, 20))
