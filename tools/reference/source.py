"""What the code says about itself and Python does not keep: attribute docstrings, and the sentences of a function."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from functools import cache
from itertools import pairwise

_FORMAT = re.compile(r"\{(\w+):\w+\}")


@cache
def field_texts(class_: type) -> dict[str, str]:
    """The docstring below each field of *class_*, inherited ones included."""
    found: dict[str, str] = {}
    for one in reversed(class_.__mro__):
        if one.__module__.startswith("vorflug."):
            found.update(_own_texts(one))
    return found


def _own_texts(class_: type) -> dict[str, str]:
    body = _tree(class_).body
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


def sentences(class_: type, function: str) -> list[str]:
    """The templates of every ``msg(…)`` in a method, as a reader sees them: ``{have:size}`` becomes ``{have}``."""
    owner = next(one for one in class_.__mro__ if function in vars(one))
    method = next(node for node in _tree(owner).body if isinstance(node, ast.FunctionDef) and node.name == function)
    said = [
        node.args[0].value
        for node in ast.walk(method)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "msg"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]
    return list(dict.fromkeys(_FORMAT.sub(r"{\1}", str(text)) for text in said))


@cache
def _tree(class_: type) -> ast.ClassDef:
    tree = ast.parse(textwrap.dedent(inspect.getsource(class_))).body[0]
    if not isinstance(tree, ast.ClassDef):
        raise TypeError(f"wanted the source of a class, saw {ast.dump(tree):.80}")
    return tree
