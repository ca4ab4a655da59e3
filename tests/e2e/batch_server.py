"""The batch APIs of OpenAI and Anthropic on the loopback, as their pages have them. No model: each call is answered by a file of its own."""
import hashlib
import json
import re
import threading

from llm_server import Loopback, Quiet


def answer_text(custom_id):
    name = hashlib.sha256(custom_id.encode()).hexdigest()[:12]
    return f"Here it is.\n\n```file:{name}.txt\nwritten\n```\n"


class BatchService(Loopback):
    """Batches end when `end()` is called; `lines` says what becomes of a call: "ok", a status, "expired", "cancelled", "missing"."""

    def __init__(self, ends_at_once=False):
        self.lock = threading.Lock()
        self.files, self.batches, self.requests = {}, {}, []
        self.uploads = 0
        self.first_state = "ended" if ends_at_once else "open"  # of a new batch; "failed": of openai, refused after it was taken
        self.lines = lambda number, custom_id: "ok"
        self.refuse_looks = None  # the status that whoever asks after a batch is answered with
        self.refuse = []  # statuses that the next submissions are answered with
        self.page = 100  # entries of a list
        self.before_reply = lambda: None  # called once a batch is made, before its maker hears of it
        service = self

        class Handler(Quiet):
            def do_GET(self):
                self.serve(b"")

            def do_DELETE(self):
                self.serve(b"")

            def do_POST(self):
                self.serve(self.rfile.read(int(self.headers.get("content-length", 0))))

            def serve(self, body):
                with service.lock:
                    service.requests.append((self.command, self.path, body))
                    status, reply = service.reply(self.command, self.path, body, self.headers)
                if status == 200 and self.command == "POST" and self.path.endswith("/batches"):
                    service.before_reply()
                data = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
                try:
                    self.send_response(status)
                    self.send_header("content-type", "application/json")
                    self.send_header("content-length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    pass  # who asked may be dead

        self.listen(Handler)

    def end(self):
        with self.lock:
            for batch in self.batches.values():
                if batch["state"] == "open":
                    batch["state"] = "ended"

    def asked(self, method, pattern):
        with self.lock:
            return [path for verb, path, _ in self.requests if verb == method and re.fullmatch(pattern, path)]

    def reply(self, method, path, body, headers):
        plain = path.split("?")[0].removeprefix("/v1")
        if method == "POST" and plain in ("/files", "/batches", "/messages/batches") and self.refuse:
            status = self.refuse.pop(0)
            return status, {"type": "error", "error": {"type": "made_up", "message": f"made up {status}"}}
        if method == "GET" and self.refuse_looks:
            return self.refuse_looks, {"type": "error", "error": {"type": "made_up", "message": "made up"}}
        if plain.startswith("/messages/batches"):
            return self.anthropic(method, plain.removeprefix("/messages/batches"), body)
        return self.openai(method, plain, body, headers, path)

    def make(self, calls, **more):
        number = len(self.batches) + 1
        made = {"id": f"batch_{number}", "state": self.first_state, "calls": calls, **more}
        self.batches[made["id"]] = made
        return made

    # OpenAI ---------------------------------------------------------------------------------------------------------

    def openai(self, method, path, body, headers, whole):
        if (method, path) == ("POST", "/files"):
            return 200, {"id": self.keep(body, headers), "object": "file"}
        if (method, path) == ("POST", "/batches"):
            asked = json.loads(body)
            assert asked["completion_window"] == "24h" and set(asked) == {"input_file_id", "endpoint", "completion_window", "metadata"}, asked
            calls = [json.loads(line) for line in self.files[asked["input_file_id"]].decode().splitlines()]
            assert all(call["url"] == asked["endpoint"] and call["method"] == "POST" for call in calls), calls
            assert len({call["custom_id"] for call in calls}) == len(calls)
            made = self.make([(call["custom_id"], call["body"]) for call in calls], metadata=asked["metadata"],
                             endpoint=asked["endpoint"], file=asked["input_file_id"])
            return 200, self.openai_batch(made)
        if (method, path) == ("GET", "/batches"):
            newest = list(reversed(self.batches.values()))
            after = re.search(r"after=(\w+)", whole)
            if after:
                newest = newest[[batch["id"] for batch in newest].index(after[1]) + 1:]
            return 200, {"object": "list", "data": [self.openai_batch(batch) for batch in newest[:self.page]], "has_more": len(newest) > self.page}
        if found := re.fullmatch(r"/batches/(batch_\d+)(/cancel)?", path):
            batch = self.batches[found[1]]
            if found[2]:
                batch["state"] = "cancelled"
            return 200, self.openai_batch(batch)
        if method == "DELETE" and (found := re.fullmatch(r"/files/(file-\d+)", path)):
            del self.files[found[1]]
            return 200, {"id": found[1], "deleted": True}
        if found := re.fullmatch(r"/files/(out|err)-(batch_\d+)/content", path):
            return 200, self.openai_lines(self.batches[found[2]], found[1])
        return 404, {"error": {"message": "no such thing", "type": "invalid_request_error"}}

    def keep(self, body, headers):
        boundary = re.search(r"boundary=(\S+)", headers["content-type"])[1].encode()
        parts = body.split(b"--" + boundary)
        assert parts[-1] == b"--\r\n", parts[-1]
        content = {re.search(rb'name="(\w+)"', part)[1]: part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n") for part in parts[1:-1]}
        assert content[b"purpose"] == b"batch"
        self.uploads += 1
        self.files[f"file-{self.uploads}"] = content[b"file"]
        return f"file-{self.uploads}"

    @staticmethod
    def openai_batch(batch):
        ended = batch["state"] != "open"
        return {"id": batch["id"], "object": "batch", "metadata": batch["metadata"], "input_file_id": batch.get("file"),
                "status": {"open": "in_progress", "ended": "completed", "cancelled": "cancelled", "failed": "failed"}[batch["state"]],
                "output_file_id": "out-" + batch["id"] if ended else None, "error_file_id": "err-" + batch["id"] if ended else None}

    def openai_lines(self, batch, kind):
        lines = []
        for number, (custom_id, body) in enumerate(batch["calls"]):
            what = "cancelled" if batch["state"] == "cancelled" else self.lines(number, custom_id)
            if what == "missing" or (what == "ok") != (kind == "out"):
                continue
            response, error = None, None
            if what == "ok":
                response = {"status_code": 200, "body": self.openai_answer(batch["endpoint"], custom_id, body["model"])}
            elif isinstance(what, int):
                response = {"status_code": what, "body": {"error": {"message": f"made up {what}", "type": "made_up"}}}
            else:
                error = {"code": f"batch_{what}", "message": "not executed"}
            lines.append(json.dumps({"id": f"r{number}", "custom_id": custom_id, "response": response, "error": error}) + "\n")
        return "".join(reversed(lines)).encode()  # their order is nobody's promise

    @staticmethod
    def openai_answer(endpoint, custom_id, model):
        if endpoint == "/v1/responses":
            content = [{"type": "output_text", "text": answer_text(custom_id), "annotations": []}]
            message = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": content}
            return {"id": "r", "object": "response", "status": "completed", "model": model, "output": [message],
                    "usage": {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}}
        choice = {"index": 0, "message": {"role": "assistant", "content": answer_text(custom_id)}, "finish_reason": "stop"}
        return {"id": "c", "model": model, "choices": [choice], "usage": {"prompt_tokens": 100, "completion_tokens": 20}}

    # Anthropic ------------------------------------------------------------------------------------------------------

    def anthropic(self, method, path, body):
        if (method, path) == ("POST", ""):
            asked = json.loads(body)
            assert set(asked) == {"requests"} and all(set(each) == {"custom_id", "params"} for each in asked["requests"])
            ids = [each["custom_id"] for each in asked["requests"]]
            assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", each) for each in ids), ids
            return 200, self.anthropic_batch(self.make([(each["custom_id"], each["params"]) for each in asked["requests"]]))
        if found := re.fullmatch(r"/(batch_\d+)(/cancel|/results)?", path):
            batch = self.batches[found[1]]
            if found[2] == "/results":
                return 200, self.anthropic_lines(batch)
            if found[2] == "/cancel":
                batch["state"] = "cancelled"
            return 200, self.anthropic_batch(batch)
        return 404, {"type": "error", "error": {"message": "no such thing", "type": "not_found_error"}}

    @staticmethod
    def anthropic_batch(batch):
        ended = batch["state"] != "open"
        return {"id": batch["id"], "type": "message_batch", "processing_status": "ended" if ended else "in_progress",
                "results_url": "http://elsewhere.invalid/results" if ended else None}

    def anthropic_lines(self, batch):
        lines = []
        for number, (custom_id, params) in enumerate(batch["calls"]):
            what = "cancelled" if batch["state"] == "cancelled" else self.lines(number, custom_id)
            if what == "missing":
                continue
            result = {"type": {"cancelled": "canceled"}.get(what, what)}
            if what == "ok":
                message = {"id": "m", "type": "message", "role": "assistant", "model": params["model"], "stop_reason": "end_turn",
                           "content": [{"type": "text", "text": answer_text(custom_id)}], "usage": {"input_tokens": 100, "output_tokens": 20}}
                result = {"type": "succeeded", "message": message}
            elif isinstance(what, int):
                kind = {400: "invalid_request_error", 529: "overloaded_error"}[what]
                result = {"type": "errored", "error": {"type": "error", "error": {"type": kind, "message": f"made up {what}"}}}
            lines.append(json.dumps({"custom_id": custom_id, "result": result}) + "\n")
        return "".join(reversed(lines)).encode()
