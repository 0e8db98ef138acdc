"""The helpdesk itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_gorgias.compat import override
from tap_gorgias.records import masking
from tap_gorgias.replication.pagination import PageError
from tap_gorgias.replication.walks import Step
from tap_gorgias.stream_types.base import GorgiasStream
from tap_gorgias.stream_types.replication import SnapshotStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class AccountStream(GorgiasStream):
    """One row: the account, its subscription and its settings.

    The endpoint answers the object itself, without a list around it.
    """

    name = "account"
    path = "/api/account"
    scope = "account:read"
    primary_keys = ("domain",)
    masks = (("settings.data", masking.is_secret_name),)

    @override
    def steps(self) -> Iterator[Step]:
        account, _ = self.get({})
        if not isinstance(account, dict):
            message = "the answer holds no account."
            raise PageError(message)
        yield Step([account])


class AccountSettingsStream(SnapshotStream):
    """A row for each setting of the account. Secrets in it are masked.

    The endpoint has no pages and refuses their parameters.
    """

    name = "account_settings"
    path = "/api/account/settings"
    scope = "account:read"
    order_by = None
    masks = (("data", masking.is_secret_name),)

    @override
    def params(self) -> dict[str, str | int | Sequence[str]]:
        return {}
