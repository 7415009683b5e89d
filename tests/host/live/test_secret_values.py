"""Secrets are caught, and what a report needs is not."""

from __future__ import annotations

import pytest

from vorflug.host.live.secret_values import remember_all, remember_userinfo, remember_value, sounds_secret
from vorflug.host.secrets import redact


@pytest.mark.parametrize(
    "key", ["JWT_SECRET_KEY", "db-password", "apiToken", "AZURE_OPENAI_KEY", "SENTRY_DSN", "connection_string"]
)
def test_keys_that_sound_secret(key):
    assert sounds_secret(key)


@pytest.mark.parametrize(
    "key", ["TLS_KEY_FILE", "TOKEN_URL", "KEYCLOAK_HOST", "LOG_LEVEL", "SHARED_FOLDER", "secretName", ""]
)
def test_keys_that_do_not(key):
    assert not sounds_secret(key)


@pytest.mark.parametrize(
    "value", ["changeme", "change-me", "your secret key", "<your-key>", "${FROM_VAULT}", "$TOKEN", "", "abc1"]
)
def test_words_and_placeholders_stay_readable(value):
    remember_value(value)
    assert redact(f"x {value} y") == f"x {value} y"


@pytest.mark.parametrize("value", ["kanarie-x1-word", "qwertzuiopasdfghjklyxcvb", " kanarie-x2-blank ", "Pa$$w0rd!x3"])
def test_other_values_are_struck_out(value):
    remember_value(value)
    assert redact(f"-{value.strip()}-") == "-[redacted]-"


def test_userinfo():
    remember_userinfo("see amqp://svc:kanarie-x4@mq:5672 and http://kanarie-x5@p")
    assert redact("kanarie-x4 kanarie-x5") == "[redacted] [redacted]"


def test_documents():
    remember_all(
        {
            "a": {"password": "kanarie-x6"},
            "tokens": ["kanarie-x7", 5, None],
            "environment": ["DB_PASSWORD=kanarie-x8", "MODE=harmless-value-9"],
            "env": [{"name": "API_SECRET", "value": "kanarie-x10"}, {"name": "PLAIN", "value": "harmless-value-8"}],
            "args": ["--client-secret=kanarie-x11"],
        }
    )
    assert redact("kanarie-x6 kanarie-x7 kanarie-x8 kanarie-x10 kanarie-x11") == " ".join(["[redacted]"] * 5)
    assert redact("harmless-value-8 harmless-value-9") == "harmless-value-8 harmless-value-9"


def test_a_document_without_end():
    endless: list[object] = []
    endless += [endless, endless]
    remember_all(endless)  # comes back
