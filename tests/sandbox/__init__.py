"""A stand-in for the Gorgias REST API, over a generated shop.

Everything in it is invented. See `Sandbox` and `Shop`, and try
`python -m tests.sandbox --help`.
"""

from tests.sandbox.bucket import Bucket
from tests.sandbox.faults import Fault
from tests.sandbox.rows.secrets import PLANTED_SECRETS
from tests.sandbox.sandbox import Request, Sandbox
from tests.sandbox.shop import Shop

__all__ = ["PLANTED_SECRETS", "Bucket", "Fault", "Request", "Sandbox", "Shop"]
