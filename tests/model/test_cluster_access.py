"""One cause for every finding on a cluster that could not be asked."""

from __future__ import annotations

from vorflug.model.cluster_access import kubectl_failed, no_context, no_kubectl, scattered_context
from vorflug.model.message import render


def test_causes_are_told_apart_by_kind_and_context():
    causes = {no_kubectl(), no_context(""), no_context("a"), scattered_context("a"), kubectl_failed("a", "x")}
    assert len(causes) == 5
    assert kubectl_failed("a", "x") == kubectl_failed("a", "y")
    for cause in causes:
        assert render(cause.says).endswith(".") or "x" in render(cause.says)
        assert render(cause.fix)
    assert "Unauthorized" in render(kubectl_failed("", "Unauthorized").says)
