"""What the certificates of a TLS server can show."""

from __future__ import annotations

from vorflug.model.codes.page import Page
from vorflug.model.message import msg
from vorflug.ports.net_codes import Code

PAGES: dict[Code, Page] = {
    Code.TLS_HOST_MISMATCH: Page(
        seen=msg("The certificate does not hold the name that was asked for (subject alternative names, RFC 9525)."),
        proves=msg("A TLS server was reached, and it shows a certificate of other names, which are listed."),
        not_proves=msg(
            "It does not prove that it is the wrong server: a renewed certificate may lack the name, the name "
            "may stand only in the common name (which no client reads any more), or a default certificate is "
            "shown because the server does not know the name."
        ),
        who=msg(
            "Whoever issues the certificates of the target; if the name leads to the wrong address, whoever "
            "runs its DNS record."
        ),
        ask=msg(
            "Please have a certificate issued for the server named below that holds the name named there as a "
            "subject alternative name (DNS), and see that the server shows it for that name."
        ),
        look=("openssl s_client -connect NAME:PORT -servername NAME -showcerts </dev/null",),
    ),
    Code.TLS_EXPIRED: Page(
        seen=msg(
            "A certificate of the chain is past its end date by this host's clock, which is held against the "
            "time of servers where any can be reached."
        ),
        proves=msg("Every client that checks certificates refuses this server, since that date."),
        not_proves=msg(
            "It does not prove that the server's own certificate is the one: an expired intermediate is "
            "enough. A device that inspects TLS and lets its own certificate expire looks the same; the "
            "issuer tells."
        ),
        who=msg("Whoever renews the certificates of the target."),
        ask=msg(
            "Please renew the expired certificate of the server named below (end date and issuer stand there), "
            "and reload the service so that it shows the new one."
        ),
        look=("openssl s_client -connect NAME:PORT -servername NAME -showcerts </dev/null",),
    ),
    Code.TLS_NOT_YET_VALID: Page(
        seen=msg("A certificate of the chain begins in the future, by this host's clock."),
        proves=msg(
            "Clients on this host refuse the server now. Either the certificate is too new, or the clock of "
            "one side is wrong."
        ),
        not_proves=msg(
            "It does not show which of the two, unless the time of other servers was compared: that control "
            "is named in the evidence."
        ),
        who=msg("Whoever keeps the clock of this host; if it is right, whoever issued the certificate."),
        ask=msg(
            "Please check the clock of the host named below (NTP). If it is right, please check the clock of "
            "the CA and have the certificate issued again."
        ),
        look=(
            "date -u",
            "openssl s_client -connect NAME:PORT -servername NAME -showcerts </dev/null",
        ),
    ),
    Code.TLS_SELF_SIGNED: Page(
        seen=msg("The server shows a certificate that is signed by its own key, and this host does not trust it."),
        proves=msg("No authority vouches for this certificate; whoever made it holds its key."),
        not_proves=msg(
            "It does not prove that it is the wrong server or that somebody reads along: appliances and fresh "
            "installations come with such certificates. Whether it is the right one only a comparison of the "
            "fingerprint tells."
        ),
        who=msg("Whoever issues certificates for the target."),
        ask=msg(
            "Please have the certificate of the server named below issued by the company's CA or a public one. "
            "Until then please confirm its SHA-256 fingerprint by another way, so that it can be trusted "
            "explicitly."
        ),
        look=("openssl s_client -connect NAME:PORT -servername NAME -showcerts </dev/null",),
    ),
    Code.TLS_UNKNOWN_CA: Page(
        seen=msg("The chain ends at an issuer that is neither in this host's store nor among the public roots."),
        proves=msg("A TLS server was reached. Its certificates lead to an authority that this host does not trust."),
        not_proves=msg(
            "It does not show whose authority it is. A company's own CA that was not yet installed here and a "
            "device that re-signs TLS with a CA of its own look the same; the issuer's name is only a hint."
        ),
        who=msg("Whoever runs the company's PKI; if the target is public, whoever runs TLS inspection on the way."),
        ask=msg(
            "Please say whether the issuer named below is one of ours, and give its CA certificate as a PEM "
            "file with its fingerprint. If it belongs to TLS inspection, please exempt the target from it."
        ),
        look=("openssl s_client -connect NAME:PORT -servername NAME -showcerts </dev/null",),
    ),
    Code.TLS_MISSING_INTERMEDIATE: Page(
        seen=msg("The server shows its own certificate without the intermediate that leads to a known root."),
        proves=msg(
            "The server sends an incomplete chain (RFC 8446, 4.4.2). Browsers fetch or remember what is "
            "missing, services and containers do not."
        ),
        not_proves=msg(
            "It does not prove that the certificate is bad, or that it works for nobody: “it works in the "
            "browser” is expected here."
        ),
        who=msg("Whoever configures the certificates of the target's server or load balancer."),
        ask=msg(
            "Please let the server named below send its full chain: server certificate first, then each "
            "intermediate (nginx: both in ssl_certificate; Apache: SSLCertificateFile; haproxy: all in one "
            "PEM)."
        ),
        look=("openssl s_client -connect NAME:PORT -servername NAME -showcerts </dev/null",),
    ),
    Code.TLS_INTERCEPTED: Page(
        seen=msg(
            "The certificates shown come from an issuer that is not expected there: no public one, and none "
            "that is set down for this endpoint."
        ),
        proves=msg(
            "The way is open so far; the issuer is named. As a rule TLS ends at an inspecting device, which "
            "sees the traffic in clear. If this host trusts the issuer, its own programs work, and containers "
            "still do not: they carry their own CA store. If it does not, every program fails."
        ),
        not_proves=msg(
            "It proves neither ill will nor who does it: in companies it is nearly always wanted inspection. "
            "An internal server of the same name (split horizon) with a certificate of the company's CA, or "
            "an outdated pin, looks the same."
        ),
        who=msg(
            "First whoever runs TLS inspection (proxy or gateway), for an exemption; for the CA certificate "
            "whoever runs the company's PKI."
        ),
        ask=msg(
            "Please exempt the names below from TLS inspection for this host. Where that is not possible, "
            "please give the inspecting CA's certificate as a PEM file, to be mounted into every container and "
            "named by SSL_CERT_FILE, REQUESTS_CA_BUNDLE and NODE_EXTRA_CA_CERTS."
        ),
        look=("openssl s_client -connect NAME:PORT -servername NAME -showcerts </dev/null",),
    ),
    Code.TLS_WEAK_KEY: Page(
        seen=msg("A certificate of the chain has a key that is too short."),
        proves=msg(
            "Current clients refuse it (OpenSSL at security level 2: under 2048 bits of RSA); the length "
            "stands in the evidence."
        ),
        not_proves=msg(
            "It does not prove that the key was broken, nor which certificate is meant: an intermediate may be the one."
        ),
        who=msg("Whoever issues the certificates of the target."),
        ask=msg(
            "Please have the certificate of the server named below issued again with a new key: RSA of 3072 "
            "bits or EC P-256 or stronger (BSI TR-02102-1)."
        ),
        look=("openssl s_client -connect NAME:PORT -servername NAME -showcerts </dev/null",),
    ),
    Code.TLS_WEAK_SIGNATURE: Page(
        seen=msg("A certificate of the chain is signed with a hash that is no longer accepted: MD5 or SHA-1."),
        proves=msg("Current clients refuse it, whoever the issuer is."),
        not_proves=msg(
            "It does not prove that the certificate is forged. The signature of a root does not count: nobody "
            "checks it."
        ),
        who=msg("Whoever issues the certificates of the target."),
        ask=msg(
            "Please have the certificate of the server named below issued again with a signature by SHA-256 or "
            "stronger; the issuing CA may have to be set to it."
        ),
        look=("openssl s_client -connect NAME:PORT -servername NAME -showcerts </dev/null",),
    ),
    Code.TLS_INVALID_CHAIN: Page(
        seen=msg(
            "The certificates sent do not prove one another: a signature, a purpose, a path length or a "
            "constraint does not hold (RFC 5280, 6.1)."
        ),
        proves=msg("A TLS server was reached, and its chain is faulty as it is sent, in whatever store it is checked."),
        not_proves=msg(
            "It does not prove that somebody tampered with it: a mixed-up file (intermediate of an older CA, "
            "client certificate on a server) is the usual reason."
        ),
        who=msg("Whoever issues and installs the certificates of the target."),
        ask=msg(
            "Please check the chain file of the server named below: server certificate with the purpose "
            "serverAuth, then the intermediates that really issued it, in order; the fault found is named "
            "there."
        ),
        look=("openssl s_client -connect NAME:PORT -servername NAME -showcerts </dev/null",),
    ),
    Code.TLS_CHAIN_TOO_LARGE: Page(
        seen=msg("The server sends more or larger certificates than a client takes."),
        proves=msg("The handshake ends for every client with the usual limits (OpenSSL: 100 KiB of certificates)."),
        not_proves=msg(
            "It does not say why: a whole CA bundle in the place of the chain is the usual reason, an attack "
            "a rare one."
        ),
        who=msg("Whoever configures the certificates of the target's server or load balancer."),
        ask=msg(
            "Please let the server named below send only its own certificate and the intermediates that lead "
            "to the root, and no CA bundle."
        ),
        look=("openssl s_client -connect NAME:PORT -servername NAME -showcerts </dev/null",),
    ),
    Code.TLS_STRICT_ONLY: Page(
        seen=msg("The chain holds, but not where RFC 5280 is read strictly."),
        proves=msg(
            "Most clients take it. Strict ones refuse it: Python from 3.13 on does so by default (VERIFY_X509_STRICT)."
        ),
        not_proves=msg(
            "It does not prove that the certificate is unsafe: mostly an extension is missing in a company's "
            "own CA (authority key identifier, key usage, basicConstraints marked critical)."
        ),
        who=msg("Whoever runs the CA that issued the chain."),
        ask=msg(
            "Please have the CA or server certificate named below issued again according to RFC 5280 (4.2): "
            "basicConstraints critical, key usage, subject and authority key identifier."
        ),
        look=("openssl s_client -connect NAME:PORT -servername NAME -x509_strict </dev/null",),
    ),
}
