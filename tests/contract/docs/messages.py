"""Every message that the tap can show, extracted from its code."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

from tests.support.documents import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

SAID_BY = {
    "__init__",  # of the base class of errors
    "append",  # adds to a list of problems
    "error",
    "extend",
    "info",
    "kind",  # a method of ApiError
    "warning",
    "warn_of_restart",
    "warn_once",
    "_report",
    "report_incomplete",
}
SENTENCES = {"advice", "line", "problems", "setting"}
"""Words in the names of functions and variables that contain messages."""

PLACEHOLDER = re.compile(r"%(?:s|d|\.\d+f)")
BLANK = "..."


@cache
def said() -> frozenset[str]:
    """Return the messages; three dots replace placeholders."""
    found = set()
    for path in sorted((ROOT / "tap_gorgias").rglob("*.py")):
        found |= set(_said_in(ast.parse(path.read_text("utf-8"))))
    return frozenset(text for text in found if _is_sentence(text))


def _is_sentence(text: str) -> bool:
    whole = text[:1].isupper() and text.endswith(".")
    return whole or len(text.replace(BLANK, " ").split()) > 2


def _said_in(module: ast.Module) -> Iterator[str]:
    """Find each message in a module, including those assigned to a name."""
    named = _named(module)
    for name, texts in named.items():
        if _holds_sentences(name):
            yield from texts
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            texts = [text for part in node.args[:1] for text in _texts(part, named)]
            called = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
            if called == "ValueError":  # the end of a message, or a whole message
                yield from (text for text in texts if text[0].isupper())
            elif called.endswith("Error") or called in SAID_BY:
                yield from texts
        if isinstance(node, ast.FunctionDef) and _holds_sentences(node.name):
            yield from _returned(node, named)


def _returned(function: ast.FunctionDef, named: dict[str, list[str]]) -> Iterator[str]:
    """Find the messages that a function returns or yields."""
    for part in ast.walk(function):
        if isinstance(part, ast.Return) and part.value:
            yield from _texts(part.value, named)
        elif isinstance(part, ast.Yield) and part.value:
            texts = _texts(part.value, named)
            # What begins in lower case is the end of a message.
            whole = (text for text in texts if not text[:1].islower())
            yield from (text for text in whole if text.endswith((".", "?")))


def _named(module: ast.Module) -> dict[str, list[str]]:
    """Return the texts that are assigned to each name."""
    named: dict[str, list[str]] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name):
                named.setdefault(target.id, []).extend(_texts(node.value, named))
    return named


def _holds_sentences(name: str) -> bool:
    return not SENTENCES.isdisjoint(name.lower().split("_"))


def _texts(node: ast.expr, named: dict[str, list[str]]) -> list[str]:
    """Return the texts of a literal, a list or a name."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [PLACEHOLDER.sub(BLANK, node.value)]
    if isinstance(node, ast.JoinedStr):
        parts = [getattr(part, "value", None) for part in node.values]
        return ["".join(p if isinstance(p, str) else BLANK for p in parts)]
    if isinstance(node, ast.BinOp):
        left, right = _texts(node.left, named), _texts(node.right, named)
        return [one + other for one in left for other in right]
    if isinstance(node, ast.Name):
        return named.get(node.id, [])
    if isinstance(node, ast.GeneratorExp):
        return _texts(node.elt, named)
    if isinstance(node, ast.List | ast.Dict):
        held = node.elts if isinstance(node, ast.List) else node.values
        return [text for part in held for text in _texts(part, named)]
    return []
