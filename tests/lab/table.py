"""Every row of the lab, as data."""

from __future__ import annotations

from lab import faults_dns, faults_http, faults_proxy, faults_streams, faults_tcp, faults_tls
from lab.faults_more import MORE
from lab.healthy import HEALTHY
from lab.pairs import PAIRS

FAULTS = (
    *faults_dns.FAULTS,
    *faults_tcp.FAULTS,
    *faults_tls.FAULTS,
    *faults_http.FAULTS,
    *faults_proxy.FAULTS,
    *faults_streams.FAULTS,
    *MORE,
)
ROWS = (*FAULTS, *PAIRS, *HEALTHY)
