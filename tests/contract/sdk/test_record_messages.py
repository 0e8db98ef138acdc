"""What `sdk/record_messages.py` leans on in the SDK is still there."""

from __future__ import annotations

import inspect

import pytest
from singer_sdk import Stream

from tap_gorgias.stream_types.base import GorgiasStream
from tests.support.memory import Tags, Tickets, messages, tap_of


def test_the_sdk_writes_a_record_through_the_method_that_is_replaced() -> None:
    """A deselected part is left out by it, all else by the converter."""
    name = "_generate_record_messages"
    theirs = inspect.signature(getattr(Stream, name)).parameters.values()
    ours = inspect.signature(getattr(GorgiasStream, name)).parameters.values()
    assert [one.name for one in ours] == [one.name for one in theirs]
    called = [
        method
        for method in vars(Stream).values()
        if inspect.isfunction(method) and name in method.__code__.co_names
    ]
    assert [method.__name__ for method in called] == ["_write_record_message"]


def test_a_record_message_is_made_as_the_sdk_makes_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A catalog that deselects a part of a property takes the SDK's own way."""
    tap = tap_of(Tickets, 4)
    stream = tap.streams["tickets"]
    tap.sync_all()
    ours = [one for one in messages(capsys) if one["type"] == "RECORD"]
    stream.mask["properties", "customer", "properties", "name"] = False
    del stream.__dict__["_has_deselected_subproperties"]
    stream.sync()
    theirs = [one for one in messages(capsys) if one["type"] == "RECORD"]
    for one in ours + theirs:
        assert one.pop("time_extracted")
    assert ours == theirs


@pytest.mark.parametrize("wanted", [True, False])
def test_activate_version_messages_are_obeyed(
    *, wanted: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """The SDK reads the setting although it declares it from 0.55 on only."""
    tap_of(Tags, 1, emit_activate_version_messages=wanted).sync_all()
    written = messages(capsys)
    activated = [one["version"] for one in written if one["type"] == "ACTIVATE_VERSION"]
    assert len(activated) == wanted
    (row,) = [one for one in written if one["type"] == "RECORD"]
    assert row.get("version") == (activated[0] if wanted else None)
