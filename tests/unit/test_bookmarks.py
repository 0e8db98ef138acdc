"""The STATE of a stream: how it is written and how it is read."""

from __future__ import annotations

import json
from datetime import timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_gorgias import timestamps
from tap_gorgias.errors import StateError
from tap_gorgias.replication.bookmarks import (
    FEED_KEYS,
    LOG_KEYS,
    NO_WALK,
    TIMESTAMP_KEYS,
    Position,
    Walk,
    bookmark_from,
    check_not_in_future,
    walk_from,
)
from tests.support.cases import table
from tests.support.json_values import JSON_VALUES

KEY = "updated_datetime"
EARLY = "2026-10-31T23:54:41.739132Z"
LATE = "2026-11-02T08:00:00.500000Z"

DATE_TIMES = st.datetimes(timezones=st.just(timezone.utc)).map(timestamps.render)
WALKS = st.builds(
    Walk,
    newest=st.none() | DATE_TIMES,
    cursor=st.text(min_size=1),
    floor=st.none() | DATE_TIMES,
)
POSITIONS = st.builds(Position, st.none() | DATE_TIMES, st.none() | WALKS)

WALK = {"newest": LATE, "cursor": "c", "floor": EARLY}

UNUSABLE_WALKS: dict[str, object] = {
    "no object": "c",
    "empty object": {},
    "list": [WALK],
    "part of a later version": {**WALK, "page": 5},
    "no cursor": {"newest": LATE, "floor": EARLY},
    "empty cursor": {**WALK, "cursor": ""},
    "cursor is null": {**WALK, "cursor": None},
    "cursor is a number": {**WALK, "cursor": 5},
    "no newest": {"cursor": "c", "floor": EARLY},
    "no floor": {"newest": LATE, "cursor": "c"},
    "newest is no date-time": {**WALK, "newest": "soon"},
    "newest is a number": {**WALK, "newest": 5},
    "floor is no date-time": {**WALK, "floor": "deep"},
}


def test_a_position_is_written_as_documented() -> None:
    """Other programs and later versions read it."""
    position = Position(EARLY, Walk(newest=LATE, cursor="WyJuZXh0Ii", floor=EARLY))
    assert position.to_state(KEY, FEED_KEYS) == {
        "replication_key": "updated_datetime",
        "replication_key_value": "2026-10-31T23:54:41.739132Z",
        "walk": {
            "newest": "2026-11-02T08:00:00.500000Z",
            "cursor": "WyJuZXh0Ii",
            "floor": "2026-10-31T23:54:41.739132Z",
            "reached": None,
        },
    }


@pytest.mark.parametrize(
    "position", [Position(), Position(EARLY), Position(None, Walk(LATE, "c", None))]
)
def test_an_entry_always_has_all_of_its_keys(position: Position) -> None:
    """One that is left out would survive in an older state that is merged with it."""
    state = position.to_state(KEY, FEED_KEYS)
    assert tuple(state) == FEED_KEYS
    assert state["walk"].keys() == NO_WALK.keys()
    assert tuple(position.to_state(KEY, LOG_KEYS)) == LOG_KEYS


@given(POSITIONS)
def test_a_position_survives_a_round_trip(position: Position) -> None:
    """The next run reads from JSON what this run has written."""
    state = json.loads(json.dumps(position.to_state(KEY, FEED_KEYS)))
    assert Position(bookmark_from(state, "t"), walk_from(state)) == position


@pytest.mark.parametrize(
    "value",
    ["2026-10-31T23:54:41Z", "2026-11-01T01:54:41+02:00", "2026-10-31 23:54:41"],
)
def test_a_bookmark_of_another_tap_is_accepted(value: str) -> None:
    """A user of another tap need not start again."""
    bookmark = bookmark_from({"replication_key_value": value}, "tickets")
    assert bookmark == "2026-10-31T23:54:41.000000Z"


@pytest.mark.parametrize("state", [{}, {"replication_key_value": None}])
def test_a_null_bookmark_is_absent(state: dict[str, Any]) -> None:
    """Null is equivalent to a missing bookmark."""
    assert bookmark_from(state, "tickets") is None


@pytest.mark.parametrize("value", ["", "soon", "now", 5, True, ["2026-10-31"], {}])
def test_an_invalid_bookmark_ends_the_run(value: object) -> None:
    """An unexpected full read would cost a day."""
    with pytest.raises(StateError, match=r"`tickets`.*not a date-time.*Fix or remove"):
        bookmark_from({"replication_key_value": value}, "tickets")


def test_a_long_bookmark_is_truncated_in_the_error() -> None:
    """The message stays readable."""
    with pytest.raises(StateError) as refused:
        bookmark_from({"replication_key_value": "x" * 5000}, "tickets")
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize("key", TIMESTAMP_KEYS)
def test_a_bookmark_in_the_future_ends_the_run(key: str) -> None:
    """The run would miss all changes until then."""
    entries = {"users": {}, "tickets": {key: "2026-11-03T08:00:00.000001Z"}}
    with pytest.raises(StateError, match=rf"`tickets`.*in the future.*`{key}`\.$"):
        check_not_in_future(entries, "2026-11-02T08:00:00.000000Z")


def test_clocks_may_differ_by_ten_minutes() -> None:
    """A bookmark from another clock may still be valid."""
    entries = {"tickets": {"replication_key_value": "2026-11-02T08:10:00Z"}}
    check_not_in_future(entries, "2026-11-02T08:00:00.000000Z")


@pytest.mark.parametrize("state", [{}, {"walk": None}, {"walk": NO_WALK}])
def test_a_null_walk_is_absent(state: dict[str, Any]) -> None:
    """Null is equivalent to a missing walk."""
    assert walk_from(state) is None


@table(UNUSABLE_WALKS)
def test_an_unusable_walk_is_detected(case: object) -> None:
    """The stream restarts, which is slow but loses nothing."""
    with pytest.raises(ValueError, match="not"):
        walk_from({"walk": case})


@given(st.fixed_dictionaries({}, optional={"walk": JSON_VALUES}))
def test_any_walk_is_usable_or_detected(state: dict[str, object]) -> None:
    """No STATE raises another error."""
    try:
        walk = walk_from(state)
    except ValueError:
        return
    assert walk is None or walk.cursor
