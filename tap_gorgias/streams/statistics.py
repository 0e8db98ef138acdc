"""Statistics: a stream for each query in the settings (reference/reporting)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta, timezone
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from tap_gorgias import timestamps
from tap_gorgias.compat import override
from tap_gorgias.config.statistics import MAX_ID_LENGTH
from tap_gorgias.errors import TransientApiError
from tap_gorgias.replication import walks
from tap_gorgias.replication.bookmarks import STATISTICS_KEYS, bookmark_from
from tap_gorgias.replication.pages import meta_of
from tap_gorgias.replication.periods import (
    LONGEST_WINDOW,
    Calendar,
    RowsMissingError,
    by_period,
)
from tap_gorgias.stream_types.replication import IncrementalStream, OptionalStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import requests
    from singer_sdk import Tap
    from singer_sdk.pagination import BaseAPIPaginator

    from tap_gorgias.config.statistics import StatisticsQuery
    from tap_gorgias.replication.bookmarks import Position
    from tap_gorgias.replication.pages import Page, Row
    from tap_gorgias.replication.periods import Window
    from tap_gorgias.replication.walks import Step
    from tap_gorgias.run.context import Run

HISTORY = timedelta(days=731)
"""How far back a first sync reads without `start_date`: two years."""


class StatisticsStream(OptionalStream, IncrementalStream):
    """A row for each period and each combination of the query's dimensions.

    Figures of recent periods still change, so they are read again. The endpoint takes
    its query as the body of a POST request, and changes nothing (reference/reporting).

    A window must fit into one response: Gorgias orders rows by few members, and pages
    of rows without an order overlap.
    """

    path = "/api/reporting/stats"
    http_method = "POST"
    page_size: ClassVar[int] = 10_000
    """The most that the endpoint returns for one request."""

    scope = "statistics:read"
    replication_key = "period_start"
    state_keys = STATISTICS_KEYS
    unavailable_statuses = (
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )

    def __init__(self, tap: Tap, run: Run, query: StatisticsQuery) -> None:
        self.name = query.stream
        self.query = query
        self._read_datetime = ""
        self.unavailable_reason = (
            f"the plan lacks the scope `{query.scope}`, or the permission "
            f"`{self.scope}` is missing. Grant it, or remove the query."
        )
        super().__init__(tap, run)

    @property
    @override
    def schema(self) -> dict[str, Any]:  # type: ignore[override]
        return self.query.schema

    @cached_property
    def _calendar(self) -> Calendar:
        return Calendar(self.query.granularity, self.run.settings.statistics_timezone)

    @override
    def load_entry(self) -> Mapping[str, Any]:
        saved = super().load_entry()
        query = saved.get("query")
        if saved.get("replication_key_value") and query != self._fingerprint:
            self.warn_once(
                "The query or its time zone has changed since the last run: its "
                "figures are read from the start. Rows of the old query stay in the "
                "target."
            )
            return {}
        return saved

    @override
    def entry_for(self, position: Position) -> dict[str, Any]:
        return {**super().entry_for(position), "query": self._fingerprint}

    @cached_property
    def _fingerprint(self) -> str:
        return self.query.fingerprint(self._calendar.zone.key)

    @override
    def steps(self) -> Iterator[Step]:
        now = self.run.clock.utc()
        self._read_datetime = timestamps.render(now)
        bookmark = bookmark_from(self.load_entry(), self.name)
        lookback = self.run.settings.statistics_lookback
        since = walks.floor_of(bookmark, self.start, lookback)
        return by_period(
            self.page_of_window,
            calendar=self._calendar,
            bookmark=bookmark,
            since=now - HISTORY if since is None else timestamps.parse(since),
            now=now,
            longest=LONGEST_WINDOW if self.query.period_dimension else timedelta(0),
        )

    def page_of_window(self, window: Window) -> Page:
        """Request the figures of some periods; of one if rows do not name theirs.

        Raises `RowsMissingError` if the response does not hold all of them.
        """
        has_dates = self.query.period_dimension
        after, before = window.with_margin if has_dates else window.without_margin
        try:
            page = next(self.pages(params=self._query(after, before)))
        except RowsMissingError:
            self.logger.info(
                "The response does not hold all rows from %s to %s: shorter periods "
                "are requested.",
                after,
                before,
            )
            raise
        # An empty row stands for what is no object: it has no key.
        rows = [self._row(row, window) if row else row for row in page.rows]
        keys = [row.get("id") for row in rows]
        if len({*keys}) < len(keys):
            self.report_incomplete("Some rows have the same values in all dimensions.")
        rows.sort(key=lambda row: row.get("period_start") or "")
        return replace(page, rows=rows)

    @override
    def page_of(
        self, response: requests.Response, paginator: BaseAPIPaginator[Any]
    ) -> Page:
        if response.status_code == HTTPStatus.ACCEPTED:
            reason = "the response is not ready."
            raise TransientApiError(
                reason, stream=self.name, path=self.path, status=response.status_code
            )
        page = super().page_of(response, paginator)
        count, total = len(page.rows), meta_of(response.json()).get("total")
        is_cut = count >= self.page_size or (isinstance(total, int) and count < total)
        if is_cut or page.next_cursor is not None:
            raise RowsMissingError
        return page

    def _query(self, after: str, before: str) -> dict[str, Any]:
        """Return the body of a request for the time between two borders."""
        query = self.query
        payload: dict[str, Any] = {
            "scope": query.scope,
            "timezone": self._calendar.zone.key,
            "filters": [
                _filter("periodStart", "afterDate", after),
                _filter("periodEnd", "beforeDate", before),
                *query.filters,
            ],
            "dimensions": list(query.dimensions),
            "measures": list(query.measures),
        }
        if query.period_dimension:
            payload["time_dimensions"] = [
                {"dimension": query.period_dimension, "granularity": query.granularity}
            ]
        return {"query": payload}

    def _row(self, row: Row, window: Window) -> Row:
        known = {*filter(None, [self.query.period_dimension]), *self.query.columns}
        for member in sorted(known - row.keys()):
            self.warn_once("Gorgias does not return `%s`: it is null.", member)
        for member in sorted(row.keys() - known):
            self.warn_once(
                "Gorgias returns an unknown property `%s`, which is left out.",
                member[:80],
            )
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
            self.warn_once("Some periods are not valid date-times: they are null.")
        return period


def _filter(member: str, operator: str, value: str) -> dict[str, Any]:
    return {"member": member, "operator": operator, "values": [value]}


def _text(value: Any) -> str | None:  # noqa: ANN401
    """Render the value of a dimension, which may be a number or a string."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _id(parts: list[str | None]) -> str:
    text = json.dumps(parts)
    if len(text) <= MAX_ID_LENGTH:
        return text
    return hashlib.sha256(text.encode()).hexdigest()
