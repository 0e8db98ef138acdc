"""STATE of version 0.1.0 is converted to that of this version."""

from __future__ import annotations

from typing import Any

import pytest

from tap_gorgias.replication.state_upgrade import upgraded

T0, T1 = "2026-11-01T10:00:00.000000Z", "2026-11-01T12:00:00.000000Z"
BEFORE_T0 = "2026-11-01T09:58:00.000000Z"
HOUR_BEFORE_T0 = "2026-11-01T09:00:00.000000Z"
WALK = {"newest": T1, "cursor": "c", "floor": None}


def test_the_position_of_a_parent_becomes_that_of_its_own_records() -> None:
    """It may have been walked further for its children."""
    bookmarks = {"tickets": {"replication_key_value": T1, "emitted": T0}}
    assert upgraded(bookmarks) == {"tickets": {"replication_key_value": T0}}


def test_a_walk_without_the_parents_own_records_is_dropped() -> None:
    """Its records were not emitted."""
    entry = {
        "replication_key_value": T1,
        "emitted": T0,
        "emitting": False,
        "walk": WALK,
    }
    assert upgraded({"tickets": entry}) == {"tickets": {"replication_key_value": T0}}


def test_a_walk_that_a_child_has_followed_becomes_its_own() -> None:
    """It ends at the child's floor; the parent may have gone further for others."""
    bookmarks: dict[str, Any] = {
        "tickets": {"walk": WALK},
        "ticket_details": {"replication_key_value": T0, "parent_walk": T1},
    }
    assert upgraded(bookmarks)["ticket_details"] == {
        "replication_key_value": T0,
        "walk": {**WALK, "floor": BEFORE_T0},
    }


@pytest.mark.parametrize("walk", [None, {**WALK, "newest": T0}, "text"])
def test_a_walk_that_a_child_has_not_followed_is_not_its_own(walk: Any) -> None:  # noqa: ANN401
    """The child resumes from its bookmark."""
    child = {"replication_key_value": T0, "parent_walk": T1}
    bookmarks = {"customers": {"walk": walk}, "customer_details": child}
    assert upgraded(bookmarks)["customer_details"] == {"replication_key_value": T0}


def test_the_bookmark_of_ticket_messages_was_one_of_tickets() -> None:
    """Messages up to an hour before it were emitted, and all tickets were requested."""
    entry = {"replication_key": "created_datetime", "replication_key_value": T0}
    assert upgraded({"ticket_messages": entry})["ticket_messages"] == {
        "replication_key": "created_datetime",
        "replication_key_value": HOUR_BEFORE_T0,
        "settled": T0,
    }


def test_a_walk_over_tickets_for_messages_becomes_settling() -> None:
    """It includes tickets older than the start date."""
    since = "2026-10-01T00:00:00.000000Z"
    child = {"replication_key_value": T0, "parent_walk": T1, "since": since}
    bookmarks: dict[str, Any] = {"tickets": {"walk": WALK}, "ticket_messages": child}
    assert upgraded(bookmarks)["ticket_messages"] == {
        "replication_key_value": HOUR_BEFORE_T0,
        "settled": T0,
        "since": since,
        "settling": {**WALK, "floor": since},
    }


def test_an_unfinished_bulk_becomes_a_walk_over_the_list() -> None:
    """Its `newest` was the date of a ticket."""
    since = "2026-10-01T00:00:00.000000Z"
    entry = {"walk": {"newest": T0, "cursor": "c", "floor": since}}
    assert upgraded({"ticket_messages": entry})["ticket_messages"] == {
        "walk": {"newest": HOUR_BEFORE_T0, "cursor": "c", "floor": since},
        "settled": T0,
        "since": since,
    }


def test_entries_of_this_version_are_unchanged() -> None:
    """Converting twice is the same as converting once."""
    old: dict[str, Any] = {
        "tickets": {"walk": WALK, "replication_key_value": T0},
        "ticket_messages": {"replication_key_value": T0, "parent_walk": T1},
        "ticket_details": {"parent_walk": T1},
        "events": {"replication_key_value": T0},
    }
    new = upgraded(old)
    assert upgraded(new) == new
    assert new["events"] == old["events"]
