"""The context that the streams of a run share: settings, API client and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_gorgias.api.client import GorgiasClient
from tap_gorgias.api.usage import RunSummary
from tap_gorgias.replication.bookmarks import check_not_in_future
from tap_gorgias.run.progress import RunProgress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_gorgias.clock import Clock
    from tap_gorgias.config.settings import Settings
    from tap_gorgias.run.runner import StreamRunner


class Run:
    """One run of the tap, including `--discover` and `--test`."""

    settings: Settings
    """The validated settings; missing without validation, as in `--discover`."""
    client: GorgiasClient
    """The API client of all streams; missing without settings."""

    def __init__(self, settings: Settings | None, clock: Clock) -> None:
        self.clock = clock
        self.summary = RunSummary()
        self.progress = RunProgress(clock, self.summary)
        if settings is not None:
            self.settings = settings
            # Not on first use: two threads could each make one, with its own budget and
            # access token.
            self.client = GorgiasClient(settings, self.summary, clock)
        self.unchecked_state: Mapping[str, Mapping[str, Any]] = {}
        """STATE entries that were not compared with the current time yet."""
        self.account_created: str | None = None
        """When the account was created, as soon as it has been read."""
        self.runner: StreamRunner | None = None
        """The runner of parallel streams; None if streams are read individually."""

    def check_state(self, now: str) -> None:
        """Check once, by the time of a response, that no bookmark is in the future.

        Raises `StateError` if one is.
        """
        if self.unchecked_state:
            entries, self.unchecked_state = self.unchecked_state, {}
            check_not_in_future(entries, now)

    def wait_for_other_streams(self, stream_name: str) -> None:
        """Block a stream until the others are done, if streams run in parallel."""
        if self.runner is not None:
            self.runner.wait_for_other_streams(stream_name)

    def close(self) -> None:
        """Close all connections."""
        self.client.close()
