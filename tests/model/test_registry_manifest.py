"""Platforms of images, and what an image consists of."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vorflug.model.registry import api_host, repository_path
from vorflug.model.registry_manifest import Entry, Index, Manifest, Platform, is_digest, is_of, read, unique
from vorflug.ports.registry import BlobSeen

D = ["sha256:" + c * 64 for c in "0123456789"]


@pytest.mark.parametrize(
    ("machine", "shown"),
    [
        ("x86_64", "linux/amd64"),
        ("aarch64", "linux/arm64"),
        ("armv7l", "linux/arm/v7"),
        ("armv6l", "linux/arm/v6"),
        ("i686", "linux/386"),
        ("s390x", "linux/s390x"),
        ("ppc64le", "linux/ppc64le"),
    ],
)
def test_the_platform_of_a_machine(machine, shown):
    assert str(Platform.of_machine(machine)) == shown


@pytest.mark.parametrize(
    ("image", "wanted", "runs"),
    [
        (("linux", "amd64"), ("linux", "amd64"), True),
        (("linux", "amd64", "v1"), ("linux", "amd64"), True),
        (("linux", "amd64", "v2"), ("linux", "amd64"), False),
        (("linux", "arm64"), ("linux", "arm64", "v8"), True),
        (("linux", "arm64", "v8"), ("linux", "arm64", "v8"), True),
        (("linux", "arm64", "v9"), ("linux", "arm64", "v8"), False),
        (("linux", "arm", "v7"), ("linux", "arm", "v7"), True),
        (("linux", "arm"), ("linux", "arm", "v7"), True),
        (("linux", "arm", "v6"), ("linux", "arm", "v7"), True),
        (("linux", "arm", "v7"), ("linux", "arm", "v6"), False),
        (("linux", "arm", "v9"), ("linux", "arm", "v7"), False),
        (("linux", "arm", "v7"), ("linux", "arm64", "v8"), False),
        (("windows", "amd64"), ("linux", "amd64"), False),
        (("linux", "s390x"), ("linux", "s390x"), True),
    ],
)
def test_what_runs_where(image, wanted, runs):
    assert (Platform(*image).rank(Platform(*wanted)) is not None) == runs


def index(*platforms):
    return Index(tuple(Entry(d, p and Platform(*p)) for d, p in zip(D, platforms, strict=False)))


@pytest.mark.parametrize(
    ("platforms", "wanted", "place"),
    [
        ([("linux", "arm64", "v8"), ("linux", "amd64")], ("linux", "amd64"), 1),
        ([("linux", "amd64", "v3"), ("linux", "amd64", "v1"), ("linux", "amd64")], ("linux", "amd64"), 2),
        ([("linux", "arm", "v5"), ("linux", "arm", "v7"), ("linux", "arm", "v6")], ("linux", "arm", "v7"), 1),
        ([("linux", "amd64"), ("linux", "amd64")], ("linux", "amd64"), 0),
        ([None, ("linux", "amd64")], ("linux", "amd64"), 1),
        ([("linux", "arm64"), None], ("linux", "amd64"), 1),
        ([("linux", "amd64", "v3")], ("linux", "amd64"), None),
        ([], ("linux", "amd64"), None),
    ],
)
def test_the_best_of_an_index(platforms, wanted, place):
    chosen = index(*platforms).choose(Platform(*wanted))
    assert (chosen.digest if chosen else None) == (None if place is None else D[place])


def test_what_an_index_offers():
    assert index(("linux", "amd64"), None, ("linux", "arm64", "v8"), ("linux", "amd64")).offered() == (
        "linux/amd64",
        "linux/arm64",
    )


def test_attestations_are_no_images():
    rows = [
        {"digest": D[0], "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": D[1], "platform": {"os": "unknown", "architecture": "unknown"}},
        {"digest": D[2], "annotations": {"vnd.docker.reference.type": "attestation-manifest"}},
        {"digest": D[3], "platform": {"os": "linux"}},
        {"digest": D[4], "platform": {"os": "linux", "architecture": "arm", "variant": 7}},
    ]
    found = read(json.dumps({"manifests": rows}).encode())
    assert isinstance(found, Index)
    assert [e.digest for e in found.entries] == [D[0], D[3], D[4]]
    assert [e.platform for e in found.entries] == [Platform("linux", "amd64"), None, Platform("linux", "arm")]


def blob(n, size):
    return {"digest": D[n], "size": size}


def test_a_manifest():
    found = read(json.dumps({"config": blob(0, 5), "layers": [blob(1, 7), blob(2, 9), blob(1, 7)]}).encode())
    assert isinstance(found, Manifest)
    assert found.largest == BlobSeen(D[2], 9)
    assert found.blobs == (BlobSeen(D[0], 5), BlobSeen(D[1], 7), BlobSeen(D[2], 9))
    assert Manifest(BlobSeen(D[0], 5), ()).largest is None


def test_each_digest_counts_once():
    assert unique([BlobSeen(D[0], 5), BlobSeen(D[1], 5), BlobSeen(D[0], 5)]) == (BlobSeen(D[0], 5), BlobSeen(D[1], 5))


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"layers": {}},
        {"layers": [blob(1, 1)]},
        {"layers": [blob(1, 1)] * 501, "config": blob(0, 1)},
        {"layers": [{"digest": "x", "size": 1}], "config": blob(0, 1)},
        {"layers": [{"digest": D[0]}], "config": blob(0, 1)},
        {"layers": [{"digest": D[0], "size": (1 << 50) + 1}], "config": blob(0, 1)},
        {"layers": ["x"], "config": blob(0, 1)},
        {"manifests": ["x"]},
        {"manifests": [{"digest": D[0][:-1]}]},
        [],
        "x",
        None,
    ],
)
def test_what_is_no_manifest(value):
    with pytest.raises(ValueError, match=r"^wanted "):
        read(json.dumps(value).encode())


@given(st.binary(max_size=300) | st.recursive(st.none() | st.integers() | st.text() | st.sampled_from(D), lambda s: st.lists(s) | st.dictionaries(st.sampled_from(["manifests", "layers", "config", "digest", "size", "platform", "os", "annotations"]), s)).map(lambda v: json.dumps(v).encode()))  # fmt: skip
def test_whatever_comes_is_read_or_refused(data):
    with suppress(ValueError):
        assert isinstance(read(data), Index | Manifest)


def test_digests():
    assert is_of(b"", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    assert not is_of(b"x", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    assert not is_of(b"", "md5:d41d8cd98f00b204e9800998ecf8427e")
    assert is_digest("sha512:" + "0" * 128) and not is_digest("sha256:" + "G" * 64) and not is_digest(None)


def test_docker_hub_s_own_ways():
    assert api_host("docker.io") == "registry-1.docker.io" and api_host("r.example:5000") == "r.example:5000"
    assert api_host("r.example:443") == "r.example"
    assert repository_path("docker.io", "alpine") == "library/alpine"
    assert repository_path("docker.io", "team/app") == "team/app"
    assert repository_path("r.example", "alpine") == "alpine"
