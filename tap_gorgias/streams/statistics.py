"""Reports of Gorgias: a stream for each query in the settings."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta, timezone
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from singer_sdk import StreamSchema

from tap_gorgias import timestamps
from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError
from tap_gorgias.replication import walks
from tap_gorgias.replication.bookmarks import bookmark_from
from tap_gorgias.replication.pagination import Page, meta_of, parse_page
from tap_gorgias.replication.periods import (
    LONGEST_WINDOW,
    Calendar,
    RowsMissingError,
    by_period,
)
from tap_gorgias.stream_types.optional import OptionalStream
from tap_gorgias.stream_types.replication import IncrementalStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk import Stream, Tap

    from tap_gorgias.api.client import Reply
    from tap_gorgias.config.statistics import StatisticsQuery
    from tap_gorgias.replication.bookmarks import Position
    from tap_gorgias.replication.pagination import Fetch, Row
    from tap_gorgias.replication.periods import Window
    from tap_gorgias.replication.walks import Step
    from tap_gorgias.run.context import Run

PAGE_ROWS = 10_000
"""The most that the endpoint gives for one request."""
HISTORY = timedelta(days=731)
"""How far back a first sync goes without `start_date`: two years."""
LONGEST_ID = 255


class QuerySchema(StreamSchema[str]):
    """The schema that the query of a stream makes."""

    def __init__(self) -> None:
        """Need no source."""

    @override
    def get_stream_schema(
        self, stream: Stream, stream_class: type[Stream]
    ) -> dict[str, Any]:
        return cast("StatisticsStream", stream).query.schema


class StatisticsStream(OptionalStream, IncrementalStream):
    """A row for each period and each combination of the query's dimensions.

    Figures of recent periods still move, so they are read again. The endpoint takes its
    query as the body of a POST, and changes nothing (reference/reporting).

    A window is read by pages only if Gorgias can put all its rows into one order.
    Otherwise it has to fit into one answer.
    """

    path = "/api/reporting/stats"
    scope = "statistics:read"
    replication_key = "period_start"
    schema = QuerySchema()
    lacking = (
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )

    def __init__(self, tap: Tap, run: Run, query: StatisticsQuery) -> None:
        """Make the stream of one query.

        Args:
            tap: The tap, which the SDK needs.
            run: What the streams of a run share.
            query: What to ask for.
        """
        self.name = query.stream
        self.query = query
        self._read_datetime = ""
        self.lacking_because = (
            f"probably because the plan lacks the scope `{query.scope}`, or the "
            f"credentials the permission `{self.scope}`: grant it, or remove the query "
            "from `statistics`."
        )
        self._order = query.order
        super().__init__(tap, run)

    @cached_property
    def _calendar(self) -> Calendar:
        return Calendar(self.query.granularity, self.run.settings.statistics_timezone)

    @override
    def params(self) -> dict[str, str | int | Sequence[str]]:
        return {"limit": PAGE_ROWS}

    @override
    def saved(self) -> Mapping[str, Any]:
        saved = super().saved()
        if saved and saved.get("query") != self._fingerprint:
            self.warn_once(
                "The query or its time zone is not that of the last run: its figures "
                "are read from the beginning. Rows of the old one stay in the target."
            )
            return {}
        return saved

    @override
    def state_entry(self, position: Position) -> dict[str, Any]:
        entry = super().state_entry(position)
        return {**entry, "query": self._fingerprint} if entry else entry

    @cached_property
    def _fingerprint(self) -> str:
        return self.query.fingerprint(self._calendar.zone.key)

    @override
    def steps(self) -> Iterator[Step]:
        now = self.run.clock.utc()
        self._read_datetime = timestamps.render(now)
        bookmark = bookmark_from(self.saved(), self.name)
        lookback = self.run.settings.statistics_lookback
        since = walks.floor_of(bookmark, self.start, lookback)
        return by_period(
            self.fetch_window,
            calendar=self._calendar,
            key=self.replication_key,
            bookmark=bookmark,
            since=now - HISTORY if since is None else timestamps.parse(since),
            now=now,
            longest=LONGEST_WINDOW if self.query.period_dimension else timedelta(0),
        )

    def fetch_window(self, window: Window) -> Fetch:
        """Bind the query to some periods.

        Args:
            window: The periods; a single one if rows do not tell theirs.

        Returns:
            What gets a page of finished rows, given its cursor. It raises
            `RowsMissingError` if rows of the window are missing.
        """
        found = 0

        def fetch(cursor: str | None) -> Page:
            nonlocal found
            params = self.params()
            if cursor is not None:
                params["cursor"] = cursor
            reply = self._reply(params, window)
            page = parse_page(*reply, limit=None)
            found += len(page.rows)
            if self._lacks_rows(page, found, meta_of(reply.value).get("total")):
                self.logger.info(
                    "The answer does not hold all rows from %s to %s: they are asked "
                    "for again by shorter periods.",
                    *self._borders(window),
                )
                raise RowsMissingError
            rows = [self._row(row, window) for row in page.rows]
            rows.sort(key=lambda row: row["period_start"] or "")
            return Page(rows, page.next_cursor, page.now)

        return fetch

    def _lacks_rows(self, page: Page, found: int, total: object) -> bool:
        if page.next_cursor is not None:
            return not self._order  # Without an order, pages could overlap.
        cut = isinstance(total, int) and found < total
        return cut or len(page.rows) >= PAGE_ROWS

    def _reply(
        self, params: dict[str, str | int | Sequence[str]], window: Window
    ) -> Reply:
        try:
            return self.post(params, self._body(window))
        except ApiError as error:
            may_be_the_order = self._order and "cursor" not in params
            if error.status != HTTPStatus.BAD_REQUEST or not may_be_the_order:
                raise
            self._order = ()
            reply = self.post(params, self._body(window))
            self.logger.warning("%s It is asked for without an order.", error)
            return reply

    def _borders(self, window: Window) -> tuple[str, str]:
        return window.asked_for if self.query.period_dimension else window.alone

    def _body(self, window: Window) -> dict[str, Any]:
        query = self.query
        first, last = self._borders(window)
        asked: dict[str, Any] = {
            "scope": query.scope,
            "timezone": self._calendar.zone.key,
            "filters": [
                {"member": "periodStart", "operator": "afterDate", "values": [first]},
                {"member": "periodEnd", "operator": "beforeDate", "values": [last]},
                *query.filters,
            ],
            "dimensions": list(query.dimensions),
            "measures": list(query.measures),
        }
        if query.period_dimension:
            asked["time_dimensions"] = [
                {"dimension": query.period_dimension, "granularity": query.granularity}
            ]
        if self._order:
            asked["order"] = [[member, "asc"] for member in self._order]
        return {"query": asked}

    def _row(self, row: Row, window: Window) -> Row:
        known = {*filter(None, [self.query.period_dimension]), *self.query.columns}
        for member in sorted(known - row.keys()):
            self.warn_once("Gorgias leaves out `%s`: it is null.", member)
        for member in sorted(row.keys() - known):
            self.warn_once("Gorgias adds `%s`, which is left out.", member[:80])
        period = self._period_of(row, window)
        dimensions = [_text(row.get(name)) for name in sorted(self.query.dimensions)]
        return {
            "id": _id([period, *dimensions]),
            "period_start": period,
            "timezone": self._calendar.zone.key,
            "read_datetime": self._read_datetime,
            **{column: row.get(name) for name, column in self.query.columns.items()},
        }

    def _period_of(self, row: Row, window: Window) -> str | None:
        if not self.query.period_dimension:
            return timestamps.render(window.start.astimezone(timezone.utc))
        value = row.get(self.query.period_dimension)
        period = self._calendar.read(value)
        if period is None and value is not None:
            self.warn_once("Some periods of Gorgias are no date-times: they are null.")
        return period


def _text(value: Any) -> str | None:  # noqa: ANN401
    """Write a dimension's value, which may come as a number or as a text."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _id(parts: list[str | None]) -> str:
    text = json.dumps(parts)
    if len(text) <= LONGEST_ID:
        return text
    return hashlib.sha256(text.encode()).hexdigest()
