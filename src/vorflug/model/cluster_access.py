"""What stands behind every finding on a cluster that could not be asked: one cause for all of them."""

from __future__ import annotations

from vorflug.model.cause import Cause, Team
from vorflug.model.message import msg

_FAILURES = (
    ("getting credentials", "credential plugin failed"),
    ("(Unauthorized)", "Unauthorized"),
    ("You must be logged in", "Unauthorized"),
    ("(Forbidden)", "Forbidden"),
    ("is forbidden", "Forbidden"),
    ("forbidden:", "Forbidden"),
    ("certificate signed by unknown authority", "x509: unknown authority"),
    ("certificate has expired", "x509: certificate has expired"),
    ("x509:", "x509: certificate not accepted"),
    ("no such host", "no such host"),
    ("connection refused", "connection refused"),
    ("was refused", "connection refused"),
    ("network is unreachable", "network is unreachable"),
    ("no route to host", "no route to host"),
    ("proxyconnect", "proxy failed"),
    ("context deadline exceeded", "timeout"),
    ("Client.Timeout", "timeout"),
    ("i/o timeout", "timeout"),
    ("TLS handshake timeout", "timeout"),
)
"""What kubectl and Go's network library write, and how it is called here."""


def kubectl_failure(err: str) -> str:
    """Which known failure kubectl tells of; empty where none.

    Its words go nowhere: they may quote a credential plugin's output, or a proxy's URL with its password.
    """
    return next((kind for words, kind in _FAILURES if words in err), "")


def no_kubectl() -> Cause:
    """There is no kubectl to ask with."""
    return Cause(
        "kubernetes.no_kubectl",
        "kubectl",
        msg("kubectl is not installed."),
        msg("Install kubectl, then run again."),
        Team.PLATFORM,
    )


def no_context(context: str) -> Cause:
    """Nothing says where the cluster is.  *context* as the profile names it; empty is the current one."""
    return Cause(
        "kubernetes.no_context",
        context,
        msg("The kubeconfig has no context that leads to the cluster."),
        msg("Get the kubeconfig of the cluster, and name it in KUBECONFIG or put it to ~/.kube/config."),
        Team.PLATFORM,
    )


def scattered_context(context: str) -> Cause:
    """The context's cluster and user stand in other files, so that no single file can be handed to kubectl."""
    return Cause(
        "kubernetes.scattered_context",
        context,
        msg("The context {context} is spread over several kubeconfig files.", context=context or "-"),
        msg("Write it to one file (kubectl config view --flatten --minify) and name that file in KUBECONFIG."),
        Team.PLATFORM,
    )


def foreign_kubeconfig(context: str, path: str) -> Cause:
    """Root may not use a kubeconfig that another user can write to: kubectl runs the programs that it names."""
    return Cause(
        "kubernetes.foreign_kubeconfig",
        context,
        msg(
            "{path} belongs to another user, and kubectl as root would run programs that the kubeconfig names.",
            path=path,
        ),
        msg("Run vorflug as that user, or name a copy that belongs to root in KUBECONFIG."),
        Team.PLATFORM,
    )


def kubectl_failed(context: str, detail: str) -> Cause:
    """Kubectl ended with an error: no connection, no right, no valid credentials."""
    return Cause(
        "kubernetes.kubectl_failed",
        context,
        msg("kubectl could not ask the cluster: {detail}", detail=detail),
        msg("Make the same call with kubectl until it answers (connection, credentials, rights), then run again."),
        Team.PLATFORM,
    )
