"""A real HTTP server on a Unix socket, with answers that a test chooses."""

from __future__ import annotations

import json
import socketserver
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = False  # so that closing waits for every handler, and no socket is left behind
    request_queue_size = 16

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that gave up is what some tests want
            super().handle_error(request, client_address)


@contextmanager
def engine_at(path, answers: dict[str, Any]):
    """Serve *answers* (path to JSON value, bytes, (status, value), or a function of the handler) at *path*."""

    class Handler(BaseHTTPRequestHandler):
        def address_string(self):
            return "unix"

        def log_message(self, *args):
            pass

        def do_GET(self):
            answer = answers.get(self.path, (404, {"message": "page not found"}))
            if callable(answer):
                answer(self)
                return
            status, value = answer if isinstance(answer, tuple) else (200, answer)
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = _Server(str(path), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield str(path)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(2)
