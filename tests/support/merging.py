"""How Meltano merges states, and how it would merge those of a careless tap."""

from __future__ import annotations

import copy
from typing import Any

State = dict[str, Any]


def merged(new: State, old: State) -> State:
    """Merge a new state into an old one, key by key and at every depth.

    Meltano does so after `--full-refresh` and with `--state-strategy=merge`.
    """
    result = copy.deepcopy(old)
    _merge(new, result)
    return result


def _merge(new: State, into: State) -> None:
    for key, value in new.items():
        if isinstance(value, dict):
            _merge(value, into.setdefault(key, {}))
        else:
            into[key] = value


def without_nulls(state: State) -> State:
    """Return a state without the keys that have no value, at any depth."""
    return {
        key: without_nulls(value) if isinstance(value, dict) else value
        for key, value in state.items()
        if value is not None
    }


def without_empty_walks(state: State) -> State:
    """Return a state with null in place of objects that hold nothing but null."""
    return {
        key: (without_empty_walks(value) if without_nulls(value) else None)
        if isinstance(value, dict)
        else value
        for key, value in state.items()
    }
