"""A stand-in for the Gorgias REST API, over a generated shop.

Everything in it is invented. See `Sandbox` and `Shop`, and try
`python -m tests.sandbox --help`.
"""

from tests.sandbox.answers import Answer
from tests.sandbox.faults import Fault
from tests.sandbox.limiter import (
    LIMITERS,
    FixedWindows,
    LeakyBucket,
    Limiter,
    SlidingWindow,
)
from tests.sandbox.rows.secrets import PLANTED_SECRETS
from tests.sandbox.sandbox import Request, Sandbox
from tests.sandbox.shop import Shop

__all__ = [
    "LIMITERS",
    "PLANTED_SECRETS",
    "Answer",
    "Fault",
    "FixedWindows",
    "LeakyBucket",
    "Limiter",
    "Request",
    "Sandbox",
    "Shop",
    "SlidingWindow",
]
