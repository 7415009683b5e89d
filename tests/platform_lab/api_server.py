"""A real HTTPS server on loopback that answers ``/version`` as a Kubernetes API server does, or worse."""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = {"major": "1", "minor": "34", "gitVersion": "v1.34.4", "platform": "linux/amd64"}


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for every handler, and no socket is left behind

    def handle_error(self, request, client_address):
        pass  # clients that refuse the certificate or give up are what the tests want


@contextmanager
def api_server(certificate, answer=None):
    """Serve with *certificate* (of trustme; None: plain HTTP); yield the URL and the list of requests' headers."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            seen.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
            if callable(answer):
                answer(self)
                return
            status, value = answer if answer is not None else (200, VERSION)
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = _Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        # the handshake belongs to the handler's thread, not to the accepting one
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if certificate is not None else 'http'}://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join(2)
