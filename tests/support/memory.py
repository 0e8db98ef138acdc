"""A tap with one stream that reads its pages from memory."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from tap_gorgias.compat import override
from tap_gorgias.replication.pages import Page
from tap_gorgias.stream_types.replication import FeedStream
from tap_gorgias.stream_types.stream import GorgiasStream
from tap_gorgias.streams.tickets import TagsStream, TicketsStream
from tap_gorgias.tap import TapGorgias
from tests.support.responses import paged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pytest
    from singer_sdk.helpers import types

    from tap_gorgias.replication.walks import Step, WalkPlan

PAGE_ROWS = 3
CONFIG = {"subdomain": "acme", "email": "ann@acme.test", "api_key": "key-of-ann"}
UPDATED = "2026-01-01T00:00:{:02}.000000Z"


class MemoryTap(TapGorgias):
    """Serves pages of three rows, newest first; row 1 is the oldest."""

    stream_type: type[GorgiasStream] = TicketsStream
    rows = 0
    before_page: Callable[[str | None], None] = staticmethod(lambda _: None)

    @override
    def discover_streams(self) -> Sequence[GorgiasStream]:
        return [self.stream_type(tap=self, run=self.run)]

    def page(self, cursor: str | None) -> Page:
        """Return a page as a list endpoint would."""
        self.before_page(cursor)
        newest = int(cursor) if cursor else self.rows
        oldest = max(newest - PAGE_ROWS, 0)
        numbers = range(newest, oldest, -1)
        rows = [{"id": n, "updated_datetime": UPDATED.format(n)} for n in numbers]
        return Page(rows, str(oldest) if oldest else None, key="updated_datetime")


class MemoryStream(GorgiasStream, ABC):
    """A stream that sends no requests."""

    @abstractmethod
    def page_at(self, cursor: str | None, context: types.Context | None) -> Page:
        """Return a page."""

    @override
    def pages(
        self,
        cursor: str | None = None,
        params: Mapping[str, Any] | None = None,
        context: types.Context | None = None,
        patience: float | None = None,
    ) -> Iterator[Page]:
        return paged(lambda cursor: self.page_at(cursor, context))(cursor)


class MemoryTickets(MemoryStream, TicketsStream, ABC):
    """A feed of tickets that sends no requests, also not for events."""

    @override
    def walk(self, plan: WalkPlan) -> Iterator[Step]:
        return FeedStream.walk(self, plan)


class Tickets(MemoryTickets):
    """The pages of `MemoryTap` as a feed."""

    @override
    def page_at(self, cursor: str | None, context: types.Context | None) -> Page:
        assert isinstance(self.tap, MemoryTap)
        return self.tap.page(cursor)


class Tags(MemoryStream, TagsStream):
    """The pages of `MemoryTap` as a snapshot."""

    @override
    def page_at(self, cursor: str | None, context: types.Context | None) -> Page:
        assert isinstance(self.tap, MemoryTap)
        page = self.tap.page(cursor)
        return Page([{"id": row["id"]} for row in page.rows], page.next_cursor)


def tap_of(
    stream_type: type[GorgiasStream],
    rows: int,
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
    **config: Any,
) -> MemoryTap:
    """Create a tap whose only stream has a number of rows to read."""
    made = type("Memory", (MemoryTap,), {"stream_type": stream_type, "rows": rows})
    tap: MemoryTap = made(config={**CONFIG, **config}, state=state, catalog=catalog)
    return tap


def messages(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the Singer messages written so far."""
    return [json.loads(line) for line in capsys.readouterr().out.split("\n")[:-1]]
