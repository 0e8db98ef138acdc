"""Background jobs of the helpdesk."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tap_gorgias.compat import override
from tap_gorgias.stream_types.replication import FeedStream

if TYPE_CHECKING:
    from typing import ClassVar


class JobsStream(FeedStream):
    """A row for each job, such as an export or a change of many tickets.

    Jobs have no date of change. One that ends more than two days after it was created
    is not read again.
    """

    name = "jobs"
    path = "/api/jobs"
    scope = "jobs:read"
    replication_key = "created_datetime"
    order_by = "created_datetime:desc"
    masks = ("info", "meta", "params")

    LOOKBACK: ClassVar[timedelta] = timedelta(days=2)

    @property
    @override
    def overlap(self) -> timedelta:
        return self.LOOKBACK
