"""JSON Schemas of the documents that people write, for editors and for other programs.

Thresholds may be ``{param: NAME}`` or ``{S: …, M: …, L: …}`` at any depth below a requirement's own fields; the schema
says so.  What a schema cannot say (that a parameter exists, that ids are unique) only `profile lint` finds.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, assert_never

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaValue, models_json_schema

from vorflug.documents import profile, site
from vorflug.documents.parameters import Parameter
from vorflug.documents.profile import OverlayPreamble, Preamble
from vorflug.documents.rows import HEADER, fields_of
from vorflug.documents.site import SitePreamble
from vorflug.engine import registry
from vorflug.model.requirement import Answer, Header, HostSize, LocalText

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SIZE = f"^({'|'.join(HostSize)})$"
_PARAMETER = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$"


class Document(StrEnum):
    """What there is a schema for."""

    PROFILE = "profile"
    OVERLAY = "overlay"
    SITE = "site"


def text(document: Document) -> str:
    """The schema as it is published: JSON, two spaces, a final newline."""
    return json.dumps(schema(document), indent=2, ensure_ascii=False) + "\n"


def schema(document: Document) -> JsonSchemaValue:
    """The schema of *document* with every kind of requirement that this program knows."""
    match document:
        case Document.PROFILE:
            return _whole(
                profile.SCHEMA, Preamble, {"parameters": _parameters(), "requirements": _rows()}, ["requirements"]
            )
        case Document.OVERLAY:
            change = {
                "type": "object",
                "description": "By id: the fields that become other ones; null takes a field away.",
                "additionalProperties": {"type": "object", "minProperties": 1},
            }
            remove = {"type": "array", "items": {"type": "string"}, "description": "The ids of rows to take away."}
            parts = {"requirements": _rows(), "change": change, "remove": remove}
            return _whole(profile.OVERLAY_SCHEMA, OverlayPreamble, parts, [])
        case Document.SITE:
            parts = {
                "parameters": {"type": ["object", "null"], "propertyNames": {"pattern": _PARAMETER}},
                "confirmations": {"type": ["object", "null"], "additionalProperties": {"$ref": "#/$defs/Answer"}},
            }
            return _whole(site.SCHEMA, SitePreamble, parts, [])
        case _:
            assert_never(document)


def _whole(id_: str, preamble: type[BaseModel], parts: dict[str, Any], required: list[str]) -> JsonSchemaValue:
    kinds = registry.requirements() if "requirements" in parts else {}
    models: list[type[BaseModel]] = [preamble, Parameter, Answer, Header, *kinds.values()]
    refs, defined = models_json_schema(
        [(m, "validation") for m in models], ref_template="#/$defs/{model}", by_alias=True
    )
    definitions: dict[str, Any] = defined["$defs"]
    key = {m: refs[m, "validation"]["$ref"].rpartition("/")[2] for m in models}
    head = definitions.pop(key[preamble])
    own = {key[m] for m in kinds.values()} | {key[Header], LocalText.__name__}
    for name, definition in definitions.items():
        if name not in own and name not in (key[Parameter], key[Answer]):
            definition["properties"] = {n: _open(s) for n, s in definition.get("properties", {}).items()}
            if not definition["properties"]:
                del definition["properties"]
    for kind, type_ in kinds.items():
        definitions[f"kind.{kind}"] = _kind(kind, definitions.pop(key[type_]), fields_of(type_))
    definitions[Header.__name__] = definitions.pop(key[Header])
    definitions["condition"] = _CONDITION
    definitions["parameter_reference"] = _REFERENCE
    used = _reachable({"head": head, "parts": parts}, definitions)
    return {
        "$schema": _DIALECT,
        "$id": f"urn:{id_.replace('/', ':')}",
        "title": id_,
        "type": "object",
        "additionalProperties": False,
        "required": [*head.get("required", []), *required],
        "properties": {**head["properties"], **parts},
        "$defs": {name: definitions[name] for name in sorted(used)},
    }


_REFERENCE = {
    "type": "object",
    "description": "The value that the site file gives, or the parameter's default.",
    "additionalProperties": False,
    "required": ["param"],
    "properties": {"param": {"type": "string", "pattern": _PARAMETER}},
}
_PLAIN = {"type": ["string", "boolean", "integer"]}
_CONDITION: dict[str, Any] = {
    "description": "Where it does not hold, the requirement is not applicable.",
    "oneOf": [
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["param", "is"],
            "properties": {
                "param": {"type": "string", "pattern": _PARAMETER},
                "is": {"anyOf": [_PLAIN, {"type": "array", "minItems": 1, "items": _PLAIN}]},
            },
        },
        *(
            {
                "type": "object",
                "additionalProperties": False,
                "required": [word],
                "properties": {word: {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/condition"}}},
            }
            for word in ("all", "any")
        ),
    ],
}


def _parameters() -> dict[str, Any]:
    return {
        "type": "object",
        "propertyNames": {"pattern": _PARAMETER},
        "additionalProperties": {"$ref": f"#/$defs/{Parameter.__name__}"},
    }


def _rows() -> dict[str, Any]:
    kinds = registry.requirements()
    branches = [
        {
            "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
            "then": {"$ref": f"#/$defs/kind.{kind}"},
        }
        for kind in kinds
    ]
    return {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["id", "kind"],
            "properties": {"kind": {"enum": list(kinds)}},
            # one branch each instead of oneOf: an editor then complains about the field, not about every kind
            "allOf": branches,
        },
    }


def _kind(kind: str, definition: dict[str, Any], own: tuple[str, ...]) -> dict[str, Any]:
    header: dict[str, Any] = {name: {"$ref": f"#/$defs/{Header.__name__}/properties/{name}"} for name in HEADER}
    header["level"] = {"anyOf": [header["level"], _sizes(header["level"])]}
    return {
        "type": "object",
        "description": definition.get("description", ""),
        "additionalProperties": False,
        "required": ["kind", *(n for n in definition.get("required", []) if n in (*HEADER, *own))],
        "properties": {
            "kind": {"const": kind},
            **header,
            "when": {"$ref": "#/$defs/condition"},
            **{name: _open(definition["properties"][name]) for name in own},
        },
    }


def _open(value: dict[str, Any]) -> dict[str, Any]:
    """*value*, or a reference to a parameter, or one of these for each size; likewise for what is inside a list."""
    inner = dict(value)
    for name in ("items", "additionalProperties"):
        if isinstance(inner.get(name), dict):
            inner[name] = _open(inner[name])
    kept: dict[str, Any] = {name: inner.pop(name) for name in ("title", "description", "default") if name in inner}
    return {**kept, "anyOf": [inner, {"$ref": "#/$defs/parameter_reference"}, _sizes(inner)]}


def _sizes(value: dict[str, Any]) -> dict[str, Any]:
    one = value if "$ref" in value else {"anyOf": [value, {"$ref": "#/$defs/parameter_reference"}]}
    return {
        "type": "object",
        "description": "A value for each size.",
        "additionalProperties": False,
        "minProperties": 1,
        "patternProperties": {_SIZE: one},
    }


def _reachable(node: Any, definitions: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    todo = [node]
    while todo:
        match todo.pop():
            case {"$ref": str(ref), **rest}:
                name = ref.split("/")[2]
                if name not in found:
                    found.add(name)
                    todo.append(definitions[name])
                todo.extend(rest.values())
            case dict() as fields:
                todo.extend(fields.values())
            case list() as items:
                todo.extend(items)
    return found
