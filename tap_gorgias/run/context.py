"""The context that the streams of a run share: settings, API client and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from tap_gorgias.api.client import GorgiasClient
from tap_gorgias.api.usage import RunSummary
from tap_gorgias.errors import SettingsError
from tap_gorgias.replication.bookmarks import check_not_in_future

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_gorgias.clock import Clock
    from tap_gorgias.config.settings import Settings
    from tap_gorgias.run.runner import StreamRunner

_PROBLEMS = ["The settings have not been validated."]


class Progress(Protocol):
    """How far the run is (`progress.py`)."""

    streams: dict[str, Any]

    def begin(self) -> str | None:
        """Return the date down to which a first sync reads."""

    def seconds_left(self) -> Mapping[str, float]:
        """Return the estimate for each stream."""

    def log_if_due(self) -> None:
        """Log how far the run is, if it is time."""


class Run:
    """One run of the tap, including `--discover` and `--test`.

    Args:
        settings: The validated settings; None if they were not validated, for example
            for `--discover`.
        clock: Returns the time.
    """

    def __init__(self, settings: Settings | None, clock: Clock) -> None:
        self._settings = settings
        self.clock = clock
        self.summary = RunSummary(clock.monotonic)
        # Not on first use: two threads could each make one, with its own budget and
        # access token.
        self._client = (
            None if settings is None else GorgiasClient(settings, self.summary, clock)
        )
        self.unchecked_state: Mapping[str, Mapping[str, Any]] = {}
        """STATE entries that were not compared with the current time yet."""
        self.account_created: str | None = None
        """When the account was created, as soon as it has been read."""
        self.progress: Progress | None = None
        """Logs how far the run is; None if streams are read individually."""
        self.runner: StreamRunner | None = None
        """The runner of parallel streams; None if streams are read individually."""

    @property
    def settings(self) -> Settings:
        """The validated settings.

        Raises:
            SettingsError: If the settings were not validated.
        """
        if self._settings is None:
            raise SettingsError(_PROBLEMS)
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def client(self) -> GorgiasClient:
        """The API client of all streams.

        Raises:
            SettingsError: If the settings were not validated.
        """
        if self._client is None:
            raise SettingsError(_PROBLEMS)
        return self._client

    @client.setter
    def client(self, client: GorgiasClient) -> None:
        self._client = client

    def check_state(self, now: str) -> None:
        """Check that no bookmark is in the future, once the current time is known.

        Args:
            now: The latest time at which Gorgias can have made a response.

        Raises:
            StateError: If a bookmark is in the future.
        """
        if self.unchecked_state:
            entries, self.unchecked_state = self.unchecked_state, {}
            check_not_in_future(entries, now)

    def wait_for_other_streams(self, stream_name: str) -> None:
        """Block a stream until the others are done, if streams run in parallel.

        Args:
            stream_name: Name of the stream.
        """
        if self.runner is not None:
            self.runner.wait_for_other_streams(stream_name)

    def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            self._client.close()
