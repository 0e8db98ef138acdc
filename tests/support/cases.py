"""Parametrization by tables of named cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping


def table(cases: Mapping[str, object]) -> pytest.MarkDecorator:
    """Parametrize a test by named cases; it takes each as its argument `case`."""
    return pytest.mark.parametrize("case", cases.values(), ids=list(cases))
