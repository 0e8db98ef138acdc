"""Tickets, and what belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_gorgias.compat import override
from tap_gorgias.parents import ParentFeedStream
from tap_gorgias.reading import FEED_OVERLAP
from tap_gorgias.ways import FeedStream, SnapshotStream

if TYPE_CHECKING:
    from datetime import timedelta


class TicketsStream(ParentFeedStream):
    """A row for each ticket, trashed ones and spam included.

    Gorgias does not move `updated_datetime` when a message is delivered, or when a
    custom field is set through the API: such a change comes with the ticket's next one.
    """

    name = "tickets"
    path = "/api/tickets"
    scope = "tickets:read"
    replication_key = "updated_datetime"
    order_by: ClassVar[str] = "updated_datetime:desc"


class SatisfactionSurveysStream(FeedStream):
    """A row for each satisfaction survey; its score arrives days after it was made.

    A score that arrives behind the look-back is not seen.
    """

    name = "satisfaction_surveys"
    path = "/api/satisfaction-surveys"
    scope = "satisfaction_survey:read"
    replication_key = "created_datetime"
    order_by = "created_datetime:desc"

    @property
    @override
    def overlap(self) -> timedelta:
        return max(FEED_OVERLAP, self.run.settings.survey_lookback)


class TagsStream(SnapshotStream):
    """A row for each tag."""

    name = "tags"
    path = "/api/tags"
    scope = "tags:read"
