"""A service for the tests of releases: good by default, bad in the way that BEHAVIOUR names."""
import http.server
import os
import signal
import socket
import sys
import threading
import time

BEHAVIOUR = os.environ.get("BEHAVIOUR", "")
PORT = int(os.environ["PORT"])
HOST = os.environ["HOST"]
hoard = []


def reaches_network():
    for address in (("192.0.2.1", 80), ("1.1.1.1", 53), ("127.0.0.1", int(os.environ.get("OUTSIDE_PORT", "9")))):
        try:
            socket.create_connection(address, timeout=0.3).close()
            return True
        except OSError:
            pass
    return False


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status, body = 200, os.environ.get("VERSION", "?")
        if self.path == "/healthz" and BEHAVIOUR == "never-healthy":
            status = 503
        elif self.path == "/healthz" and BEHAVIOUR == "hang":
            time.sleep(600)
        elif self.path == "/slow":
            time.sleep(1.5)
        elif self.path == "/die":
            os._exit(3)
        elif self.path == "/network":
            body = str(reaches_network())
        elif self.path == "/leak":
            threading.Thread(target=leak).start()
        elif self.path == "/flood":
            for _ in range(20000):
                print("x" * 200)
            sys.stdout.flush()
        elif self.path == "/chunked":
            return self.chunked(body)
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def chunked(self, body):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in (body, "!"):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece.encode()))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


def leak():
    while True:
        hoard.append(bytearray(4 << 20))
        time.sleep(0.01)


def rubbish():
    listener = socket.create_server((HOST, PORT))
    while True:
        peer, _ = listener.accept()
        peer.recv(1000)
        peer.sendall(b"200 is what I would say if I spoke HTTP\r\n\r\n")
        peer.close()


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


print("starting", os.environ.get("VERSION"), flush=True)
if BEHAVIOUR == "exit":
    sys.exit("I will not")
if BEHAVIOUR == "late":
    time.sleep(1.5)
if BEHAVIOUR == "rubbish":
    rubbish()
if BEHAVIOUR == "ignores-term":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if BEHAVIOUR == "dies-soon":
    threading.Timer(0.8, lambda: os._exit(7)).start()
if BEHAVIOUR == "wrong-port":
    PORT += 1
Server((HOST, PORT), Handler).serve_forever()
