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
    """Serve *answer* (status and value, a value for each path, or a function of the handler) with *certificate*.

    The certificate is trustme's, None is plain HTTP.  Yields the URL and the list of requests' headers.
    """
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def do_GET(self):
            seen.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
            if callable(answer):
                answer(self)
                return
            path = self.path.partition("?")[0]
            if isinstance(answer, dict):
                status, value = (200, answer[path]) if path in answer else (404, {"kind": "Status", "code": 404})
            else:
                status, value = answer if answer is not None else (200, VERSION)
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
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


def _kind(name, resources):
    return {"kind": "APIResourceList", "groupVersion": name, "resources": resources}


def _node(name, true, **spec):
    conditions = [{"type": t, "status": "True" if t in true else "False"} for t in ("MemoryPressure", "Ready")]
    status = {"allocatable": {"cpu": "7910m", "memory": "32Gi"}, "conditions": conditions}
    return {"kind": "Node", "apiVersion": "v1", "metadata": {"name": name}, "spec": spec, "status": status}


def _pod(name, node, *requests):
    spec = {"containers": [{"name": "a", "resources": {"requests": r}} for r in requests]}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "x"},
        "spec": {**spec, **({"nodeName": node} if node else {})},
        "status": {"phase": "Running" if node else "Pending"},
    }


CLUSTER = {
    "/version": VERSION,
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": _kind(
        "v1",
        [
            {"name": "nodes", "singularName": "node", "namespaced": False, "kind": "Node", "verbs": ["get", "list"]},
            {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get", "list"]},
        ],
    ),
    "/api/v1/nodes": {
        "kind": "NodeList",
        "apiVersion": "v1",
        "metadata": {},
        "items": [
            _node("w1", ["Ready"]),
            _node("w2", ["Ready", "MemoryPressure"], unschedulable=True, taints=[{"key": "a", "effect": "NoSchedule"}]),
        ],
    },
    "/api/v1/pods": {
        "kind": "PodList",
        "apiVersion": "v1",
        "metadata": {},
        "items": [_pod("p", "w1", {"cpu": "100m", "memory": "1Gi"}, {}), _pod("q", None, {})],
    },
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": {
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "spec": {},
        "status": {"allowed": False, "reason": "no RBAC policy matched"},
    },
}
"""As much of a cluster as ``kubectl get nodes,pods`` and ``kubectl auth can-i`` ask for."""
