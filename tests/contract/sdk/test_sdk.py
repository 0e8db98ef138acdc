"""The behaviour of the SDK's state, signals and commands that the tap relies on."""

from __future__ import annotations

import dataclasses
import inspect
import json
import logging
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk import Stream, Tap
from singer_sdk.plugin_base import (
    PluginBase,
    SingerCommand,
    _ConfigInput,
)
from singer_sdk.streams import core
from singer_sdk.streams._state import StreamStateManager

from tap_gorgias.errors import StreamsFailedError, Terminated
from tap_gorgias.replication.bookmarks import TICKET_KEYS, Position, Walk
from tap_gorgias.sdk.command import TapCommand
from tap_gorgias.sdk.state_manager import CheckpointManager
from tap_gorgias.sdk.writer import MessageWriter
from tap_gorgias.tap import TapGorgias
from tests.support.memory import (
    CONFIG,
    PAGE_ROWS,
    UPDATED,
    Tags,
    Tickets,
    messages,
    tap_of,
)

if TYPE_CHECKING:
    from tap_gorgias.stream_types.stream import GorgiasStream

OWN_NAMES = {"_staged", "stage", "publish", "is_flushed"}
OVERRIDDEN = {
    name
    for name in vars(CheckpointManager)
    if not name.startswith("__") and name not in OWN_NAMES
}
HARMLESS = {
    "get_starting_replication_value",
    "get_state_partition_context",
    "get_state_partitions",
    "is_state_non_resumable",
    "log_sort_error",
}
SDK_WORDS = ("partitions", "progress_marker", "signpost", "starting_replication")


def done(rows: int) -> dict[str, Any]:
    """Return the STATE entry of a feed that was read up to a row."""
    return Position(UPDATED.format(rows)).to_state("updated_datetime", TICKET_KEYS)


def under_way(newest: int, cursor: int) -> dict[str, Any]:
    """Return the STATE entry of a feed during its first walk."""
    walk = Walk(UPDATED.format(newest), str(cursor), None)
    return Position(None, walk).to_state("updated_datetime", TICKET_KEYS)


NOTHING = Position().to_state("updated_datetime", TICKET_KEYS)


def entries(written: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the entry of `tickets` in each STATE message."""
    states = [one["value"] for one in written if one["type"] == "STATE"]
    return [state.get("bookmarks", {}).get("tickets", {}) for state in states]


def test_all_methods_of_the_state_manager_are_known() -> None:
    """A new method could change STATE unnoticed."""
    found = {name for name in vars(StreamStateManager) if not name.startswith("_")}
    assert found == OVERRIDDEN | HARMLESS


@pytest.mark.parametrize("name", sorted(OVERRIDDEN))
def test_an_override_accepts_the_arguments_of_the_sdk(name: str) -> None:
    """Its parameters are the same, or it takes any."""
    theirs, ours = getattr(StreamStateManager, name), getattr(CheckpointManager, name)
    if isinstance(theirs, property):
        assert isinstance(ours, property)
        return
    parameters = inspect.signature(ours).parameters.values()
    if not any(one.kind is one.VAR_KEYWORD for one in parameters):
        expected = inspect.signature(theirs).parameters.values()
        assert [(one.name, one.kind) for one in parameters] == [
            (one.name, one.kind) for one in expected
        ]


def test_the_sdk_writes_state_only_if_the_manager_is_not_flushed() -> None:
    """The tap's manager always is, so STATE is written only after its records."""
    method = Stream._write_state_message  # noqa: SLF001
    assert method.__code__.co_names[:2] == ("state_manager", "is_flushed")
    writers = [
        name
        for name, one in vars(Stream).items()
        if inspect.isfunction(one) and "state_writer" in one.__code__.co_names
    ]
    assert writers == [method.__name__]
    manager = CheckpointManager(stream_name="tickets", tap_state={})
    manager.is_flushed = False
    assert manager.is_flushed


def test_a_stream_accesses_its_state_manager_only_through_the_property() -> None:
    """So overriding the property replaces the manager."""
    manager: Any = vars(Stream)["state_manager"]
    assert isinstance(manager, property)
    assert manager.fget is not None
    elsewhere = inspect.getsource(core).replace(inspect.getsource(manager.fget), "")
    assert elsewhere.count("._state_manager") == 1  # set to None by __init__


def test_the_manager_shares_the_state_of_the_tap() -> None:
    """`write_state` sends what the manager saved."""
    tap = tap_of(Tickets, 0)
    stream = tap.streams["tickets"]
    assert isinstance(stream.state_manager, CheckpointManager)
    assert stream.state_manager.tap_state is tap.state
    assert isinstance(tap.message_writer, MessageWriter)


def test_state_holds_only_what_was_saved(capsys: pytest.CaptureFixture[str]) -> None:
    """It has no progress markers, signposts or starting values of the SDK."""
    tap_of(Tickets, 7).sync_all()
    written = messages(capsys)
    found = entries(written)
    unique = [one for i, one in enumerate(found) if i == 0 or one != found[i - 1]]
    assert unique == [NOTHING, under_way(7, 4), under_way(7, 1), done(7)]
    states = json.dumps([one for one in written if one["type"] == "STATE"])
    assert not [word for word in SDK_WORDS if word in states]


@pytest.mark.parametrize("frequency", [1, 2, 10_000])
def test_state_is_never_ahead_of_its_records(
    frequency: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However often the SDK writes STATE, all rows before its position were written."""
    monkeypatch.setattr(Stream, "STATE_MSG_FREQUENCY", frequency)
    tap_of(Tickets, 10).sync_all()
    emitted: set[int] = set()
    for message in messages(capsys):
        if message["type"] == "RECORD":
            emitted.add(message["record"]["id"])
        for entry in entries([message]):
            cursor = int(entry["walk"]["cursor"] or 0)
            expected = set() if entry == NOTHING else set(range(cursor + 1, 11))
            assert emitted >= expected
    assert len(emitted) == 10


def test_a_failed_run_saves_the_position_after_the_last_complete_page(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The failure is logged once: the SDK's own error message is suppressed."""
    tap = tap_of(Tickets, 10)

    def fail_at_third(cursor: str | None) -> None:
        if cursor == "4":
            raise ZeroDivisionError

    tap.before_page = fail_at_third
    with pytest.raises(StreamsFailedError):
        tap.sync_all()
    written = messages(capsys)
    assert entries(written)[-1] == under_way(10, 4)
    assert len([one for one in written if one["type"] == "RECORD"]) == 2 * PAGE_ROWS
    (error,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert "Unexpected ZeroDivisionError" in error.getMessage()


def test_the_next_page_is_requested_while_rows_are_emitted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first row of each page waits until the next page was requested."""
    requested: list[str | None] = []
    arrived = threading.Condition()
    tap = tap_of(Tickets, 10)

    def record(cursor: str | None) -> None:
        with arrived:
            requested.append(cursor)
            arrived.notify()

    def wait_for_next_page(_self: Tickets, row: Any, _context: Any) -> Any:  # noqa: ANN401
        expected = {10: 2, 7: 3, 4: 4}.get(row["id"], 0)
        with arrived:
            assert arrived.wait_for(lambda: len(requested) >= expected, 20)
        return row

    tap.before_page = record
    monkeypatch.setattr(Tickets, "post_process", wait_for_next_page)
    tap.sync_all()
    assert requested == [None, "7", "4", "1"]
    assert entries(messages(capsys))[-1] == done(10)


def test_a_connection_test_requests_one_page() -> None:
    """It stops after the first record."""
    requested: list[str | None] = []
    tap = tap_of(Tickets, 10)
    tap.before_page = requested.append
    tap.run_connection_test()
    assert requested == [None]


def test_a_run_resumes_from_the_state_of_the_previous_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The SDK does not change the entries of STATE."""
    state = {"bookmarks": {"tickets": under_way(10, 4)}}
    tap_of(Tickets, 10, state).sync_all()
    written = messages(capsys)
    ids = [one["record"]["id"] for one in written if one["type"] == "RECORD"]
    assert ids[:4] == [4, 3, 2, 1]
    assert entries(written)[-1] == done(10)


def test_state_has_no_entry_for_a_full_table_stream(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The SDK would write an empty entry."""
    tap_of(Tags, 7).sync_all()
    states = [one["value"] for one in messages(capsys) if one["type"] == "STATE"]
    assert all(state.get("bookmarks", {}) == {} for state in states)


def test_the_state_of_other_streams_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """A run of one stream does not remove their bookmarks."""
    other = {"replication_key_value": "2026-01-01T00:00:00.000000Z"}
    tap_of(Tickets, 7, {"bookmarks": {"events": other}}).sync_all()
    states = [one["value"] for one in messages(capsys) if one["type"] == "STATE"]
    assert all(state["bookmarks"]["events"] == other for state in states)


def test_a_catalog_can_request_the_full_table_of_a_feed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The SDK sets `replication_method`, and the bookmark stays unchanged."""
    catalog = tap_of(Tickets, 0).catalog_dict
    catalog["streams"][0]["replication_method"] = "FULL_TABLE"
    state = {"bookmarks": {"tickets": done(5)}}
    tap = tap_of(Tickets, 7, state, catalog)
    assert tap.streams["tickets"].replication_method == "FULL_TABLE"
    tap.sync_all()
    written = messages(capsys)
    ids = [one["record"]["id"] for one in written if one["type"] == "RECORD"]
    assert ids == [7, 6, 5, 4, 3, 2, 1]
    assert all(entry == done(5) for entry in entries(written))


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (PluginBase, "_validate_config"),
        (PluginBase, "append_builtin_config"),
        (PluginBase, "cb_config"),
        (PluginBase, "get_singer_command"),
        (Tap, "instantiate_processor"),
        (Tap, "load_state"),
        (Tap, "setup_mapper"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_overridden_method_has_the_signature_of_the_sdk(
    owner: type, name: str
) -> None:
    """Names, kinds and defaults of its parameters are the same."""
    theirs = inspect.signature(getattr(owner, name)).parameters.values()
    ours = inspect.signature(getattr(TapGorgias, name)).parameters.values()
    assert [(one.name, one.kind, one.default) for one in ours] == [
        (one.name, one.kind, one.default) for one in theirs
    ]


def test_the_command_takes_the_options_of_the_sdk_and_the_test() -> None:
    """The SDK passes the values of all options by name."""
    theirs = inspect.signature(Tap.invoke).parameters
    ours = inspect.signature(TapGorgias.run_command).parameters
    assert list(ours) == [*theirs, "test"]


def test_the_command_line_passes_config_and_environment() -> None:
    """`run_command` reads both fields of a private class."""
    fields = {field.name for field in dataclasses.fields(_ConfigInput)}
    assert fields == {"config", "parse_env"}


def test_the_command_of_the_tap_replaces_that_of_the_sdk() -> None:
    """It has the same options in the same order."""
    ours = TapGorgias.get_singer_command()
    theirs = super(TapGorgias, TapGorgias).get_singer_command()
    assert isinstance(ours, TapCommand)
    assert type(theirs) is SingerCommand
    assert [one.name for one in ours.params] == [one.name for one in theirs.params]
    assert ours.context_settings == theirs.context_settings


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_a_signal_reaches_the_handler_of_the_tap(
    number: signal.Signals, code: int
) -> None:
    """The handler of the SDK ends the process with exit code 0."""
    TapGorgias(config=dict(CONFIG))
    with pytest.raises(Terminated) as stopped:
        signal.raise_signal(number)
    assert stopped.value.code == code


@pytest.mark.parametrize("setup_mapper", [True, False])
def test_a_signal_during_initialization_reaches_the_handler_of_the_tap(
    *, setup_mapper: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Creating the streams takes time, and nothing was read yet."""

    def stop(_self: TapGorgias) -> list[GorgiasStream]:
        signal.raise_signal(signal.SIGTERM)
        return []

    monkeypatch.setattr(TapGorgias, "discover_streams", stop)
    with pytest.raises(Terminated):
        TapGorgias(config=dict(CONFIG), setup_mapper=setup_mapper)


def test_a_tap_can_be_created_outside_the_main_thread() -> None:
    """Only the main thread can set a signal handler."""
    before = signal.getsignal(signal.SIGTERM)
    with ThreadPoolExecutor() as threads:
        threads.submit(TapGorgias, config=dict(CONFIG)).result()
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_signal_is_not_reported_as_a_failed_stream(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """It reaches the main thread, and the position of written rows is kept.

    It arrives while the third page is requested and rows of the second are emitted.
    """
    tap = tap_of(Tickets, 10)

    def stop_at_third(cursor: str | None) -> None:
        if cursor == "4":
            os.kill(os.getpid(), signal.SIGTERM)
            assert ended.wait(20)

    ended = threading.Event()
    tap.before_page = stop_at_third
    with pytest.raises(Terminated):
        tap.sync_all()
    ended.set()
    written = messages(capsys)
    rows = [one["record"]["id"] for one in written if one["type"] == "RECORD"]
    saved = [under_way(10, 7), under_way(10, 4)].index(entries(written)[-1]) + 1
    assert saved * PAGE_ROWS <= len(rows) <= 2 * PAGE_ROWS
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]
