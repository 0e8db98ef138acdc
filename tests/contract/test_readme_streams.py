"""What README.md and meltano.yml say about streams is what the code does."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

from tap_gorgias import timestamps
from tap_gorgias.parents import FollowerStream, ParentFeedStream, PerParentStream
from tap_gorgias.positions import Position, bookmark_from, cursor_from, walk_from
from tap_gorgias.streams import STREAMS
from tap_gorgias.streams.messages import TicketMessagesStream
from tap_gorgias.tap import TapGorgias
from tap_gorgias.ways import CursorStream, FeedStream, LogStream
from tests.benchmarks.costs import (
    SHOPS,
    Rule,
    ShopSize,
    cost,
    first_by_date,
    first_by_ticket,
    hourly_by_date,
    hourly_by_ticket,
    pages,
)
from tests.contract.memory import CONFIG
from tests.contract.readme import ROOT, assert_written, blocks, table

if TYPE_CHECKING:
    from tap_gorgias.stream import GorgiasStream

BY_NAME = {stream.name: stream for stream in STREAMS}
PATHS_BEYOND = {
    "customer_details": "/{id}",
    "ticket_details": "/{id}",
    "view_items": "/{id}/items",
}
EXTRA_KEYS: dict[str, type] = {
    "cursor": CursorStream,
    "emitted": ParentFeedStream,
    "emitting": ParentFeedStream,
    "parent_walk": FollowerStream,
    "since": TicketMessagesStream,
}


def way_of(stream: type[GorgiasStream]) -> str:
    """Name the way in which a stream is read."""
    if issubclass(stream, PerParentStream):
        parent = str(getattr(stream.parent_stream_type, "name", "")).removesuffix("s")
        if stream is TicketMessagesStream:
            return f"bulk, then per changed {parent}"
        changed = "changed " if issubclass(stream, FollowerStream) else ""
        return f"per {changed}{parent}"
    ways = {FeedStream: "feed", LogStream: "log", CursorStream: "by cursor"}
    found = [way for base, way in ways.items() if issubclass(stream, base)]
    return found[0] if found else "snapshot"


def test_streams_table_is_that_of_the_code() -> None:
    """Each stream has a row, in alphabetical order, and there are no others."""
    rows = table("## Streams")
    assert [row[:6] for row in rows] == [
        [
            f"`{stream.name}`",
            f"`{stream.path}{PATHS_BEYOND.get(stream.name, '')}`",
            ", ".join(f"`{key}`" for key in stream.primary_keys),
            way_of(stream),
            f"`{stream.replication_key}`" if stream.replication_key else "-",
            "yes" if stream.selected_by_default else "no",
        ]
        for stream in STREAMS
    ]
    assert all(len(row) == 8 and all(row) for row in rows)


def test_permissions_table_is_that_of_the_code() -> None:
    """Each stream stands beside the scope that a refusal names."""
    streams = defaultdict(list)
    for stream in STREAMS:
        streams[stream.scope].append(f"`{stream.name}`")
    assert table("### Permissions") == [
        [f"`{scope}`", ", ".join(names)] for scope, names in sorted(streams.items())
    ]


def test_a_stream_needs_no_other_permission_than_its_parent() -> None:
    """The table would not be the whole truth otherwise."""
    parents = {one: getattr(one, "parent_stream_type", None) for one in STREAMS}
    pairs = [(one, parent) for one, parent in parents.items() if parent]
    assert pairs
    assert [one.name for one, parent in pairs if one.scope != parent.scope] == []


def test_the_authorize_address_asks_for_what_the_streams_need() -> None:
    """And for a refresh token."""
    scopes = ["openid", "email", "profile", "offline"]
    scopes += sorted({stream.scope for stream in STREAMS})
    address = (
        "https://acme.gorgias.com/oauth/authorize?response_type=code"
        "&client_id=YOUR_CLIENT_ID&redirect_uri=https://app.example.com/callback"
        f"&state=RANDOM_TEXT&nonce=RANDOM_TEXT&scope={'%20'.join(scopes)}"
    )
    assert_written("authorize", f"```text\n{address}\n```")


def test_meltano_selects_what_is_selected_by_default() -> None:
    """Meltano would read all streams and fields otherwise."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    off = [f"!{one.name}.*" for one in STREAMS if not one.selected_by_default]
    huge = [f"!{one.name}.{f}" for one in STREAMS for f in one.deselected_by_default]
    select = project["plugins"]["extractors"][0]["select"]
    assert select == ["*.*", *sorted(off + huge)]


def costs_table() -> str:
    """Write the table of costs as it should be."""
    lines = [
        ["", *(shop.name for shop in SHOPS)],
        ["---"] * 4,
        ["tickets", *(f"{shop.tickets:,}" for shop in SHOPS)],
        ["messages", *(f"{shop.messages:,}" for shop in SHOPS)],
        ["tickets that change in an hour", *(f"{shop.changed:,}" for shop in SHOPS)],
    ]
    kinds: dict[str, Rule] = {
        "first sync, `tickets` and `ticket_messages`": first_by_ticket,
        "first sync, `tickets` and `messages`": first_by_date,
        "hourly run, `tickets` and `ticket_messages`": hourly_by_ticket,
        "hourly run, `tickets` and `messages`, look-back of 2 days": hourly_by_date(2),
        "the same, look-back of 0 days": hourly_by_date(0),
    }
    lines += [
        [what, *(cost(shop, count) for shop in SHOPS)] for what, count in kinds.items()
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def test_costs_table_is_calculated() -> None:
    """From what the benchmark measures."""
    assert_written("costs", costs_table())


def test_the_rule_of_the_costs_fits_what_is_measured() -> None:
    """The counts of the benchmark, which the README names."""
    still = ShopSize("benchmark", 2_500, 9_012, 0)
    inside = 1  # ticket changed in the last minutes of the shop
    assert first_by_ticket(still, 2) + inside == 118
    assert first_by_date(still, 2) == 116
    assert pages(41 + inside) + 41 + inside == 43


def test_the_query_hides_what_was_deleted_or_merged() -> None:
    """It runs as it stands, and a merge without ids hides nothing."""
    (query,) = (one for one in blocks("sql") if "deletions" in one)
    database = sqlite3.connect(":memory:")
    database.execute("ATTACH ':memory:' AS gorgias")
    database.execute("CREATE TABLE gorgias.tickets (id INTEGER)")
    database.execute(
        "CREATE TABLE gorgias.deletions"
        " (type TEXT, object_id INTEGER, source_object_id INTEGER)"
    )
    tickets = [(number,) for number in range(1, 7)]
    database.executemany("INSERT INTO gorgias.tickets VALUES (?)", tickets)
    deletions = [
        ("ticket-deleted", 1, None),
        ("ticket-merged", 3, 2),
        ("ticket-merged", 4, None),
        ("customer-deleted", 5, None),
        ("customer-merged", 5, 6),
    ]
    database.executemany("INSERT INTO gorgias.deletions VALUES (?, ?, ?)", deletions)
    assert [row[0] for row in database.execute(query)] == [3, 4, 5, 6]


def states() -> list[dict[str, Any]]:
    """Return the examples of STATE."""
    return [one for one in map(json.loads, blocks("json")) if "bookmarks" in one]


def test_state_examples_are_what_the_tap_reads_and_writes() -> None:
    """Each entry is taken as it stands, and would be written again as it is."""
    named = set()
    for state in states():
        TapGorgias(config=dict(CONFIG), state=state)
        for name, entry in state["bookmarks"].items():
            stream = BY_NAME[name]
            assert entry["replication_key"] == stream.replication_key
            extra = entry.keys() & EXTRA_KEYS.keys()
            assert all(issubclass(stream, EXTRA_KEYS[key]) for key in extra)
            named |= extra
            position = Position(
                bookmark_from(entry, name), walk_from(entry, None), cursor_from(entry)
            )
            beside = {key: entry[key] for key in extra - {"cursor"}}
            written = {**position.to_state(str(stream.replication_key)), **beside}
            assert written == entry
            assert entry.get("parent_walk") in {None, newest_of_tickets(state)}
    assert named == EXTRA_KEYS.keys()


def newest_of_tickets(state: dict[str, Any]) -> str | None:
    """Take the moment that the unfinished walk of tickets began at."""
    walk = walk_from(state["bookmarks"]["tickets"], None)
    assert walk is not None
    assert walk.floor is not None
    assert walk.newest is not None
    assert timestamps.parse(walk.floor) < timestamps.parse(walk.newest)
    return walk.newest
