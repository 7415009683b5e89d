"""The app registration at the identity provider: are the values that the site gives complete and consistent?

Sources: RFC 9562 (UUID, the form of tenant and client ids at Microsoft Entra); RFC 6749, 3.1.2 (redirection URI).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Query
from vorflug.model.requirement import Requirement, Verdict, met, unmet

TITLE = msg("App registration")


class AppRegistrationRequirement(Requirement):
    """Tenant and client id are GUIDs, and the redirect URI is https at the product's own name.

    All of it stands in the site file, so that no question is put to the host.
    """

    kind = "app_registration"
    tenant_id: str
    client_id: str
    redirect_uri: str
    fqdn: str
    """The name that users open."""

    def wanted(self) -> Message:
        return msg("tenant id, client id and the redirect URI https://{fqdn}/…", fqdn=self.fqdn)

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - the site file has answered
        return []

    def judge(self, evidence: Evidence) -> Verdict:  # noqa: ARG002 - the site file has answered
        seen = msg(
            "tenant {tenant}, client {client}, redirect URI {uri}",
            tenant=self.tenant_id,
            client=self.client_id,
            uri=self.redirect_uri,
        )
        copy = msg("Copy tenant id, client id and redirect URI from the app registration into the site file.")
        if not _is_guid(self.tenant_id):
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg("The tenant id {value} is no GUID.", value=self.tenant_id),
                fix=copy,
            )
        if not _is_guid(self.client_id):
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg("The client id {value} is no GUID.", value=self.client_id),
                fix=copy,
            )
        if self.tenant_id.lower() == self.client_id.lower():
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg("Tenant id and client id are the same: one of them was copied wrongly."),
                fix=copy,
            )
        register = msg("Register a redirect URI that begins with https://{fqdn}/ and record it.", fqdn=self.fqdn)
        try:
            uri = urlsplit(self.redirect_uri)
            host = uri.hostname or ""
        except ValueError:
            uri, host = urlsplit(""), ""
        if uri.scheme != "https" or not host:
            return unmet(
                wanted=self.wanted(), seen=seen, because=msg("The redirect URI is no https address."), fix=register
            )
        if uri.fragment:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg("The redirect URI has a fragment (#), which OAuth 2.0 forbids."),
                fix=register,
            )
        if host.rstrip(".") != self.fqdn.lower().rstrip("."):
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg("The redirect URI leads to {host}, users open {fqdn}.", host=host, fqdn=self.fqdn),
                fix=register,
            )
        return met(wanted=self.wanted(), seen=seen, because=msg("The values are complete and fit one another."))


def _is_guid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower() and UUID(text).int != 0
    except ValueError:
        return False
