"""One lab for all tests that want it, with every case under way at once: most of them do nothing but wait."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

AT_ONCE = 20


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict]:
    """Case's id → future of its `Outcome`, for the cases that this session runs."""
    from conftest import let_others_in
    from lab.station import station
    from lab.verdict import Case, examine

    params = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    chosen: dict[str, Case] = {p["case"].id: p["case"] for p in params if isinstance(p.get("case"), Case)}
    folder = tmp_path_factory.mktemp("lab")
    let_others_in(folder)
    rows = tuple({case.row.id: case.row for case in chosen.values()}.values())
    with station(folder, rows) as lab, ThreadPoolExecutor(AT_ONCE) as pool:
        # the patient ones first: nothing is left to wait for at the end
        order = sorted(chosen.values(), key=lambda case: -case.row.deadline)
        try:
            yield {case.id: pool.submit(examine, lab, case) for case in order} | {"lab": lab}
        finally:
            pool.shutdown(cancel_futures=True)  # after Ctrl-C or -x nobody wants the rest
