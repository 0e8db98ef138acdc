"""The tap class: its settings, streams, runs and command line."""

from __future__ import annotations

import contextlib
import copy
import logging
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import click
from singer_sdk.cli import plugin_cli
from singer_sdk.plugin_base import JSONSchemaValidator
from singer_sdk.singerlib import StateMessage
from singer_sdk.tap_base import CliTestOptionValue

from tap_gorgias.clock import Clock
from tap_gorgias.compat import override
from tap_gorgias.config.schema import CONFIG_SCHEMA, error_messages
from tap_gorgias.config.settings import Settings
from tap_gorgias.config.statistics import read_queries
from tap_gorgias.connection_test.report import render
from tap_gorgias.connection_test.tester import check_streams
from tap_gorgias.errors import (
    NEXT_RUN,
    GorgiasError,
    SettingsError,
    StateError,
    StreamsFailedError,
    Terminated,
    did_you_mean,
)
from tap_gorgias.replication.bookmarks import checked_entries
from tap_gorgias.run.context import Run
from tap_gorgias.run.report import summary_of
from tap_gorgias.run.runner import StreamRunner
from tap_gorgias.sdk.command import (
    TapCommand,
    handle_signals,
    report_failures,
    report_invalid_logging,
)
from tap_gorgias.sdk.files import (
    STATE_FORM,
    errors_name_files,
    read_catalog,
    read_state,
)
from tap_gorgias.sdk.logs import hide_details
from tap_gorgias.sdk.settings import (
    SelfValidatingTap,
    problems_of_sdk_settings,
    report_ambiguous_columns,
)
from tap_gorgias.sdk.stream_maps import create_mapper
from tap_gorgias.sdk.writer import MessageWriter
from tap_gorgias.stream_types.replication import IncrementalStream
from tap_gorgias.streams import STREAMS
from tap_gorgias.streams.account import AccountStream
from tap_gorgias.streams.events import EventsStream
from tap_gorgias.streams.statistics import StatisticsStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_gorgias.sdk.command import ConfigInput
    from tap_gorgias.stream_types.stream import GorgiasStream

T = TypeVar("T")


class TapGorgias(SelfValidatingTap):
    """Reads a whole Gorgias helpdesk as Singer messages, and never writes to it."""

    # The docstring is the description of `--about`, which the SDK does not dedent.

    name = "tap-gorgias"
    config_jsonschema = copy.deepcopy(CONFIG_SCHEMA)
    """A copy, because the SDK adds its own settings."""

    message_writer_class = MessageWriter

    clock: ClassVar[Clock] = Clock()
    """Tests replace the clock."""

    settings: Settings | None = None
    """The validated settings. None without validation, for example in discovery."""

    @cached_property
    def run(self) -> Run:
        """What the streams of a run share."""
        return Run(self.settings, self.clock)

    @override
    def discover_streams(self) -> Sequence[GorgiasStream]:
        streams = [stream(tap=self, run=self.run) for stream in STREAMS]
        # Discovery does not validate the settings, but each query is a stream.
        queries, problems = read_queries(self.config.get("statistics", ()))
        if problems:
            raise SettingsError(problems)
        return [
            *streams,
            *(StatisticsStream(self, self.run, query) for query in queries),
        ]

    @override
    def validate_settings(
        self, config: dict[str, Any], *, raise_errors: bool
    ) -> list[str]:
        self.append_builtin_config(self.config_jsonschema)
        validator = JSONSchemaValidator(self.config_jsonschema)
        problems = [
            problem
            for error in validator.iter_errors(config)
            for problem in error_messages(error)
        ]
        if not raise_errors:
            return problems
        if problems:
            raise SettingsError(problems)
        self.settings = Settings(
            config, self.clock.utc(), problems_of_sdk_settings(config)
        )
        if not config.get("log_metrics"):
            self.metrics_logger.setLevel(logging.WARNING)
        return []

    @override
    def setup_mapper(self) -> None:
        # Streams complete the catalog, so they come first.
        streams = self.streams.values()
        with report_ambiguous_columns(self.config):
            self.mapper = create_mapper(self.config, streams, self.catalog, self.logger)

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        bookmarks = state.get("bookmarks", None if state else {})
        if not isinstance(bookmarks, dict):
            raise StateError(STATE_FORM)
        helpdesk = state.get("helpdesk")
        if self.settings and helpdesk not in (None, self.settings.helpdesk):
            message = (
                f"STATE is that of another helpdesk: {helpdesk!r:.80}, not "
                f"`{self.settings.helpdesk}`. Each helpdesk needs a state and a target "
                "schema of its own. If it was renamed, remove `helpdesk` from STATE."
            )
            raise StateError(message)
        self.run.unchecked_state = checked_entries(bookmarks, self.streams)
        super().load_state({**state, "bookmarks": bookmarks})

    @classmethod
    @override
    def instantiate_processor(cls, instance: T | None, default_cls: type[T]) -> T:
        # The SDK calls this right after it installs its own signal handlers. They exit
        # with code 0, so they are replaced at once.
        writer = super().instantiate_processor(instance, default_cls)
        handle_signals(cast("MessageWriter", writer).terminate)
        return writer

    @property
    def output(self) -> MessageWriter:
        """The writer of all streams."""
        return cast("MessageWriter", self.message_writer)

    @override  # type: ignore[misc]  # final in the SDK, see below
    def sync_all(self) -> None:
        """Read all selected streams, several at the same time.

        Replaces a final method of the SDK, which reads one stream after another, skips
        child streams, and stops at the first failure. Raises `StreamsFailedError` if
        some streams failed, and the others were read completely.
        """
        selected = self.selected_streams()
        if others := sorted(self.streams.keys() - {one.name for one in selected}):
            self.logger.info("Not selected: %s.", ", ".join(others))
        selected.sort(key=lambda stream: (stream.priority, stream.name))
        self.write_first_state(selected)
        runner = StreamRunner(selected, self.run.settings.parallel_streams, self.logger)
        self.run.runner = runner
        self.run.progress.start(
            runner,
            self.logger,
            begin=self.run.settings.start_date,
            created=self._created,
            hint=self._hint,
        )
        self.run.client.is_shared = len(selected) > 1
        try:
            runner.run()
        except BaseException:
            self.output.close()
            raise
        # Some targets only keep a STATE message that follows the last record.
        self.write_message(StateMessage(self.state))
        if runner.failures:
            first = next(iter(runner.failures.values()))
            raise StreamsFailedError(runner.failures, len(selected)) from first

    @classmethod
    @override
    def print_about(cls, output_format: str | None = None) -> None:
        # The SDK's text has neither descriptions nor what is required.
        super().print_about(output_format or "markdown")

    @classmethod
    def run_command(
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: ConfigInput | None = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
        test: str = CliTestOptionValue.Disabled.value,
    ) -> None:
        """Run or test the tap: `invoke` of the SDK, with the option `--test`."""
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=lambda text: cls.logger.info("%s", text))
        is_test = test != CliTestOptionValue.Disabled.value
        with errors_name_files(state=state, catalog=catalog):
            tap = cls(
                config=config.config if config else None,
                # A test makes the requests of a first sync.
                state=None if state is None or is_test else read_state(state),
                catalog=None if catalog is None else read_catalog(catalog),
                parse_env_config=config is not None and config.parse_env,
            )
        if test == CliTestOptionValue.Schema.value:
            for stream in tap.streams.values():
                stream.selected = True
            tap.setup_mapper()
            tap.write_schemas()
            tap.output.flush()
            return
        try:
            if is_test:
                tap.test_streams()
            else:
                tap.sync_all()
                cls.logger.info("Complete: everything was read.")
        except Terminated:
            cls.logger.warning("Stopped by a signal. %s", NEXT_RUN)
            raise
        finally:
            tap.run.close()
            if summary := "" if is_test else summary_of(tap.run):
                cls.logger.info("%s", summary)

    def test_streams(self) -> None:
        """Request a page or two of each selected stream, and print a report to stdout.

        Exits with code 1 if a request was rejected or a response is not as expected.
        """
        selected = self.selected_streams()
        self.logger.info(
            "Requesting a page or two of %d streams, as fast as the rate limit allows.",
            len(selected),
        )
        results = check_streams(self.run, selected, self.logger)
        report = render(
            results,
            credentials=self.run.settings.credentials,
            call_limit=self.run.client.limiter.call_limit,
            requests=self.run.summary.total.requests,
            seconds=self.run.progress.seconds,
        )
        click.echo(report, nl=False)
        if not all(result.passed for result in results):
            raise SystemExit(1)

    def selected_streams(self) -> list[GorgiasStream]:
        """Return the streams to read, and warn of what the catalog seems to mistype."""
        streams = cast("Mapping[str, GorgiasStream]", self.streams)
        for name in sorted((self.input_catalog or {}).keys() - streams.keys()):
            hint = did_you_mean(name, streams)
            self.logger.warning(
                "The catalog: there is no stream `%s`.%s", name[:80], hint
            )
        selected = [stream for stream in streams.values() if stream.selected]
        if not selected:
            self.logger.warning("No stream is selected, so nothing is read.")
        return selected

    def write_first_state(self, selected: Iterable[GorgiasStream]) -> None:
        """Write STATE as it is before the run, with complete entries.

        Meltano may merge the STATE of this run into that of an older one. So a run
        that is to read everything again voids older entries before it reads a row.
        """
        entries: dict[str, Any] = {
            stream.name: stream.entry_at_start()
            for stream in selected
            if isinstance(stream, IncrementalStream)
        }
        state = cast("dict[str, Any]", self.state)
        state["helpdesk"] = self.run.settings.helpdesk
        state["bookmarks"] = {**state.get("bookmarks", {}), **entries}
        self.state_writer.write_state(self.state)

    def _created(self) -> str | None:
        """Return when the account was created, which may take a request."""
        if self.run.account_created is None:
            with contextlib.suppress(GorgiasError):
                stream = cast("AccountStream", self.streams[AccountStream.name])
                for row in stream.request_records(None):
                    stream.post_process(row)  # keeps the date
        return self.run.account_created

    @property
    def _hint(self) -> str:
        """What to know about the duration of a first sync."""
        events = self.streams.get(EventsStream.name)
        if events is None or not events.selected or self.run.settings.event_types:
            return ""
        entry = self.state["bookmarks"].get(events.name) or {}
        return "" if entry.get("replication_key_value") else _HINT

    @plugin_cli
    @override
    def cli(cls) -> click.Command:  # noqa: N805 (as in the SDK)
        """Handle the command line."""
        with report_invalid_logging(cls.name.upper().replace("-", "_") + "_"):
            return super().cli

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        hide_details()
        command = super().get_singer_command()
        for option in command.params:
            if option.name == "test":
                # The SDK's callback ignores the catalog, and exits by itself.
                option.callback = None
                option.expose_value = True
                option.help = _TEST_HELP
        return TapCommand(
            name=command.name,
            callback=report_failures(cls.logger)(cls.run_command),
            context_settings=command.context_settings,
            help=_HELP,
            params=command.params,
            logger=cls.logger,
        )


_HELP = """\
Read a Gorgias helpdesk, and write its rows as Singer messages to stdout.

The log goes to stderr. Nothing is written to the helpdesk. The exit code is 0 only if
all selected streams were read completely; after a failure, run again with the last
state, and the tap continues where it stopped.

\b
Check the settings:        tap-gorgias --config config.json --test
List streams and columns:  tap-gorgias --config config.json --discover
Read all streams:          tap-gorgias --config config.json
Read what has changed:     tap-gorgias --config config.json --state state.json
"""
_HINT = "`events` is the largest list. `event_types` limits it to what you need."
_TEST_HELP = (
    "Request a page or two of each selected stream and report how Gorgias answers. "
    " Use --test=schema to write the schemas without making requests."
)
