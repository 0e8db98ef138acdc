"""The account, its settings and its background jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tap_gorgias import timestamps
from tap_gorgias.compat import override
from tap_gorgias.records import masking
from tap_gorgias.stream_types.replication import (
    FeedStream,
    SingleRecordStream,
    SnapshotStream,
)

if TYPE_CHECKING:
    from singer_sdk.helpers import types


class AccountStream(SingleRecordStream):
    """One row: the account, its subscription and its settings."""

    name = "account"
    path = "/api/account"
    scope = "account:read"
    primary_keys = ("domain",)
    masks = (masking.WHOLE,)

    @override
    def post_process(
        self, row: types.Record, context: types.Context | None = None
    ) -> types.Record | None:
        created = timestamps.normalized_or_none(row.get("created_datetime"))
        self.run.account_created = created  # No row of the account is older.
        return super().post_process(row, context)


class AccountSettingsStream(SnapshotStream):
    """A row for each setting of the account. Credentials in it are masked.

    The endpoint has no pages and refuses their parameters.
    """

    name = "account_settings"
    path = "/api/account/settings"
    scope = "account:read"
    order_by = None
    page_size = None
    masks = (masking.WHOLE,)


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

    @property
    @override
    def overlap(self) -> timedelta:
        return timedelta(days=2)
