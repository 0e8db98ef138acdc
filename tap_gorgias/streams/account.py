"""The helpdesk itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_gorgias.compat import override
from tap_gorgias.pages import PageError
from tap_gorgias.reading import Step
from tap_gorgias.stream import GorgiasStream

if TYPE_CHECKING:
    from collections.abc import Iterator


class AccountStream(GorgiasStream):
    """One row: the account, its subscription and its settings.

    The endpoint answers the object itself, without a list around it.
    """

    name = "account"
    path = "/api/account"
    scope = "account:read"
    primary_keys = ("domain",)

    @override
    def steps(self) -> Iterator[Step]:
        account, _ = self.get({})
        if not isinstance(account, dict):
            message = "the answer holds no account."
            raise PageError(message)
        yield Step([account])
