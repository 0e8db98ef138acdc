"""The SDK's standard tests of taps, run against the sandbox.

Some of them cannot fail: duplicate keys and remnants in STATE pass. These cases are
tested in `end_to_end/test_first_sync.py` and `end_to_end/test_later_runs.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_gorgias.streams import STREAMS
from tap_gorgias.tap import TapGorgias
from tests.sandbox import Sandbox, Shop
from tests.support.runs import catalog_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# The suite looks at the attribute that comes first, whose values may all be null.
pytestmark = pytest.mark.filterwarnings("ignore:No records were available to test")

# The suite needs its settings when this module is imported.
SANDBOX = Sandbox(Shop(seed=6, tickets=40))
SANDBOX.start()

TAPS: list[TapGorgias] = []


class RegisteredTap(TapGorgias):
    """A tap that the fixture below closes, because the suite does not."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        TAPS.append(self)


@pytest.fixture(scope="module", autouse=True)
def closed_connections() -> Iterator[None]:
    """Close the connections of the suite's taps."""
    yield
    for tap in TAPS:
        tap.run.close()


TestTapGorgias = get_tap_test_class(
    RegisteredTap,
    config=SANDBOX.config,
    catalog=catalog_of(*(stream.name for stream in STREAMS)),
    suite_config=SuiteConfig(max_records_limit=150),
)
