"""What happened in the helpdesk."""

from __future__ import annotations

import itertools
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tap_gorgias.compat import override
from tap_gorgias.config.event_types import EVENT_TYPES
from tap_gorgias.errors import ApiError
from tap_gorgias.stream_types.base import Priority
from tap_gorgias.stream_types.replication import LogStream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from singer_sdk.helpers import types

    from tap_gorgias.replication.pages import Page, Row
    from tap_gorgias.replication.walks import Step
    from tap_gorgias.stream_types.base import GorgiasStream


class EventsStream(LogStream):
    """A row for each thing that an agent, a rule or a customer did.

    It is the only list that the API filters by date. Gorgias is said to keep events for
    twelve months.
    """

    name = "events"
    priority = Priority.LAST
    path = "/api/events"
    scope = "events:read"

    @override
    def get_url_params(
        self, context: types.Context | None, next_page_token: str | None
    ) -> dict[str, Any]:
        if self.run.settings.event_types:
            context = {"types": self.run.settings.event_types, **(context or {})}
        return super().get_url_params(context, next_page_token)


_GONE = ("-deleted", "-merged")
DELETIONS = tuple(name for name in EVENT_TYPES if name.endswith(_GONE))
"""Types of events that tell of something that is gone, and can be filtered by."""

_NEWEST = frozenset({"custom-field-condition-deleted"})
"""Those that only the newest document has."""


class DeletionsStream(LogStream):
    """A row for each thing that was deleted, or merged into another.

    Elsewhere such a thing just vanishes. Gorgias filters the events by their types. If
    it refuses some of them, it is asked for the others. If that does not help, all
    events are read to find the deletions.
    """

    name = "deletions"
    path = "/api/events"
    scope = "events:read"

    @override
    def pages_since(
        self,
        timestamp: str | None,
        context: types.Context | None = None,
        *,
        reader: GorgiasStream | None = None,
    ) -> Iterator[Page]:
        yield from self._pages_of(DELETIONS, timestamp)

    def _pages_of(self, types: Sequence[str], timestamp: str | None) -> Iterator[Page]:
        """Request the events of some types, or of all if there are none."""
        pages = super().pages_since(timestamp, {"types": types} if types else None)
        try:
            first = next(pages)
        except ApiError as error:
            if error.status != HTTPStatus.BAD_REQUEST or not types:
                raise
            refusal = error
        else:
            return itertools.chain([first], pages)
        if refused := _refused(types, str(refusal)):
            names = ", ".join(f"`{name}`" for name in sorted(refused))
            self.logger.warning("%s The types are left out: %s.", refusal, names)
            others = [name for name in types if name not in refused]
            return self._pages_of(others, timestamp)
        # The types are to blame if it works without them.
        every = self._pages_of((), timestamp)
        self.logger.warning(
            "%s All events are read instead, to find the deletions.", refusal
        )
        return every

    @override
    def steps(self, context: types.Context | None) -> Iterator[Step]:
        for step in super().steps(context):
            gone = [row for row in step.rows if str(row.get("type")).endswith(_GONE)]
            yield step._replace(rows=[_deletion(row) for row in gone])


def _refused(types: Collection[str], reason: str) -> set[str]:
    """Tell which types to leave out after a refusal; none if that is of no use."""
    named = {name for name in EVENT_TYPES if re.search(rf"(?<![\w-]){name}\b", reason)}
    # A text that names others lists the valid types, as far as it reaches.
    if named and named < set(types):
        return named
    return set(types) & _NEWEST


def _deletion(event: Row) -> Row:
    names = ("id", "object_type", "object_id", "type", "created_datetime", "user_id")
    source, target = _sides(event)
    return {
        **{name: event.get(name) for name in names},
        "source_object_id": source,
        "target_object_id": target,
        "data": event.get("data"),
    }


def _sides(event: Row) -> tuple[Any, Any]:
    """Find the ids that a merge took away and left, as far as the event tells.

    Recorded: `tag-merged` is about the tag that is gone, and names no other;
    `customer-merged` is about the customer that is left, and names the other.
    """
    kind, about, data = event["type"], event.get("object_id"), event.get("data")
    if not kind.endswith("-merged"):
        return None, None
    if kind == "tag-merged":
        return about, None
    source, target = (_named(side, data) for side in ("source", "target"))
    if kind == "customer-merged":
        return source, about
    # Where one side is named, the event is about the other.
    if source is None and target is not None and target != about:
        source = about
    elif target is None and source is not None and source != about:
        target = about
    return source, target


def _named(side: str, data: object) -> Any:  # noqa: ANN401
    """Find an id such as `source_customer_id`."""
    form = re.compile(rf"{side}_(?:[a-z_]+_)?id")
    named = data.items() if isinstance(data, dict) else ()
    return next((value for name, value in named if form.fullmatch(name)), None)
