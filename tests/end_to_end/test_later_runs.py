"""Later runs read only what has changed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tap_gorgias import timestamps
from tap_gorgias.replication.bookmarks import TICKET_KEYS
from tests.sandbox import Sandbox, Shop
from tests.support.runs import (
    LOOK_FOR_IMPORTS,
    Files,
    Output,
    catalog_of,
    run,
    run_command,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A shop in which every feed takes several pages."""
    shop = Shop(
        seed=5, tickets=340, customers=230, events=420, satisfaction_surveys=120
    )
    with Sandbox(shop) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("stream", "requests"),
    [("tickets", 1 + LOOK_FOR_IMPORTS), ("customers", 1), ("events", 1)],
)
def test_an_idle_run_costs_one_request(
    sandbox: Sandbox, stream: str, requests: int
) -> None:
    """The first page shows that nothing has changed."""
    state = run(sandbox.config, stream).state
    sandbox.reset_counters()

    again = run(sandbox.config, stream, state=state)

    assert sandbox.count() == requests
    assert again.state == state


def test_changed_and_new_tickets_are_read_by_the_next_run(sandbox: Sandbox) -> None:
    """The age of the ticket does not matter."""
    state = run(sandbox.config, "tickets").state
    shop = sandbox.shop
    shop.advance(3600)
    oldest = shop.tickets.ids()[0]
    shop.tickets.update(oldest, subject="Changed")
    new = shop.tickets.create(subject="New")

    output = run(sandbox.config, "tickets", state=state)

    assert {oldest, new} <= set(output.ids("tickets"))
    assert len(output.ids("tickets")) < 50
    assert output.bookmark("tickets")["replication_key_value"] == timestamps.render(
        timestamps.parse(shop.tickets.row(new)["updated_datetime"])
    )


def test_an_event_that_arrives_late_is_not_lost(sandbox: Sandbox) -> None:
    """The next run reads an event dated four minutes before the bookmark."""
    first = run(sandbox.config, "events")
    bookmark = timestamps.parse(first.bookmark("events")["replication_key_value"])
    late = sandbox.shop.events.create(
        created_datetime=(bookmark - timedelta(minutes=4)).isoformat()
    )
    sandbox.reset_counters()

    second = run(sandbox.config, "events", state=first.state)

    assert late in second.ids("events")
    (since,) = sandbox.requests[0].query["created_datetime[gte]"]
    assert timestamps.parse(since) == bookmark - timedelta(minutes=5)


def test_a_look_back_ends_at_the_start_date(sandbox: Sandbox) -> None:
    """Rows that the first sync has skipped are not read later."""
    config = {**sandbox.config, "start_date": "2026-10-20T00:00:00Z"}
    first = run(config, "satisfaction_surveys")

    second = run(config, "satisfaction_surveys", state=first.state)

    assert second.ids("satisfaction_surveys") == first.ids("satisfaction_surveys")


def test_a_handwritten_bookmark_is_accepted(sandbox: Sandbox) -> None:
    """A state with only `replication_key_value` is sufficient."""
    state = {"bookmarks": {"tickets": {"replication_key_value": "2026-10-01 00:00:00"}}}

    tickets = run(sandbox.config, "tickets", state=state).records("tickets")

    assert {t["updated_datetime"] >= "2026-09-30T23:58" for t in tickets} == {True}
    assert tickets


def test_remnants_of_other_versions_are_removed_from_state(sandbox: Sandbox) -> None:
    """Progress markers and signposts of an older release have no effect."""
    state = {
        "bookmarks": {
            "tickets": {
                "replication_key": "updated_datetime",
                "replication_key_value": "2026-10-01T00:00:00+00:00",
                "replication_key_signpost": "2026-10-01T00:00:00+00:00",
                "starting_replication_value": "2026-10-01T00:00:00+00:00",
                "progress_markers": {"Note": "Progress is not resumable."},
                "partitions": [],
            },
            "tags": {},
        }
    }

    output = run(sandbox.config, "tickets", "tags", state=state)

    assert tuple(output.bookmark("tickets")) == TICKET_KEYS


def test_a_bookmark_of_another_key_is_ignored(sandbox: Sandbox) -> None:
    """It does not bound the changes, so everything is read."""
    state = {
        "bookmarks": {
            "tickets": {
                "replication_key": "created_datetime",
                "replication_key_value": "2026-11-01T00:00:00Z",
            }
        }
    }

    output = run(sandbox.config, "tickets", state=state)

    assert set(output.ids("tickets")) == set(sandbox.shop.tickets.ids())


def test_a_deselected_stream_keeps_its_bookmark(sandbox: Sandbox) -> None:
    """A stream that is deselected for a day is not read from the start afterwards."""
    first = run(sandbox.config, "tickets", "customers")

    second = run(sandbox.config, "customers", state=first.state)

    assert second.bookmark("tickets") == first.bookmark("tickets")


def test_a_full_table_stream_has_no_bookmark(sandbox: Sandbox) -> None:
    """Its entry is null, which voids an older one that Meltano may merge with it."""
    catalog = catalog_of("customers")
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"

    once = run(sandbox.config, catalog=catalog)
    again = run(sandbox.config, catalog=catalog, state=once.state)

    assert len(again.records("customers")) == len(sandbox.shop.customers)
    assert again.bookmark("customers")["replication_key_value"] is None


@pytest.mark.parametrize("key", ["replication-method", "forced-replication-method"])
def test_a_full_table_in_the_metadata_of_the_catalog_is_honoured(
    sandbox: Sandbox, tmp_path: Path, key: str
) -> None:
    """Other tools write it there, beside the method that discovery has written."""
    catalog = catalog_of("tickets")
    for entry in catalog["streams"]:
        root = next(m for m in entry["metadata"] if not m["breadcrumb"])
        root["metadata"][key] = "FULL_TABLE"
    state = run(sandbox.config, "tickets").state

    command = Files(tmp_path).arguments(sandbox.config, state=state, catalog=catalog)
    again = Output.parse(run_command(command).stdout)

    assert len(again.records("tickets")) == len(sandbox.shop.tickets)
    assert again.state == state
