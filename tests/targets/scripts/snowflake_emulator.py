"""Start fakesnow 0.12.1 with a fix; the arguments are fakesnow's own.

DuckDB has no temporary views in a schema. dbt creates one in each incremental model,
and drops it.
"""

from __future__ import annotations

import sys
from typing import Any

from fakesnow.cli import main
from fakesnow.cursor import FakeSnowflakeCursor
from sqlglot import exp

transform = FakeSnowflakeCursor._transform


def transform_views(
    cursor: FakeSnowflakeCursor, expression: exp.Expr, params: Any
) -> exp.Expr:
    """Make views that are not temporary."""
    if isinstance(expression, exp.Create) and expression.kind == "VIEW":
        for node in list(expression.find_all(exp.TemporaryProperty)):
            node.pop()
    return transform(cursor, expression, params)


FakeSnowflakeCursor._transform = transform_views
sys.exit(main())
