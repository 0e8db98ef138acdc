"""The behaviour of the SDK that `sdk/record_messages.py` relies on."""

from __future__ import annotations

import copy
import inspect

import pytest
from singer_sdk import Stream

from tap_gorgias.stream_types.stream import GorgiasStream
from tests.support.memory import Tags, Tickets, messages, tap_of

NAME = "_generate_record_messages"


def test_the_sdk_writes_records_with_the_overridden_method() -> None:
    """The override has the same parameters."""
    theirs = inspect.signature(getattr(Stream, NAME)).parameters.values()
    ours = inspect.signature(getattr(GorgiasStream, NAME)).parameters.values()
    assert [one.name for one in ours] == [one.name for one in theirs]
    callers = [
        method
        for method in vars(Stream).values()
        if inspect.isfunction(method) and NAME in method.__code__.co_names
    ]
    assert [method.__name__ for method in callers] == ["_write_record_message"]


@pytest.mark.parametrize("deselected", [False, True])
def test_record_messages_equal_those_of_the_sdk(*, deselected: bool) -> None:
    """A part of a property may be deselected."""
    stream = tap_of(Tickets, 0).streams["tickets"]
    stream.mask["properties", "customer", "properties", "name"] = not deselected
    row = {"id": 1, "customer": {"id": 2, "name": "Ann"}, "tags": []}
    record = stream.post_process(row)
    assert record

    made = [
        [one.to_dict() for one in getattr(owner, NAME)(stream, copy.deepcopy(record))]
        for owner in (GorgiasStream, Stream)
    ]

    for (one,) in made:
        assert one.pop("time_extracted")
        assert ("name" in one["record"]["customer"]) is not deselected
    assert made[0] == made[1]


def test_the_sdk_writes_neither_mapped_nor_flattened_batches() -> None:
    """`get_batches` replaces the method that passes records on as they are."""
    names = Stream.get_batches.__code__.co_names
    assert "_sync_records" in names
    assert NAME not in names


@pytest.mark.parametrize("enabled", [True, False])
def test_activate_version_messages_can_be_disabled(
    *, enabled: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """The SDK reads this setting in versions before 0.55, which do not declare it."""
    tap_of(Tags, 1, emit_activate_version_messages=enabled).sync_all()
    written = messages(capsys)
    activated = [one["version"] for one in written if one["type"] == "ACTIVATE_VERSION"]
    assert len(activated) == enabled
    (row,) = [one for one in written if one["type"] == "RECORD"]
    assert row.get("version") == (activated[0] if enabled else None)
