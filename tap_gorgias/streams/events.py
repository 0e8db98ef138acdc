"""Events, and the deletions among them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from tap_gorgias.compat import override
from tap_gorgias.replication.bookmarks import EVENT_KEYS
from tap_gorgias.run.runner import Priority
from tap_gorgias.stream_types.replication import LogStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_gorgias.replication.bookmarks import Position
    from tap_gorgias.replication.pages import Row
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
    def load_entry(self) -> Mapping[str, Any]:
        saved = super().load_entry()
        before = saved.get("types")
        if isinstance(before, list) and not set(self._types or ("",)) <= set(before):
            self.warn_once(
                "The setting `event_types` holds types that were not read before: the "
                "stream is read from its start."
            )
            return {}
        return saved

    @override
    def entry_for(self, position: Position) -> dict[str, Any]:
        return {**super().entry_for(position), "types": self._types}

    @override
    def steps(self) -> Iterator[Step]:
        is_empty = True
        for step in super().steps():
            is_empty = is_empty and not step.rows
            yield step
        if self._types and is_empty:
            self.logger.warning(
                "Gorgias returned no events of the types in `event_types`: check their "
                "names if you expected some."
            )

    @property
    @override
    def params(self) -> Mapping[str, Any]:
        return {"types": self.run.settings.event_types or None}


DELETIONS = (
    *("customer-deleted", "customer-merged", "integration-deleted", "macro-deleted"),
    *("rule-deleted", "tag-deleted", "tag-merged", "team-deleted", "ticket-deleted"),
    *("ticket-merged", "ticket-message-deleted", "user-deleted", "view-deleted"),
    "widget-deleted",
)
"""Deletions and merges that the API filters by (published OpenAPI document, 2026-08).

Without `custom-field-condition-deleted`: no stream holds such conditions.
"""


class DeletionsStream(LogStream):
    """A row for each object that was deleted, or merged into another.

    In its own list such an object just disappears. Gorgias filters the events by type.
    """

    name = "deletions"
    path = "/api/events"
    scope = "events:read"
    params: ClassVar = {"types": DELETIONS}
    masks = EventsStream.masks

    @override
    def steps(self) -> Iterator[Step]:
        for step in super().steps():
            # An empty row stands for what is no event, and is reported later.
            events = [
                _deletion(row) if row else row
                for row in step.rows
                if not row or row.get("type") in DELETIONS
            ]
            yield step._replace(rows=events)


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
