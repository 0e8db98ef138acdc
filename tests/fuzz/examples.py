"""The number of examples: a fixed few by default, or more at random.

`FUZZ=50 pytest tests/fuzz` tries fifty times as many, which differ in each run.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, settings

if TYPE_CHECKING:
    from collections.abc import Callable

FACTOR = int(os.environ.get("FUZZ", "1"))
BRIEF = FACTOR == 1


def examples(count: int) -> Callable[[Any], Any]:
    """Return a decorator that sets the number of examples; `FUZZ` multiplies it."""
    return settings(
        max_examples=count * FACTOR,
        derandomize=BRIEF,
        database=None,
        deadline=None,
        # Each example is a run of the tap, so shrinking would take too long.
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
