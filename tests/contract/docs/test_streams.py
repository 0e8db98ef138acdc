"""The documents and meltano.yml describe the streams of the code."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

from tap_gorgias.stream_types.children import ChildStream, DetailsStream
from tap_gorgias.stream_types.replication import CursorStream, FeedStream, LogStream
from tap_gorgias.streams import STREAMS
from tap_gorgias.streams.messages import TicketMessagesStream
from tap_gorgias.streams.statistics import StatisticsStream
from tests.support.documents import (
    README,
    ROOT,
    assert_generated,
    table,
    text,
)

if TYPE_CHECKING:
    from tap_gorgias.stream_types.stream import GorgiasStream


def way_of(stream: type[GorgiasStream]) -> str:
    """Return the name of the way in which a stream is read."""
    if issubclass(stream, ChildStream):
        parent = str(getattr(stream.parent_stream_type, "name", "")).removesuffix("s")
        if stream is TicketMessagesStream:
            return f"feed, settled per changed {parent}"
        changed = "changed " if issubclass(stream, DetailsStream) else ""
        return f"per {changed}{parent}"
    ways = {FeedStream: "feed", LogStream: "log", CursorStream: "by cursor"}
    found = [way for base, way in ways.items() if issubclass(stream, base)]
    return found[0] if found else "snapshot"


def test_the_table_of_streams_matches_the_code() -> None:
    """There is one row per stream in alphabetical order.

    The permission is the scope that a refusal names. Statistics come last.
    """
    rows = [
        [
            f"`{stream.name}`",
            "yes" if stream.selected_by_default else "no",
            f"`{stream.path}`",
            ", ".join(f"`{key}`" for key in stream.primary_keys),
            way_of(stream),
            f"`{stream.replication_key}`" if stream.replication_key else "-",
            ", ".join(
                f"`{scope}`{use}"
                for scope, use in (
                    (stream.scope, ""),
                    (stream.scope_of_imports, " to find imports"),
                )
                if scope
            ),
        ]
        for stream in STREAMS
    ]
    shown = table("stream", "default")
    assert [row[:7] for row in shown[:-1]] == rows
    assert all(len(row) == 9 and all(row) for row in shown)
    keys = ", ".join(f"`{key}`" for key in StatisticsStream.primary_keys)
    scope = f"`{StatisticsStream.scope}`"
    assert [shown[-1][n] for n in (0, 3, 4, 6)] == [
        "`statistics_<name>`",
        keys,
        "by period",
        scope,
    ]


def test_the_readme_lists_every_stream_once() -> None:
    """The list is by topic."""
    lines = re.findall(r"^- .*$", text(README), re.MULTILINE)
    named = [name for line in lines for name in re.findall(r"`(\w+)`", line)]
    assert sorted(named) == [stream.name for stream in STREAMS]


def test_the_permissions_table_matches_the_code() -> None:
    """Streams that find imports are listed with the scope that this needs."""
    finders = defaultdict(list)
    for stream in STREAMS:
        if stream.scope_of_imports:
            finders[stream.scope_of_imports].append(f"`{stream.name}`")
    assert table("permission") == [
        [f"`{scope}`", ", ".join(names)] for scope, names in sorted(finders.items())
    ]


def test_a_stream_needs_no_other_permission_than_its_parent() -> None:
    """The table would be incomplete otherwise."""
    parents = {one: getattr(one, "parent_stream_type", None) for one in STREAMS}
    pairs = [(one, parent) for one, parent in parents.items() if parent]
    assert pairs
    assert [
        one.name
        for one, parent in pairs
        if one.scope != parent.scope or one.scope_of_imports != parent.scope_of_imports
    ] == []


def test_the_authorize_url_requests_the_scopes_of_all_streams() -> None:
    """It also requests a refresh token."""
    scopes = ["openid", "email", "profile", "offline"]
    scopes += sorted({*(stream.scope for stream in STREAMS), StatisticsStream.scope})
    address = (
        "https://acme.gorgias.com/oauth/authorize?response_type=code"
        "&client_id=YOUR_CLIENT_ID&redirect_uri=https://app.example.com/callback"
        f"&state=RANDOM_TEXT&nonce=RANDOM_TEXT&scope={'%20'.join(scopes)}"
    )
    assert_generated("authorize", f"```text\n{address}\n```")


def test_meltano_selects_what_is_selected_by_default() -> None:
    """Without a list, Meltano would select all streams and fields."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    off = [f"!{one.name}.*" for one in STREAMS if not one.selected_by_default]
    huge = [f"!{one.name}.{f}" for one in STREAMS for f in one.deselected_by_default]
    select = project["plugins"]["extractors"][0]["select"]
    assert select == ["*.*", *sorted(off + huge)]
