"""Every fuzz target on its seeds, on what once broke it, and on the same few mutations each time."""

from __future__ import annotations

import random
import time

import pytest

from fuzz.targets import TARGETS, seeds

_MUTATIONS = 60
_SLOW_S = 2.0


def _mutated(random_, seed):
    data = bytearray(seed)
    for _ in range(random_.randint(1, 4)):
        at = random_.randrange(len(data) + 1)
        match random_.randrange(4):
            case 0:
                data[at : at + 1] = bytes([random_.randrange(256)])
            case 1:
                del data[at : at + random_.randint(1, 8)]
            case 2:
                data[at:at] = random_.choice(
                    (b"\x1b[2J", b"\0", b"\xff" * 9, b"\r\n", b'"', b"\xe2\x80\xae", b"9" * 30)
                )
            case _:
                data[at:at] = data[: random_.randint(1, 200)]
    return bytes(data)


@pytest.mark.parametrize("name", TARGETS)
def test_every_input_is_borne(name):
    random_ = random.Random(name)
    given = seeds(name)
    inputs = [b"", *given, *(_mutated(random_, random_.choice(given)) for _ in range(_MUTATIONS))]
    for data in inputs:
        began = time.process_time()
        TARGETS[name](data)
        assert time.process_time() - began < _SLOW_S, data[:200]
