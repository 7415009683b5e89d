"""Whether the machines of users and other programs accept the product's chain, each with its own store.

What is public (Mozilla's list, which browsers, Windows and Java hold in much the same form) everybody knows; a
corporate root only who was given it.  Whether clients were given it cannot be seen from here: the site file says so.
Sources: Microsoft, "Distribute Certificates to Client Computers by Using Group Policy"; the JDK's keytool(1) and its
``cacerts``; Mozilla, ``security.enterprise_roots.enabled`` and the policy ``ImportEnterpriseRoots``; Python 3.13,
"What's New" (``ssl.create_default_context`` sets VERIFY_X509_STRICT); RFC 5280, 4.2 (what those checks want).
"""

from __future__ import annotations

from vorflug.model.certificate_chain import as_fault, broken, incomplete, who_completes
from vorflug.model.certificate_files import ChainFileRequirement
from vorflug.model.message import Message, msg
from vorflug.model.requirement import Verdict, met, unknown, unmet
from vorflug.ports.certificates import CertificateFile

TITLE = msg("TLS certificate in the eyes of clients")


class ClientTrustRequirement(ChainFileRequirement):
    """Java, Windows and browsers find the chain complete and know its root."""

    kind = "tls_client_trust"
    clients_have_root: bool = False
    """Whether the site file says that the clients were given the corporate root."""

    def wanted(self) -> Message:
        return msg("a chain that Windows, Java and browsers can complete, to a root that they hold")

    def judge_file(self, file: CertificateFile) -> Verdict:
        root = file.chain[0].seen.issuer if file.root is None else file.root.subject
        seen = msg("{count} certificates in the file, root {root}", count=len(file.chain), root=root)
        if (cause := broken(file, self.certificate)) is not None:
            more = [who_completes(file)] if cause == incomplete(file, self.certificate) else []
            fault = as_fault(cause, *more)
            return unmet(wanted=self.wanted(), seen=seen, because=fault.says, fix=fault.fix, cause=cause)
        if file.public:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "The chain is complete and leads to a public root, which Windows, browsers and Java of the last "
                    "years hold."
                ),
            )
        if self.clients_have_root:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "The chain is complete and leads to the corporate root {root}; "
                    "the site file says that the clients were given it.",
                    root=root,
                ),
            )
        return unknown(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "The chain is complete and leads to the corporate root {root}. Whether the clients hold it cannot be "
                "seen from here.",
                root=root,
            ),
            fix=msg(
                "Give these clients the root {root}: Windows with Edge and Chrome by group policy; Java in the cacerts "
                "of each Java (keytool -importcert -cacerts); Firefox by the policy ImportEnterpriseRoots "
                "(security.enterprise_roots.enabled). Then set pki.clients_trust_ca: true in the site file.",
                root=root,
            ),
        )


class StrictChainRequirement(ChainFileRequirement):
    """The chain holds against the strict checks of RFC 5280, as Python makes them since 3.13."""

    kind = "tls_strict_chain"

    def wanted(self) -> Message:
        return msg("a chain that holds against the strict checks of RFC 5280")

    def judge_file(self, file: CertificateFile) -> Verdict:
        if file.root is None:
            cause = broken(file, self.certificate)
            says = (
                msg("This machine's store does not hold the root, so that the whole chain could not be checked.")
                if cause is None
                else cause.says
            )
            return unknown(wanted=self.wanted(), because=says, cause=cause)
        seen = msg("root {root}", root=file.root.subject)
        if file.strict is None:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("OpenSSL's strict checks find nothing on the way to the root."),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "OpenSSL's strict checks refuse certificate {place} on the way from the server's to the root: {words}. "
                "Python from 3.13 on checks so and does not connect; browsers and curl do not check so.",
                place=file.strict.place + 1,
                words=file.strict.says,
            ),
            fix=msg(
                "Ask the PKI team for certificates by RFC 5280: subject and authority key identifier in each, in those "
                "of authorities a critical basicConstraints and key usage keyCertSign, a serial number above 0."
            ),
        )
