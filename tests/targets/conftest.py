"""All tests in this folder need the environments of the targets."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.targets.environments import LOADED

HERE = Path(__file__).parent
_NONE = SimpleNamespace(params={})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests: they run on request, those of a module and target together."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.targets)
            values = getattr(item, "callspec", _NONE).params.values()
            names = [str(one) for one in values if one in LOADED]
            group = "-".join([item.path.stem, *names])
            item.add_marker(pytest.mark.xdist_group(group))
