"""Rows and their moments: reading, comparing and ordering them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from tap_gorgias import timestamps

if TYPE_CHECKING:
    from tap_gorgias.replication.pages import Page, Row


def is_before(value: Any, moment: str | None) -> bool:  # noqa: ANN401
    """Compare a row's value with a rendered moment.

    Args:
        value: As Gorgias sent it.
        moment: The moment to compare with.

    Returns:
        Whether it is earlier; false if either is missing or unreadable.
    """
    own = moment_of(value)
    return own is not None and moment is not None and own < moment


def newest_of(page: Page, key: str) -> str | None:
    """Find the newest moment of a page that is not in the future.

    Args:
        page: Any page.
        key: The field that holds the moments.

    Returns:
        The moment, rendered; None if there is none.
    """
    return max(past(page, dated(page.rows, key)), default=None)


def dated(rows: list[Row], key: str) -> list[tuple[Row, str | None]]:
    """Pair rows with their moments, rendered; None where there is none."""
    return [(row, moment_of(row.get(key))) for row in rows]


def past(page: Page, dated: list[tuple[Row, str | None]]) -> list[str]:
    """Take the moments that may tell how far a read has come.

    Imports can date a row into the future. As a bookmark, it would hide every change
    until then.
    """
    return [
        moment
        for _, moment in dated
        if moment and (page.now is None or moment <= page.now)
    ]


def moment_of(value: Any) -> str | None:  # noqa: ANN401
    """Render a row's moment; one that is null or unreadable takes no part in order."""
    try:
        return timestamps.normalized(value)
    except ValueError:
        return None


def lower(one: str | None, other: str | None) -> str | None:
    """Take the lower of two floors; None is the lowest."""
    return None if one is None or other is None else min(one, other)


def later(one: str | None, other: str | None) -> str | None:
    """Take the later of two moments; None if there is neither."""
    return max(filter(None, (one, other)), default=None)


def rises(moments: list[str | None]) -> bool:
    """Tell whether moments never fall; None says nothing."""
    known = [moment for moment in moments if moment]
    return all(one <= other for one, other in itertools.pairwise(known))


def falls(moments: list[str | None]) -> bool:
    """Tell whether moments never rise; None says nothing."""
    return rises(moments[::-1])
