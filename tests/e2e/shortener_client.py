"""A client of the example's service, over its public port."""
import http.client
import json
import threading
import urllib.parse


def ask(url, method, path, body=None):
    place = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location"), answer.read()
    finally:
        connection.close()


class Hammer:
    """A client that asks all the time; each failed request is remembered."""

    def __init__(self, url):
        self.url, self.failed, self.answered, self.over = url, [], 0, threading.Event()
        self.threads = [threading.Thread(target=self.go) for _ in range(3)]
        for thread in self.threads:
            thread.start()

    def go(self):
        while not self.over.is_set():
            try:
                for request, wanted in ((("GET", "/healthz"), 200), (("POST", "/shorten", {"url": "https://example.org"}), 201)):
                    status = ask(self.url, *request)[0]
                    if status != wanted:
                        self.failed.append((*request, status))
                    self.answered += 1
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
