"""What a type wants, said from its own schema, at the very field."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

import pytest
from pydantic import Field, model_validator

from documents.test_yamlstrict import load
from vorflug.documents.fields import attempt, describe, read, schema_of
from vorflug.documents.problems import Problems
from vorflug.model.base import Frozen
from vorflug.model.message import msg
from vorflug.model.quantity import Duration, Size, Version


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Inner(Frozen):
    path: str
    least: Size = 0


class Outer(Frozen):
    colour: Colour = Colour.RED
    port: Annotated[int, Field(ge=1, le=65535)] = 1
    count: Annotated[int, Field(ge=0)] = 0
    share: float = 0.5
    on: date | None = None
    flag: bool = False
    word: Annotated[str, Field(min_length=1, max_length=9)] = "x"
    paths: Annotated[tuple[Inner, ...], Field(min_length=1)] = (Inner(path="/"),)
    by_name: dict[str, Duration] = Field(default_factory=dict)
    version: Version | None = None
    either: int | Inner = 1
    only: Literal["this"] = "this"

    @model_validator(mode="after")
    def _sense(self):
        if self.count == 13:
            raise ValueError(msg("a count of {count} brings bad luck", count=13))
        return self


SAYS = {
    "colour: gren": "1:9 colour: wanted red or green, saw gren; did you mean green?",
    "colour: 1": "1:9 colour: wanted red or green, saw 1.",
    "port: 0": "1:7 port: wanted a whole number from 1 to 65535, saw 0.",
    "port: '443'": "1:7 port: wanted a whole number from 1 to 65535, saw 443.",
    "port: true": "1:7 port: wanted a whole number from 1 to 65535, saw true.",
    "port: 443.0": "1:7 port: wanted a whole number from 1 to 65535, saw 443.0.",
    "port: null": "1:7 port: wanted a whole number from 1 to 65535, saw nothing.",
    "count: -1": "1:8 count: wanted a whole number of at least 0, saw -1.",
    "share: much": "1:8 share: wanted a number, saw much.",
    "on: 2026-02-30": "1:5 on: wanted a date such as 2026-11-25, saw 2026-02-30.",
    "on: 20260230": "1:5 on: wanted a date such as 2026-11-25, saw 20260230.",
    "flag: 'true'": "1:7 flag: wanted true or false, saw true.",
    "flag: 1": "1:7 flag: wanted true or false, saw 1.",
    "word: ''": "1:7 word: wanted a text of 1 to 9 characters, saw an empty text.",
    "word: [x]": "1:7 word: wanted a text of 1 to 9 characters, saw a list of 1.",
    "word: {}": "1:7 word: wanted a text of 1 to 9 characters, saw empty braces.",
    "paths: []": "1:8 paths: wanted a list with at least one entry, saw a list of 0.",
    "paths: /": "1:8 paths: wanted a list with at least one entry, saw /.",
    "paths: [{path: /, leest: 1 GB}]": "1:19 there is no field leest; did you mean least? Fields here: path and least.",
    "paths: [{path: /, least: 1 gb}]": "1:26 paths.1.least: wanted one of the units B, kB, MB, GB, TB, KiB, MiB, GiB and TiB, saw 1 gb; did you mean '1 GB'?",
    "paths: [{least: 1 GB}]": "1:9 the field paths.1.path is missing; it wants a text.",
    "paths: [{pth: /}]": "1:10 there is no field pth; did you mean path? Fields here: path and least.",
    "by_name: {a: 3}": "1:14 by_name.a: wanted a number with its unit such as '30 d', saw 3.",
    "by_name: {a: 3 x}": "1:14 by_name.a: wanted one of the units ms, s, min, h and d, saw 3 x.",
    "version: 24.10": "1:10 version: wanted a version in quotes such as '24.04', saw 24.10 without quotes.",
    "version: none": "1:10 version: wanted a version such as '5.15', saw none.",
    "either: x": "1:9 either: wanted a whole number or the fields path and least, saw x.",
    "only: that": "1:7 only: wanted exactly this, saw that.",
    "count: 13": "1:1 document: a count of 13 brings bad luck.",
}


@pytest.mark.parametrize("written", SAYS)
def test_one_sentence_at_the_field(written):
    problems = Problems()
    assert read(Outer, load(written), problems) is None
    assert [f"{p.place.line}:{p.place.column} {p.says}" for p in problems.sorted()] == [SAYS[written]]


def test_what_fits_is_made():
    text = "colour: green\nport: 443\non: 2026-11-25\npaths: [{path: /, least: 2 kB}]\nby_name: {a: 3 min}\nversion: '24.04'\nshare: 1\n"
    made = attempt(Outer, load(text))
    assert (made.colour, made.port, made.on) == (Colour.GREEN, 443, date(2026, 11, 25))
    assert (made.paths[0].least, made.by_name, str(made.version)) == (2000, {"a": 180.0}, "24.04")


def test_a_schema_that_says_nothing_is_no_crash():
    assert str(describe({}, schema_of(Outer))) == "another value"
