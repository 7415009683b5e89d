"""A registry and a second host over TLS, and a docker configuration, for the tests of the registry port."""

from __future__ import annotations

import json
import os

import pytest
import trustme

from areas.registry_server import running


@pytest.fixture(scope="module")
def ca():
    return trustme.CA()


@pytest.fixture
def ca_file(ca, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_bytes(ca.cert_pem.bytes())
    return str(path)


@pytest.fixture
def registry(ca):
    with running(ca) as server:
        server.add("team/app", "1.0", 300_000)
        yield server


@pytest.fixture
def other(ca):
    with running(ca) as server:
        yield server


@pytest.fixture(scope="session")
def small_store(tmp_path_factory):
    """A host store of one certificate that signs nothing here: to load a real one takes longer than most tests."""
    path = tmp_path_factory.mktemp("store") / "store.pem"
    path.write_bytes(trustme.CA(organization_name="Nobody").cert_pem.bytes())
    return str(path)


@pytest.fixture
def docker(tmp_path, monkeypatch, small_store):
    """A docker configuration of this test's own."""
    monkeypatch.setenv("SSL_CERT_FILE", small_store)
    folder = tmp_path / "docker"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)

    def write(config):
        (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))

    return write


@pytest.fixture
def helpers(tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir(mode=0o755)

    def write(name, script):
        path = folder / f"docker-credential-{name}"
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)
        return str(folder)

    return write
