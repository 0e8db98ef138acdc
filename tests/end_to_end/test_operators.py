"""The instructions for operators have the described effect."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

from tap_gorgias.replication.bookmarks import NO_WALK
from tests.sandbox import Sandbox, Shop
from tests.support.documents import ROOT, block, table
from tests.support.runs import DEFAULT_STREAMS, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LEAST = re.compile(r"(?:^|at least )(\d+)")
"""The number of requests of an idle run, in a small shop."""


@pytest.fixture
def shop() -> Shop:
    """A shop of 200 tickets."""
    return Shop(seed=3)


def jobs() -> dict[str, list[str]]:
    """Return the streams of each job of the page."""
    rows = table("job", "when")
    found = {name.strip("`"): re.findall(r"`(\w+)`", cell) for name, _, cell in rows}
    [rest] = [name.strip("`") for name, _, cell in rows if cell == "all others"]
    named = {one for streams in found.values() for one in streams}
    return {**found, rest: [one for one in DEFAULT_STREAMS if one not in named]}


def paste(script: str, folder: Path) -> None:
    """Run a shell example of the page."""
    commands = script.replace("/path/to/tap-gorgias", str(ROOT))
    tap = f'tap-gorgias() {{ {sys.executable} -m tap_gorgias "$@"; }}\n'
    subprocess.run(  # noqa: S603
        ["bash", "-euo", "pipefail", "-c", tap + commands],  # noqa: S607
        cwd=folder,
        check=True,
    )


def edited(state: Mapping[str, Any], script: str, folder: Path) -> dict[str, Any]:
    """Apply a shell example of the page to the last of two states in a file."""
    file = folder / "states.jsonl"
    file.write_text(f"{{}}\n{json.dumps(state)}\n")
    paste(script, folder)
    changed: dict[str, Any] = json.loads(file.read_text().splitlines()[-1])
    return changed


def test_an_idle_run_takes_the_requests_of_the_page(sandbox: Sandbox) -> None:
    """The streams are those of the default selection."""
    first = run(sandbox.config)
    sandbox.reset_counters()

    run(sandbox.config, state=first.state)

    cells = [row[7] for row in table("stream", "default") if row[1] == "yes"]
    documented = [int(LEAST.findall(cell)[-1]) for cell in cells]
    assert sandbox.count() == sum(documented)


def test_jobs_read_each_stream_once() -> None:
    """They cover the default selection; tickets and their messages share a job."""
    streams = [name for names in jobs().values() for name in names]
    assert sorted(streams) == sorted(DEFAULT_STREAMS)
    assert {"tickets", "ticket_messages"} <= set(jobs()["conversations"])


def test_several_jobs_take_as_many_requests_as_one(sandbox: Sandbox) -> None:
    """Their first syncs emit the same rows, each in the job of its stream."""
    whole = run(sandbox.config)
    together = sandbox.count()
    sandbox.reset_counters()

    parts = [run(sandbox.config, *streams) for streams in jobs().values()]

    assert sandbox.count() == together
    for name in DEFAULT_STREAMS:
        rows = [part.records(name) for part in parts if part.records(name)]
        assert rows == [whole.records(name)]


def test_a_state_can_be_copied_to_several_jobs(sandbox: Sandbox) -> None:
    """Each job resumes from it and keeps the entries of the others."""
    whole = run(sandbox.config)

    parts = [
        run(sandbox.config, *streams, state=whole.state) for streams in jobs().values()
    ]

    assert sum(len(part.records("tickets")) for part in parts) == 1
    for part in parts:
        assert part.state["bookmarks"].keys() == whole.state["bookmarks"].keys()


def test_named_streams_are_read_again(sandbox: Sandbox, tmp_path: Path) -> None:
    """No other stream is."""
    first = run(sandbox.config)

    state = edited(
        first.state, block("forget customers satisfaction_surveys \\"), tmp_path
    )
    again = run(sandbox.config, state=state)

    for name in ("satisfaction_surveys", "customers"):
        assert set(again.ids(name)) == set(first.ids(name))
    assert len(again.ids("tickets")) == 1


def test_one_ticket_is_read_again(sandbox: Sandbox, tmp_path: Path) -> None:
    """Its messages come although the ticket did not change."""
    shop, first = sandbox.shop, run(sandbox.config, "ticket_messages")
    ticket = shop.tickets.ids()[7]
    messages = {row["id"] for row in shop.messages.rows() if row["ticket_id"] == ticket}
    script = block("edit_state.py retry").replace("82000014", str(ticket))

    state = edited(first.state, script, tmp_path)
    again = run(sandbox.config, "ticket_messages", state=state)

    assert messages <= set(again.ids("ticket_messages"))
    assert len(again.ids("ticket_messages")) < len(messages) + 5
    assert again.state == first.state


def test_one_month_can_be_loaded(sandbox: Sandbox) -> None:
    """No row of another month is emitted."""
    settings = json.loads(block("2026-09-01T00:00:00Z", "json"))

    output = run({**sandbox.config, **settings}, "tickets", "ticket_messages")

    for name, rows in (
        ("tickets", sandbox.shop.tickets.rows()),
        ("ticket_messages", sandbox.shop.messages.rows()),
    ):
        months = {row["id"] for row in rows if row["created_datetime"][:7] == "2026-09"}
        assert months
        assert set(output.ids(name)) == months


def test_a_full_read_repairs_what_incremental_runs_miss(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The catalog is that of the page, and the state does not change."""
    shop, first = sandbox.shop, run(sandbox.config)
    ticket = shop.tickets.ids()[7]
    shop.tickets.update(ticket, touch=False, custom_fields={}, messages_count=77)
    again = run(sandbox.config, "tickets", state=first.state)
    (tmp_path / "config.json").write_text(json.dumps(sandbox.config))
    paste(block("weekly.json").rpartition("CATALOG=")[0], tmp_path)
    catalog = json.loads((tmp_path / "weekly.json").read_text())
    sandbox.reset_counters()

    whole = run(sandbox.config, catalog=catalog, state=again.state)

    assert ticket not in again.ids("tickets")
    assert sorted(whole.ids("tickets")) == shop.tickets.ids()
    rows = {row["id"]: row for row in whole.records("tickets")}
    assert rows[ticket]["messages_count"] == 77
    assert set(whole.schemas) == {"tickets"}
    assert sandbox.count() == 2
    assert whole.state == again.state


def test_meltano_sets_the_replication_method_of_the_page() -> None:
    """The extractor is one of the project, and the stream one of the tap."""
    (weekly,) = yaml.safe_load(block("tap-gorgias-weekly", "yaml"))
    assert weekly["inherit_from"] == "tap-gorgias"
    assert weekly["metadata"] == {"tickets": {"replication-method": "FULL_TABLE"}}
    assert weekly["select"] == ["tickets.*"]


@pytest.mark.parametrize("stream", ["tickets", "events", "ticket_messages"])
def test_a_stream_can_be_read_again_from_a_date(
    sandbox: Sandbox, tmp_path: Path, stream: str
) -> None:
    """All changes since then are emitted."""
    shop, first = sandbox.shop, run(sandbox.config)
    script = block("2026-10-01T00:00:00Z").replace("Z tickets", f"Z {stream}")

    state = edited(first.state, script, tmp_path)
    again = run(sandbox.config, stream, state=state)

    changed = {
        row["id"]
        for row in shop.tickets.rows()
        if row["updated_datetime"] >= "2026-10-01"
    }
    expected = {
        "tickets": changed,
        "events": {
            row["id"]
            for row in shop.events.rows()
            if row["created_datetime"] >= "2026-10-01"
        },
        "ticket_messages": {
            message for one in changed for message in shop.messages.of_ticket(one)
        },
    }[stream]
    assert expected <= set(again.ids(stream))
    again_ids = set(again.ids(stream))
    assert len(expected) <= len(again_ids) <= len(expected) + 2
    assert 0 < len(expected) < len(first.ids(stream))


def test_an_unfinished_walk_can_be_removed(sandbox: Sandbox) -> None:
    """Nothing is lost without it."""
    state = _interrupted(sandbox)
    bookmark = state["bookmarks"]["tickets"]
    assert bookmark.pop("walk")

    again = run(sandbox.config, "tickets", state=state)

    assert set(again.ids("tickets")) == set(sandbox.shop.tickets.ids())


def _interrupted(sandbox: Sandbox) -> dict[str, Any]:
    whole = run(sandbox.config, "tickets")
    state = next(
        one for one in whole.states if one["bookmarks"]["tickets"]["walk"] != NO_WALK
    )
    return json.loads(json.dumps(state))  # type: ignore[no-any-return]


def test_state_of_the_hub_default_is_resumed(sandbox: Sandbox) -> None:
    """It has a bookmark for `tickets`, and none or one per ticket for other streams."""
    changed = sorted(row["updated_datetime"] for row in sandbox.shop.tickets.rows())
    state = {
        "bookmarks": {
            "tickets": {
                "replication_key": "updated_datetime",
                "replication_key_value": changed[150],
            },
            "messages": {"partitions": []},
            "customers": {},
        }
    }

    output = run(sandbox.config, "tickets", "messages", "customers", state=state)

    assert 50 <= len(output.ids("tickets")) <= 52
    assert set(output.ids("messages")) == set(sandbox.shop.messages.ids())
    assert set(output.ids("customers")) == set(sandbox.shop.customers.ids())


def test_state_of_older_singer_taps_is_ignored(
    sandbox: Sandbox,
) -> None:
    """A bookmark without the name of its field is not valid."""
    bookmark = "2026-10-30T00:00:00.000000Z"
    state = {"bookmarks": {"tickets": {"updated_datetime": bookmark}}}

    output = run(sandbox.config, "tickets", state=state)

    assert set(output.ids("tickets")) == set(sandbox.shop.tickets.ids())
