"""A stranger's answer is not taken for the service's."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from vorflug.model.fingerprint import Fingerprint, HeaderMark
from vorflug.model.message import render
from vorflug.ports.net import HttpSeen

HUB = Fingerprint(
    status=(401,),
    headers=(
        HeaderMark(name="www-authenticate", contains='realm="https://auth.docker.io/token"'),
        HeaderMark(name="docker-distribution-api-version"),
    ),
    body=("UNAUTHORIZED",),
)


def http(status=401, found=("UNAUTHORIZED",), **headers):
    given = {
        "www-authenticate": 'Bearer realm="https://AUTH.docker.io/token",service="x"',
        "docker-distribution-api-version": "registry/2.0",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    kept = {k: v for k, v in given.items() if v is not None}
    return HttpSeen(status, tuple(kept), tuple(kept.items()), "json", found, 10)


def test_the_healthy_answer():
    assert HUB.compare(http()) == ()
    assert Fingerprint().compare(http(503, ())) == ()


@pytest.mark.parametrize(
    ("seen", "word"),
    [
        (http(200), "200"),
        (http(docker_distribution_api_version=None), "docker-distribution-api-version"),
        (http(www_authenticate=None), "www-authenticate"),
        (http(www_authenticate='Basic realm="portal"'), "portal"),
        (http(found=()), "UNAUTHORIZED"),
    ],
)
def test_each_mark_counts(seen, word):
    (wrong,) = HUB.compare(seen)
    assert word in render(wrong)


def test_all_differences_are_named():
    assert len(HUB.compare(HttpSeen(302, (), (), "html", (), 0))) == 4


def test_a_header_whose_value_was_not_kept_is_no_match():
    seen = HttpSeen(401, ("www-authenticate", "docker-distribution-api-version"), (), "json", ("UNAUTHORIZED",), 1)
    assert len(HUB.compare(seen)) == 1
    assert HUB.kept_headers() == ("www-authenticate",)


@pytest.mark.parametrize(
    "fields", [{"status": [99]}, {"headers": [{"name": "Upper"}]}, {"body": [""]}, {"stauts": [200]}]
)
def test_what_cannot_be_a_fingerprint(fields):
    with pytest.raises(ValidationError):
        Fingerprint.model_validate(fields)
