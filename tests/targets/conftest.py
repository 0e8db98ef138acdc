"""All tests in this folder need the environments of the targets."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests, so that they run only on request."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.targets)
