"""A list endpoint in memory that records which pages were requested."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tap_gorgias.replication import walks
from tap_gorgias.replication.bookmarks import Position
from tap_gorgias.replication.pages import Page
from tests.support.responses import paged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_gorgias.replication.pages import Row

KEY = "updated_datetime"
OVERLAP = timedelta(minutes=2)


def at(hour: int, minute: int = 0) -> str:
    """Return a timestamp on 1 January 2026, as the tap formats it."""
    return f"2026-01-01T{hour:02}:{minute:02}:00.000000Z"


def rows(*timestamps: object) -> list[Row]:
    """Return a row for each value of the replication key."""
    return [{"id": str(timestamp), KEY: timestamp} for timestamp in timestamps]


class Pages:
    """The pages of a list: the first has no cursor, the next have c1, c2 and so on."""

    def __init__(self, *contents: list[Row]) -> None:
        self.requested: list[str | None] = []
        last = len(contents) - 1
        self._pages: dict[str | None, Page | Exception] = {
            f"c{number}" if number else None: Page(
                content, None if number == last else f"c{number + 1}"
            )
            for number, content in enumerate(contents)
        }

    def replace(self, cursor: str | None, page: Page | Exception) -> Pages:
        """Replace the page at a cursor with another page or an error."""
        self._pages[cursor] = page
        return self

    def __call__(self, cursor: str | None) -> Iterator[Page]:
        """Yield the pages from a cursor on."""
        return paged(self._page_at)(cursor)

    def _page_at(self, cursor: str | None) -> Page:
        self.requested.append(cursor)
        page = self._pages[cursor]
        if isinstance(page, Exception):
            raise page
        return replace(page, key=KEY)


@dataclass
class Read:
    """The steps and warnings of a read."""

    steps: list[walks.Step] = field(default_factory=list)
    order_warnings: list[str] = field(default_factory=list)
    restarts: list[str] = field(default_factory=list)

    def lacks_key(self, row: Row) -> bool:
        """Tell whether a row has no id."""
        return row.get("id") is None

    def warn_of_order(self, order: str) -> None:
        """Record that a list was not in order."""
        self.order_warnings.append(order)

    def warn_of_restart(self, reason: str) -> None:
        """Record that a walk was restarted."""
        self.restarts.append(reason)

    @property
    def ids(self) -> list[str]:
        """Return the ids of the emitted rows in output order."""
        return [row["id"] for step in self.steps for row in step.rows]

    @property
    def positions(self) -> list[Position | None]:
        """Return the position saved after each page."""
        return [step.position for step in self.steps]

    @property
    def bookmarks(self) -> list[str | None]:
        """Return the bookmark of each saved position."""
        return [position.bookmark for position in self.positions if position]

    def take(self, steps: Iterable[walks.Step]) -> Read:
        """Read to the end or up to an error."""
        for step in steps:
            self.steps.append(step)
        return self


def feed_steps(
    pages: Pages, read: Read, position: Position, start: str | None = None
) -> Iterator[walks.Step]:
    """Return the steps of a feed, which are read as they are consumed."""
    plan = walks.WalkPlan(
        position, lambda bookmark: walks.floor_of(bookmark, start, OVERLAP)
    )
    return walks.feed(pages, plan, read)


def feed(
    pages: Pages,
    position: Position | None = None,
    start: str | None = None,
    *,
    read: Read | None = None,
) -> Read:
    """Read a feed to its end."""
    read = read or Read()
    return read.take(feed_steps(pages, read, position or Position(), start))
