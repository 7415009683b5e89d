"""The app registration at the identity provider: are the values that the site gives complete and consistent?

Sources: RFC 9562 (UUID, the form of tenant and client ids at Microsoft Entra); RFC 6749, 3.1.2 (redirection URI).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg, sentences
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
        ids, uri = self._id_faults(), self._uri_fault()
        if not ids and uri is None:
            return met(wanted=self.wanted(), seen=seen, because=msg("The values are complete and fit one another."))
        fixes = []
        if ids:
            fixes.append(
                msg("Copy tenant id, client id and redirect URI from the app registration into the site file.")
            )
        if uri is not None:
            fixes.append(msg("Register a redirect URI that begins with https://{fqdn}/ and record it.", fqdn=self.fqdn))
        because = sentences([*ids, *([] if uri is None else [uri])])
        return unmet(wanted=self.wanted(), seen=seen, because=because, fix=sentences(fixes))

    def _id_faults(self) -> list[Message]:
        found = []
        if not _is_guid(self.tenant_id):
            found.append(msg("The tenant id {value} is no GUID.", value=self.tenant_id))
        if not _is_guid(self.client_id):
            found.append(msg("The client id {value} is no GUID.", value=self.client_id))
        if not found and self.tenant_id.lower() == self.client_id.lower():
            found.append(msg("Tenant id and client id are the same: one of them was copied wrongly."))
        return found

    def _uri_fault(self) -> Message | None:
        try:
            uri = urlsplit(self.redirect_uri)
            host = uri.hostname
        except ValueError:
            uri, host = urlsplit(""), None
        if uri.scheme != "https" or not host:
            return msg("The redirect URI is no https address.")
        if uri.fragment:
            return msg("The redirect URI has a fragment (#), which OAuth 2.0 forbids.")
        if host.rstrip(".") != self.fqdn.lower().rstrip("."):
            return msg("The redirect URI leads to {host}, users open {fqdn}.", host=host, fqdn=self.fqdn)
        return None


def _is_guid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower() and UUID(text).int != 0
    except ValueError:
        return False
