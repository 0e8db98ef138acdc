"""The SDK's own tests, over the sandbox.

Some of them check nothing: duplicates of a key and leftovers in STATE pass. What they
leave out is checked in `test_first_sync.py` and `test_later_runs.py`.
"""

from __future__ import annotations

from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_gorgias.streams import STREAMS
from tap_gorgias.tap import TapGorgias
from tests.runs import catalog_of
from tests.sandbox import Sandbox, Shop

# The suite wants its settings when this module is imported.
SANDBOX = Sandbox(Shop(seed=6, tickets=40))
SANDBOX.start()

TestTapGorgias = get_tap_test_class(
    TapGorgias,
    config=SANDBOX.config,
    catalog=catalog_of(*(stream.name for stream in STREAMS)),
    suite_config=SuiteConfig(max_records_limit=150),
)
