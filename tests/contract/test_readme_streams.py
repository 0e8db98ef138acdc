"""What README.md and meltano.yml say about streams is what the code does."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

from tap_gorgias.children import ChildStream, FeedChildStream
from tap_gorgias.streams import STREAMS
from tap_gorgias.streams.messages import TicketMessagesStream
from tap_gorgias.streams.statistics import StatisticsStream
from tap_gorgias.ways import CursorStream, FeedStream, LogStream
from tests.contract.readme import ROOT, assert_written, table

if TYPE_CHECKING:
    from tap_gorgias.stream import GorgiasStream

PATHS_BEYOND = {
    "customer_details": "/{id}",
    "ticket_details": "/{id}",
    "view_items": "/{id}/items",
}


def way_of(stream: type[GorgiasStream]) -> str:
    """Name the way in which a stream is read."""
    if issubclass(stream, ChildStream):
        parent = str(getattr(stream.parent_stream_type, "name", "")).removesuffix("s")
        if stream is TicketMessagesStream:
            return f"feed, settled per changed {parent}"
        changed = "changed " if issubclass(stream, FeedChildStream) else ""
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
    finders = defaultdict(list)
    for stream in STREAMS:
        streams[stream.scope].append(f"`{stream.name}`")
        finders[stream.scope_of_imports].append(f"`{stream.name}`")
    streams[StatisticsStream.scope].append("`statistics_<name>`")
    assert table("### Permissions") == [
        [f"`{scope}`", ", ".join(names), ", ".join(finders[scope]) or "-"]
        for scope, names in sorted(streams.items())
    ]


def test_a_stream_needs_no_other_permission_than_its_parent() -> None:
    """The table would not be the whole truth otherwise."""
    parents = {one: getattr(one, "parent_stream_type", None) for one in STREAMS}
    pairs = [(one, parent) for one, parent in parents.items() if parent]
    assert pairs
    assert [
        one.name
        for one, parent in pairs
        if one.scope != parent.scope or one.scope_of_imports != parent.scope_of_imports
    ] == []


def test_the_authorize_address_asks_for_what_the_streams_need() -> None:
    """And for a refresh token."""
    scopes = ["openid", "email", "profile", "offline"]
    scopes += sorted({*(stream.scope for stream in STREAMS), StatisticsStream.scope})
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
