"""A JSON Schema in a few words, for the tables of the reference."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reference.markdown import code, codes

_PLAIN = {
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "string": "text",
    "null": "nothing",
}


def words(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """What a value of *schema* is: ``list of text``, ``size such as `32 GB```."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        target = definitions[name]
        return words(target, definitions) if "enum" in target else code(name)
    if "const" in schema:
        return code(json.dumps(schema["const"]))
    if "enum" in schema:
        return "one of " + codes(str(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(words(one, definitions) for one in schema["anyOf"])
    if examples := schema.get("examples"):
        return f"such as {code(str(examples[0]))}"
    match schema.get("type"):
        case "array":
            return f"list: {words(schema['items'], definitions)}" if schema.get("items") else "list"
        case "object":
            inner = schema.get("additionalProperties")
            return f"names with: {words(inner, definitions)}" if isinstance(inner, dict) and inner else "fields"
        case str(kind):
            return _PLAIN[kind] + _bounds(schema)
    return "any value"


def _bounds(schema: Mapping[str, Any]) -> str:
    low = schema.get("minimum")
    high = schema.get("maximum")
    match low, high:
        case None, None:
            return ""
        case _, None:
            return f", at least {low}"
        case None, _:
            return f", at most {high}"
    return f", {low} to {high}"
