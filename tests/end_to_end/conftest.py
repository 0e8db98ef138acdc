"""The sandbox of each module, whose contents the module defines in a fixture `shop`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox import Sandbox, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sandbox(shop: Shop) -> Iterator[Sandbox]:
    """The shop of the module, served over HTTP."""
    with Sandbox(shop) as sandbox:
        yield sandbox
