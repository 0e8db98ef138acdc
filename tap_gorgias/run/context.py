"""What the streams of one run share: settings, the way to the API, the counts."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_gorgias import timestamps
from tap_gorgias.api.client import GorgiasClient
from tap_gorgias.api.usage import RunSummary
from tap_gorgias.errors import SettingsError
from tap_gorgias.replication.bookmarks import check_not_in_future

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

    from tap_gorgias.clock import Clock
    from tap_gorgias.config.settings import Settings
    from tap_gorgias.run.runner import StreamRunner


class Run:
    """One run of the tap, or one look at what it can read."""

    def __init__(self, settings: Settings | None, clock: Clock) -> None:
        """Open nothing yet.

        Args:
            settings: The checked settings; None while the tap only tells what it can
                read.
            clock: Tells the time.
        """
        self._settings = settings
        self.clock = clock
        self.summary = RunSummary()
        self.unchecked_state: Mapping[str, Mapping[str, Any]] = {}
        """Entries of STATE whose moments are still to be compared with the present."""
        self.runner: StreamRunner | None = None
        """What reads the streams at the same time; None if they are read singly."""

    @property
    def settings(self) -> Settings:
        """The checked settings.

        Raises:
            SettingsError: If the tap was made without checking them.
        """
        if self._settings is None:
            raise SettingsError(["The settings have not been checked."])
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def client(self) -> GorgiasClient:
        """The one way to the API."""
        return GorgiasClient(self.settings, self.summary, self.clock)

    def check_state(self, now: str | None) -> None:
        """Compare STATE with the present as soon as Gorgias has told it.

        Args:
            now: The present by Gorgias' clock, rendered; None if it is not said.

        Raises:
            StateError: If a bookmark lies in the future of both clocks.
        """
        if now is not None and self.unchecked_state:
            entries, self.unchecked_state = self.unchecked_state, {}
            check_not_in_future(entries, max(now, timestamps.render(self.clock.utc())))

    def wait_for_other_streams(self, stream: str) -> None:
        """Let a stream wait until the others are done; a run of one does not.

        Args:
            stream: Name of the stream.
        """
        if self.runner is not None:
            self.runner.wait_for_other_streams(stream)

    def close(self) -> None:
        """Close the connections, if any were made."""
        if "client" in self.__dict__:
            self.client.close()

    def log_summary(self, logger: logging.Logger) -> None:
        """Tell what the run did, what it cost, and how fully it used the budget.

        Args:
            logger: Where the lines go.
        """
        self.summary.log(logger)
        if "client" in self.__dict__:
            self.client.budget.log(logger)
