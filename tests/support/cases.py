"""Tables of cases with readable names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping


def table(cases: Mapping[str, object]) -> pytest.MarkDecorator:
    """Run a test once for each case, which it takes as its argument `case`.

    Args:
        cases: The cases by name.

    Returns:
        The decorator of the test.
    """
    return pytest.mark.parametrize("case", cases.values(), ids=list(cases))
