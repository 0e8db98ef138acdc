"""The account and its settings."""

from __future__ import annotations

from tap_gorgias.records import masking
from tap_gorgias.stream_types.replication import SnapshotStream
from tap_gorgias.stream_types.single import SingleRecordStream


class AccountStream(SingleRecordStream):
    """One row: the account, its subscription and its settings."""

    name = "account"
    path = "/api/account"
    scope = "account:read"
    primary_keys = ("domain",)
    masks = (masking.WHOLE,)


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
