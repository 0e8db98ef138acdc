"""A list endpoint in memory: pages by cursor, and who asked for which."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from tap_gorgias.replication import walks
from tap_gorgias.replication.bookmarks import Position
from tap_gorgias.replication.pagination import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_gorgias.replication.pagination import Row

KEY = "updated_datetime"
OVERLAP = timedelta(minutes=2)


def at(hour: int, minute: int = 0) -> str:
    """Name a moment of one day, as it is rendered."""
    return f"2026-01-01T{hour:02}:{minute:02}:00.000000Z"


def rows(*moments: object) -> list[Row]:
    """Make a row for each value of the replication key."""
    return [{"id": str(moment), KEY: moment} for moment in moments]


class Pages:
    """Pages by cursor: the first has none, the others c1, c2 and so on."""

    def __init__(self, *contents: list[Row]) -> None:
        """Take the rows of each page."""
        self.asked: list[str | None] = []
        last = len(contents) - 1
        self._pages: dict[str | None, Page | Exception] = {
            f"c{number}" if number else None: Page(
                content, None if number == last else f"c{number + 1}"
            )
            for number, content in enumerate(contents)
        }

    def replace(self, cursor: str | None, answer: Page | Exception) -> Pages:
        """Answer something else from now on."""
        self._pages[cursor] = answer
        return self

    def __call__(self, cursor: str | None) -> Page:
        """Answer one request."""
        self.asked.append(cursor)
        answer = self._pages[cursor]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Read:
    """What came out of a read."""

    steps: list[walks.Step] = field(default_factory=list)
    order_warnings: list[str] = field(default_factory=list)
    restarts: list[str] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """Ids of the rows emitted, in their order."""
        return [row["id"] for step in self.steps for row in step.rows]

    @property
    def positions(self) -> list[Position | None]:
        """What was saved after each page."""
        return [step.position for step in self.steps]

    @property
    def bookmarks(self) -> list[str | None]:
        """The bookmark after each page."""
        return [position.bookmark for position in self.positions if position]

    def take(self, steps: Iterable[walks.Step]) -> Read:
        """Read to the end, or to an error."""
        for step in steps:
            self.steps.append(step)
        return self


def feed_steps(
    pages: Pages, read: Read, position: Position, start: str | None = None
) -> Iterator[walks.Step]:
    """Begin to read a feed."""
    plan = walks.WalkPlan(
        position, lambda bookmark: walks.floor_of(bookmark, start, OVERLAP)
    )
    return walks.feed(
        pages,
        plan,
        key=KEY,
        warn_of_order=read.order_warnings.append,
        warn_of_restart=read.restarts.append,
    )


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
