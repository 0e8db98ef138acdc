"""How long to look for trouble: briefly in every test run, or as long as asked.

`FUZZ=50 pytest tests/fuzz` looks at fifty times as many examples, other ones each time.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, settings

if TYPE_CHECKING:
    from collections.abc import Callable

TIMES = int(os.environ.get("FUZZ", "1"))
BRIEF = TIMES == 1


def examples(count: int) -> Callable[[Any], Any]:
    """Make the decorator for a test that looks at so many examples in a brief run."""
    return settings(
        max_examples=count * TIMES,
        derandomize=BRIEF,
        database=None,
        deadline=None,
        # An example is a run of the tap: to make it simpler takes longer than it helps.
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
