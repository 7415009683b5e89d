"""What a request and its answer can meet."""

from __future__ import annotations

from vorflug.model.codes.page import Page
from vorflug.model.message import msg
from vorflug.ports.net_codes import Code

PAGES: dict[Code, Page] = {
    Code.HTTP_STATUS: Page(
        seen=msg("An answer came, with a status that was not wanted."),
        proves=msg(
            "The way is open through all layers up to HTTP. What is left is between the request and whatever "
            "answered it."
        ),
        not_proves=msg(
            "It does not prove that it was the service itself: a load balancer or gateway before it may speak "
            "(502, 503, 504), or by http:// through a proxy the proxy. 401 is mostly the service without a "
            "login; 429 is a rate limit; 5xx may pass by itself (Retry-After)."
        ),
        who=msg("Whoever runs the service, or whoever holds the account that it is used with."),
        ask=msg(
            "Please say why the service answers the request named below with the status named there: wrong "
            "path, missing right, rate limit or a fault behind it? The network way is open."
        ),
        look=("curl -sv -o /dev/null https://NAME/",),
    ),
    Code.HTTP_REDIRECT_LOOP: Page(
        seen=msg("Each answer redirects to the next, and the way comes back to where it was."),
        proves=msg("The way is open; the server's redirects contradict one another."),
        not_proves=msg(
            "It does not show whose rule it is: a load balancer that ends TLS and does not say so "
            "(X-Forwarded-Proto) makes the service redirect to https for ever; a sign-in that needs cookies "
            "does the same."
        ),
        who=msg("Whoever runs the service and the load balancer before it."),
        ask=msg(
            "Please put the redirects of the address named below in order; the load balancer must tell the "
            "service the scheme (X-Forwarded-Proto: https)."
        ),
        look=("curl -sIL --max-redirs 5 https://NAME/",),
    ),
    Code.HTTP_REDIRECT_BLOCKED: Page(
        seen=msg(
            "The answer redirects to a place that is not followed: another origin, or an address of the "
            "machine or its cloud (169.254.169.254)."
        ),
        proves=msg("Something answered and wants to send the client elsewhere. Nothing was sent there."),
        not_proves=msg(
            "It does not prove that the service redirects: a sign-in page or an inspecting gateway answers in "
            "its name like this. Nor that the other place is bad."
        ),
        who=msg(
            "Whoever runs the service; if the target of the redirect belongs to this network, whoever runs the gateway."
        ),
        ask=msg(
            "Please say whether the redirect named below is wanted; if it is, the other host belongs on the "
            "list of endpoints, too."
        ),
        look=("curl -sI https://NAME/",),
    ),
    Code.HTTP_HEADER_TOO_LARGE: Page(
        seen=msg("The answer has more headers than a client takes (64 KiB here)."),
        proves=msg("Something was reached that no usual client can talk to."),
        not_proves=msg(
            "It does not prove that it is an attack: a service that piles up cookies or security headers does it, too."
        ),
        who=msg("Whoever runs the service and what stands before it."),
        ask=msg("Please look which headers the address named below sends; most clients take 8 to 64 KiB at most."),
        look=("curl -s -o /dev/null -D - https://NAME/ | wc -c",),
    ),
    Code.HTTP_BODY_TOO_LARGE: Page(
        seen=msg("The answer is larger than any sound answer there and was not read to its end."),
        proves=msg("The way is open. What answers is not what is expected at this address."),
        not_proves=msg(
            "It does not show whether the path is wrong (a download in the place of an API) or somebody else answers."
        ),
        who=msg("Whoever runs the service; for a wrong path, whoever wrote the URL."),
        ask=msg(
            "Please say what the address named below is meant to answer; it sends far more than the small "
            "answer that is expected."
        ),
        look=("curl -s -m 10 --max-filesize 1000000 -o /dev/null -v https://NAME/",),
    ),
    Code.HTTP_SLOW_HEADERS: Page(
        seen=msg("The answer had begun, and its headers were not complete within the time."),
        proves=msg("The way is open and something answers, too slowly."),
        not_proves=msg(
            "It does not show what is slow: the service, something before it that inspects, or a link that "
            "loses most packets."
        ),
        who=msg(
            "Whoever runs the service; if it is quick for others, whoever runs what inspects the traffic on the way."
        ),
        ask=msg(
            "Please look in the log of the service named below how long it took to answer at the time named "
            "there, and whether something before it delays the answer."
        ),
        look=("curl -s -m 30 -o /dev/null -w '%{time_starttransfer}\\n' https://NAME/",),
    ),
    Code.HTTP_SLOW_BODY: Page(
        seen=msg("The headers came, and the body was not complete within the time."),
        proves=msg("The way is open in both directions; the data come too slowly or not at all after the start."),
        not_proves=msg(
            "It does not show what is slow. A virus scanner that holds the body back, a limit of bandwidth, "
            "loss of large packets (MTU) and a busy service look the same."
        ),
        who=msg(
            "Whoever runs the service; if others get it quickly, whoever runs scanner, bandwidth limits or "
            "links on the way."
        ),
        ask=msg(
            "Please check whether the answer of the address named below is held back or throttled on the way "
            "to this host (virus scan, bandwidth), and exempt it."
        ),
        look=("curl -s -m 60 -o /dev/null -w '%{speed_download}\\n' https://NAME/",),
    ),
    Code.HTTP_TRUNCATED: Page(
        seen=msg(
            "The answer ended before its announced end: fewer bytes than Content-Length, or no last chunk "
            "(RFC 9112, 8)."
        ),
        proves=msg("The way is open; the connection was ended in the middle of an answer."),
        not_proves=msg(
            "It does not show who ended it: the service, a gateway with a limit of size or time, or a filter "
            "that found something in the content."
        ),
        who=msg(
            "Whoever runs the service; if its log shows the whole answer, whoever runs what inspects the "
            "traffic on the way."
        ),
        ask=msg(
            "Please look in the log of the service named below whether it sent the whole answer at the time "
            "named; if it did, please look for the device on the way that ends it (limit of size or time, "
            "content filter)."
        ),
        look=("curl -sv -o /dev/null https://NAME/",),
    ),
    Code.HTTP_NO_RESPONSE: Page(
        seen=msg(
            "The connection stood and the request was put; it ended, or the time ran out, without a byte of an answer."
        ),
        proves=msg("The way is open up to whatever accepted the connection."),
        not_proves=msg(
            "It does not show who is silent: a service that hangs or waits for something behind it, a load "
            "balancer without a healthy server, or a device that took the connection in the service's place."
        ),
        who=msg("Whoever runs the service and the load balancer before it."),
        ask=msg(
            "Please look in the log of the service named below whether the request arrived at the time named, "
            "and what it waited for."
        ),
        look=("curl -sv -m 15 -o /dev/null https://NAME/",),
    ),
    Code.HTTP_NOT_HTTP: Page(
        seen=msg("The answer is not HTTP."),
        proves=msg("Something was reached that speaks another protocol; its first bytes are in the evidence."),
        not_proves=msg(
            "It does not prove that it is the wrong host: a wrong port, or https asked for as http, is the "
            "usual reason."
        ),
        who=msg("Whoever wrote the URL; else whoever runs what listens there."),
        ask=msg(
            "Please name scheme and port of the service named below; on the port named there something speaks "
            "another protocol."
        ),
        look=("curl -sv -o /dev/null https://NAME:PORT/",),
    ),
    Code.HTTP_WRONG_TARGET: Page(
        seen=msg("The answer does not have the marks of the wanted service."),
        proves=msg(
            "The way leads to something that speaks HTTP. By its headers and content it is not what is expected there."
        ),
        not_proves=msg(
            "It does not show what it is instead. A wrong address in DNS, a default page of a web server, a "
            "sign-in or notice page, and a new version of the service with other marks look alike."
        ),
        who=msg("Whoever wrote the address; else whoever runs what answers."),
        ask=msg(
            "Please check whether the address named below is that of the wanted service; the answer (status, "
            "server, content type as shown there) is another one than expected."
        ),
        look=("curl -si https://NAME/ | head -n 30",),
    ),
    Code.HTTP_CAPTIVE_PORTAL: Page(
        seen=msg("A sign-in page answers for any host name: the network wants a person to sign in first (RFC 8952)."),
        proves=msg("The request did not come to the service; a device of this network answered in its place."),
        not_proves=msg("It does not prove that the service would be reachable after signing in, nor that it is down."),
        who=msg("Whoever runs access to this network (guest network, gateway)."),
        ask=msg(
            "Please let this host into the network without a sign-in page (by MAC or IP address, or another "
            "VLAN): a server cannot fill in a form."
        ),
        look=("curl -si http://NAME/ | head -n 20",),
    ),
    Code.HTTP_BLOCK_PAGE: Page(
        seen=msg("A page with the marks of a web filter answers instead of the service."),
        proves=msg("What answered is a filter's notice page; the request was not served by the wanted service."),
        not_proves=msg(
            "It does not show whose filter it is (this company's, the provider's, or one before the service) "
            "and by which rule; the page mostly names a category."
        ),
        who=msg("Whoever runs the web filter of this network; if its log shows nothing, whoever runs the service."),
        ask=msg(
            "Please allow the name below for this host in the web filter; the time, and where shown the title "
            "of the page, stand there."
        ),
        look=("curl -si https://NAME/ | head -n 30",),
    ),
    Code.HTTP_DENIED_BY_SERVICE: Page(
        seen=msg("The service itself says that its network rules keep this site out."),
        proves=msg("The way is open through all layers. The service judged the source address and declined."),
        not_proves=msg(
            "It does not prove that a key or account is wrong: it was not looked at. The address that the "
            "service sees is the one after NAT or proxy, not this host's own."
        ),
        who=msg(
            "Whoever holds the service's subscription or account; the network team names the address by which "
            "this site goes out."
        ),
        ask=msg(
            "Please add the public address by which this site reaches the internet to the network rules of the "
            "service named below (allow list, private endpoint)."
        ),
        look=("curl -si https://NAME/ | head -n 30",),
    ),
}
