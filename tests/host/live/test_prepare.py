"""Everything that questions may need is imported before there are threads."""

from __future__ import annotations

import subprocess
import sys


def test_a_question_imports_nothing_heavy_any_more():
    code = (
        "import sys\n"
        "from vorflug.engine import registry\n"
        "from vorflug.host import live\n"
        "registry.queries(); live.prepare(); before = set(sys.modules)\n"
        "host = live.LiveHost(5)\n"
        "host.containers.engine(); host.sockets.addresses(); host.system.memory(); host.clock.kernel()\n"
        "host.machine.uname(); host.processes.named(('init',)); host.system.virtualisation(); host.routing.network()\n"
        "from vorflug.ports.net import ProbeAsk\n"
        "host.net.probe(ProbeAsk(url='https://127.0.0.1:1/'))\n"
        "new = {m.partition('.')[0] for m in set(sys.modules) - before}\n"
        "print(sorted(new & {'httpx', 'dns', 'OpenSSL', 'cryptography', 'h11', 'psutil', 'yaml', 'vorflug'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
