"""Events, and the deletions among them."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tap_gorgias.compat import override
from tap_gorgias.config.event_types import EVENT_TYPES
from tap_gorgias.errors import ApiError
from tap_gorgias.replication.bookmarks import EVENT_KEYS
from tap_gorgias.replication.pages import started
from tap_gorgias.stream_types.base import Priority
from tap_gorgias.stream_types.replication import LogStream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from singer_sdk.helpers import types

    from tap_gorgias.replication.bookmarks import Position
    from tap_gorgias.replication.pages import Page, Row
    from tap_gorgias.replication.walks import Step


class EventsStream(LogStream):
    """A row for each action of an agent, a rule or a customer.

    This is the only list that the API filters by date. Gorgias is said to keep events
    for twelve months.
    """

    name = "events"
    state_keys = EVENT_KEYS
    priority = Priority.LAST
    path = "/api/events"
    scope = "events:read"
    masks = ("data",)

    @property
    def _types(self) -> list[str] | None:
        types = self.run.settings.event_types
        return sorted(types) if types else None

    @override
    def saved(self) -> Mapping[str, Any]:
        saved = super().saved()
        before = saved.get("types")
        if isinstance(before, list) and not set(self._types or ("",)) <= set(before):
            self.warn_once(
                "The setting `event_types` holds types that were not read before: the "
                "stream is read from its start."
            )
            return {}
        return saved

    @override
    def state_entry(self, position: Position) -> dict[str, Any]:
        return {**super().state_entry(position), "types": self._types}

    @override
    def get_url_params(
        self, context: types.Context | None, next_page_token: str | None
    ) -> dict[str, Any]:
        types = self.run.settings.event_types
        params = super().get_url_params(context, next_page_token)
        return {**params, "types": types} if types else params


_GONE = ("-deleted", "-merged")
DELETIONS = tuple(name for name in EVENT_TYPES if name.endswith(_GONE))
"""The types of deletions and merges that the API filters by."""

_NEWEST = frozenset({"custom-field-condition-deleted"})
"""Those that only the newest API document lists."""


class DeletionsStream(LogStream):
    """A row for each object that was deleted, or merged into another.

    In its own list such an object just disappears. Gorgias filters the events by type.
    If it refuses some of the types, the others are requested. If it refuses those, too,
    all events are read to find the deletions.
    """

    name = "deletions"
    path = "/api/events"
    scope = "events:read"
    masks = EventsStream.masks

    @override
    def pages_since(
        self, timestamp: str | None, params: Mapping[str, Any] | None = None
    ) -> Iterator[Page]:
        yield from self._pages_of(DELETIONS, timestamp)

    def _pages_of(self, types: Sequence[str], timestamp: str | None) -> Iterator[Page]:
        """Request the events of some types, or of all if there are none."""
        params = {"types": types} if types else None
        try:
            return started(super().pages_since(timestamp, params))
        except ApiError as error:
            if error.status != HTTPStatus.BAD_REQUEST or not types:
                raise
            refusal = error
        if refused := _refused(types, str(refusal)):
            names = ", ".join(f"`{name}`" for name in sorted(refused))
            self.logger.warning("%s The types are left out: %s.", refusal, names)
            others = [name for name in types if name not in refused]
            return self._pages_of(others, timestamp)
        # The types are to blame if the request works without them.
        every = self._pages_of((), timestamp)
        self.logger.warning(
            "%s All events are read instead, to find the deletions.", refusal
        )
        return every

    @override
    def steps(self) -> Iterator[Step]:
        for step in super().steps():
            events = [row for row in step.rows if str(row.get("type")).endswith(_GONE)]
            yield step._replace(rows=[_deletion(event) for event in events])


def _refused(types: Collection[str], reason: str) -> set[str]:
    """Return the types to leave out after a refusal; none if that would not help."""
    named = {name for name in EVENT_TYPES if re.search(rf"(?<![\w-]){name}\b", reason)}
    # A message that also names other types lists the valid ones, and may be cut.
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
    """Return the ids of the merged object and of the remaining one, where known.

    The object of `tag-merged` is the tag that was merged, and the event does not name
    the other. The object of `customer-merged` is the customer that remains, and the
    event names the other (observed in recordings).
    """
    event_type, object_id = event["type"], event.get("object_id")
    if not event_type.endswith("-merged"):
        return None, None
    if event_type == "tag-merged":
        return object_id, None
    source, target = (_id_of(side, event.get("data")) for side in ("source", "target"))
    if event_type == "customer-merged":
        return source, object_id
    # If the event names one side, its object is the other.
    if source is None and target is not None and target != object_id:
        source = object_id
    elif target is None and source is not None and source != object_id:
        target = object_id
    return source, target


def _id_of(side: str, data: object) -> Any:  # noqa: ANN401
    """Return the value of a property such as `source_customer_id`."""
    pattern = re.compile(rf"{side}_(?:[a-z_]+_)?id")
    properties = data.items() if isinstance(data, dict) else ()
    return next((value for name, value in properties if pattern.fullmatch(name)), None)
