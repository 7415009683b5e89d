"""JSON Schemas of what the program writes: the report, the facts file and a single diagnosis.

Beside the shape of the document they say, for each kind of question, what its fields and its fact are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode, JsonSchemaValue

from reference.source import field_texts
from vorflug.engine import registry
from vorflug.model.diagnosis import SCHEMA as DIAGNOSIS_SCHEMA
from vorflug.model.diagnosis import Diagnosis
from vorflug.model.query import Fact, Reason
from vorflug.model.report import FACTS_SCHEMA, SCHEMA, Facts, Report
from vorflug.ports import net

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_WRITTEN: JsonSchemaMode = "serialization"


def report() -> str:
    """The schema of ``report.json``."""
    return _text(Report, SCHEMA)


def facts() -> str:
    """The schema of a facts file."""
    return _text(Facts, FACTS_SCHEMA)


def diagnosis() -> str:
    """The schema of what ``vorflug diagnose --format json`` prints."""
    whole: dict[str, Any] = Diagnosis.model_json_schema(mode=_WRITTEN, by_alias=True)
    definitions: dict[str, Any] = whole.pop("$defs")
    _describe({**definitions, Diagnosis.__name__: whole})
    for name, definition in definitions.items():
        if is_dataclass(seen := getattr(net, name, None)) and isinstance(seen, type):
            _describe_one(definition, field_texts(seen))
    return _written(DIAGNOSIS_SCHEMA, whole, definitions)


def fact_schema(fact: type[Fact]) -> tuple[JsonSchemaValue, dict[str, Any]]:
    """The schema of one fact, and the definitions that it refers to."""
    schema = fact.model_json_schema(mode=_WRITTEN)
    return schema, schema.pop("$defs", {})


def _text(document: type[BaseModel], id_: str) -> str:
    inputs: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [("document", _WRITTEN, TypeAdapter(document))]
    for kind, query in registry.queries().items():
        inputs.append((f"query.{kind}", _WRITTEN, TypeAdapter(query)))
        inputs.append((f"fact.{kind}", _WRITTEN, TypeAdapter(registry.fact_of(query))))
    refs, shared = TypeAdapter.json_schemas(inputs, by_alias=True, ref_template="#/$defs/{model}")
    definitions: dict[str, Any] = shared["$defs"]
    _describe(definitions)
    whole = definitions.pop(str(refs["document", _WRITTEN]["$ref"]).rpartition("/")[2])
    row = definitions["FactInfo"]
    row["properties"]["unseen"] = {"anyOf": [_UNSEEN, {"type": "null"}]}
    row["properties"]["query"] = {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": []}}}
    row["properties"]["query"]["properties"]["kind"]["enum"] = list(registry.queries())
    row["allOf"] = [
        {
            "if": {"properties": {"query": {"properties": {"kind": {"const": kind}}}}},
            "then": {
                "properties": {
                    "query": {"$ref": f"#/$defs/query.{kind}"},
                    "fact": {"anyOf": [refs[f"fact.{kind}", _WRITTEN], {"type": "null"}]},
                }
            },
        }
        for kind in registry.queries()
    ]
    for kind in registry.queries():
        definitions[f"query.{kind}"] = _with_kind(kind, refs[f"query.{kind}", _WRITTEN], definitions)
    return _written(id_, whole, definitions)


def _written(id_: str, whole: dict[str, Any], definitions: dict[str, Any]) -> str:
    return (
        json.dumps(
            {
                "$schema": _DIALECT,
                "$id": f"urn:{id_.replace('/', ':')}",
                **{k: v for k, v in whole.items() if k != "title"},
                "title": id_,
                "$defs": {name: definitions[name] for name in sorted(definitions)},
            },
            indent=2,
            ensure_ascii=False,
        )
        + "\n"
    )


_UNSEEN = {
    "type": "object",
    "description": "Why there is no fact.",
    "additionalProperties": False,
    "required": ["reason", "detail"],
    "properties": {"reason": {"enum": list(Reason)}, "detail": {"type": "string"}},
}


def _with_kind(kind: str, reference: JsonSchemaValue, definitions: dict[str, Any]) -> JsonSchemaValue:
    """The schema of a question as it is written: its kind beside its fields."""
    fields = definitions.pop(str(reference["$ref"]).rpartition("/")[2]) if "$ref" in reference else reference
    return {
        "type": "object",
        "description": fields.get("description", ""),
        "additionalProperties": False,
        "required": ["kind", *fields.get("required", [])],
        "properties": {"kind": {"const": kind}, **fields.get("properties", {})},
    }


def _describe(definitions: dict[str, Any]) -> None:
    """Give every field the docstring that stands below it in the code."""
    for class_ in _models(BaseModel):
        # where two classes have one name, pydantic puts the module before it
        full = f"{class_.__module__}.{class_.__qualname__}".replace(".", "__")
        definition = definitions.get(full, definitions.get(class_.__name__))
        if definition is None or not class_.__module__.startswith("vorflug."):
            continue
        fields = class_.model_fields
        texts = field_texts(class_)
        _describe_one(definition, {(fields[n].alias or n) if n in fields else n: text for n, text in texts.items()})


def _describe_one(definition: dict[str, Any], texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        written = definition.get("properties", {}).get(name)
        if isinstance(written, dict) and "description" not in written:
            written["description"] = text


def _models(base: type[BaseModel]) -> list[type[BaseModel]]:
    found = [base]
    for one in base.__subclasses__():
        found += _models(one)
    return found
