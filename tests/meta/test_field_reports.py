"""Wrong answers of other tools, as their users reported them; each has a test here that holds the right one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

REPORTS = {
    "chrony judged unsynchronised": "areas/test_clock.py::test_chrony_without_rtcsync_leaves_the_flag_and_is_in_step",
    "7.6 GiB refused for 8 GB": "areas/test_memory.py::test_an_8_gb_machine_that_reports_7_6_gib_is_enough_for_8_gb",
    "'debian == 12' false on 12.11": "areas/test_os.py::test_verdict",
    "TiB parsed as less than GB": "areas/test_memory.py::test_a_tib_is_more_than_a_gb",
    "single-line daemon.json misread": (
        "host/live/test_containers.py::test_a_daemon_file_on_a_single_line_reads_as_one_on_many"
    ),
    "IPv6 listen address garbled": (
        "areas/test_ports.py::test_taken_on_one_family_or_address_is_taken_and_the_text_says_which"
    ),
    "renamed CONFIG options": "areas/test_kernel.py::test_a_renamed_option_counts_under_either_name",
    "missing NTP service with PTP": "areas/test_clock.py::test_ptp_without_any_ntp_service_is_no_fault",
    "free space judged as root": "host/live/test_files.py::test_space_is_what_statvfs_says_without_the_reserved_blocks",
    "1.5 CPU quota rounded up": "areas/test_cpu.py::test_a_quota_of_1_5_cpus_is_never_rounded_up_to_2",
    "nproc in a cpuset": "areas/test_cpu.py::test_nproc_in_a_cpuset_of_two_of_sixteen_cpus",
    "port free when the listing failed": "areas/test_ports.py::test_a_failed_listing_is_no_free_port",
}


@pytest.mark.parametrize("report", REPORTS)
def test_the_right_answer_is_held(report):
    file, _, name = REPORTS[report].partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    assert found, f"{report}: {REPORTS[report]} is gone"
    assert any(isinstance(node, ast.Assert) for node in ast.walk(found[0])) or "raises" in ast.unparse(found[0])
