"""A service on the loopback that speaks the protocols of OpenAI and Anthropic, with faults on demand. Own words, no model."""
import http.server
import json
import threading
import time

FILES = "Here it is.\n\n```file:add.py\ndef add(a, b):\n    return a + b\n```\n"


def chat_events(model, text, tokens):
    """A stream of OpenAI's chat completions."""
    def event(delta, finish=None):
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return "data: " + json.dumps({"id": "c", "model": model, "choices": [choice]}) + "\n\n"
    half = len(text) // 2
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return [event({"role": "assistant", "content": text[:half]}), event({"content": text[half:]}), event({}, "stop"),
            "data: " + json.dumps({"id": "c", "model": model, "choices": [], "usage": usage}) + "\n\n", "data: [DONE]\n\n"]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # many workflows ask at once

    def handle_error(self, request, client_address):
        """Who asked may have been killed: no fault of the service."""


class Quiet(http.server.BaseHTTPRequestHandler):
    """Keeps connections and says nothing."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass


class Loopback:
    """What a service on a free port has: `listen` with its handler, then `url`, at the end `close`."""

    def listen(self, handler):
        self.server = Server(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Service(Loopback):
    """`script`: what the requests get, in order, the last one for ever: "ok", an HTTP status, "cut", "lost", "html", "no-usage"."""

    def __init__(self, script=("ok",), text=FILES, tokens=(100, 20), error=None, headers=None):
        self.script, self.text, self.tokens = list(script), text, tokens
        self.error, self.headers = error, headers or {}
        self.texts = []  # of the answers, in order, the last for ever; `text` where there are none
        self.choose = None  # or: the text that answers a request's body
        self.requests, self.lock = [], threading.Lock()
        service = self

        class Handler(Quiet):
            def do_GET(self):
                service.note(self, None)
                self.answer(200, json.dumps({"data": [{"id": "model-b"}, {"id": "model-a"}]}).encode())

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                what, text = service.note(self, body)
                service.play(self, what, body, text)

            def answer(self, status, body, kind="application/json"):
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                for name, value in service.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        self.listen(Handler)

    def note(self, handler, body):
        with self.lock:
            self.requests.append({"at": time.monotonic(), "path": handler.path, "headers": {k.lower(): v for k, v in handler.headers.items()}, "body": body})
            if body is None:
                return None, None
            posts = len(self.posts())
            text = self.choose(body) if self.choose else self.texts[min(posts, len(self.texts)) - 1] if self.texts else self.text
            return self.script[min(posts, len(self.script)) - 1], text

    def posts(self):
        return [r for r in self.requests if r["body"] is not None]

    def play(self, handler, what, body, text):
        if isinstance(what, int):
            error = self.error or {"message": f"made up {what}", "type": "made_up"}
            return handler.answer(what, json.dumps({"type": "error", "error": error}).encode())
        if what == "html":
            return handler.answer(502, b"<html><body>Bad Gateway</body></html>", "text/html")
        stream = self.messages(body, text) if handler.path.endswith("/messages") else chat_events(body["model"], text, self.tokens)
        if what == "no-usage":
            stream = [event for event in stream if '"usage"' not in event]
        if what == "lost":
            return self.lose(handler)
        if what == "cut":
            stream = stream[:2]
        handler.answer(200, "".join(stream).encode(), "text/event-stream")

    @staticmethod
    def lose(handler):
        handler.close_connection = True
        handler.connection.close()

    def messages(self, body, text):
        def event(kind, **more):
            return f"event: {kind}\ndata: " + json.dumps({"type": kind, **more}) + "\n\n"
        head = {"id": "m", "type": "message", "role": "assistant", "model": body["model"], "content": [],
                "usage": {"input_tokens": self.tokens[0], "output_tokens": 1}}
        return [event("message_start", message=head),
                event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
                event("content_block_delta", index=0, delta={"type": "text_delta", "text": text}),
                event("content_block_stop", index=0),
                event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": self.tokens[1]}),
                event("message_stop")]
