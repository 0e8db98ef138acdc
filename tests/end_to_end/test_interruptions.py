"""The next run completes an interrupted one without repeating it."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest

from tap_gorgias.replication.bookmarks import NO_WALK
from tests.sandbox import Fault, Sandbox, Shop
from tests.support.runs import (
    LOOK_FOR_IMPORTS,
    Output,
    PartialRun,
    latest,
    run,
)


@pytest.fixture
def shop() -> Shop:
    """A shop with seven pages of tickets."""
    return Shop(seed=8, tickets=650, customers=330)


def interrupted(sandbox: Sandbox, after: int, *streams: str, **kwargs: Any) -> Output:
    """Run until a request is refused after a number of good ones."""
    sandbox.faults.add(Fault.error(403), "/api/*", after=after)
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, *streams, **kwargs)
    sandbox.reset_counters()
    return failure.value.output


def test_state_contains_the_unfinished_walk(sandbox: Sandbox) -> None:
    """It has the newest value, the cursor and the floor, but no bookmark yet."""
    first = interrupted(sandbox, 3, "tickets")

    entry = first.bookmark("tickets")
    newest = max(ticket["updated_datetime"] for ticket in first.records("tickets"))
    assert entry["walk"]["newest"] == newest
    assert entry["walk"]["cursor"]
    assert entry["walk"]["floor"] is None
    assert entry["replication_key_value"] is None


def test_the_next_run_reads_no_page_again(sandbox: Sandbox) -> None:
    """It reads the remaining pages, and checks the first page once."""
    first = interrupted(sandbox, 3, "tickets")

    second = run(sandbox.config, "tickets", state=first.state)

    assert set(latest("tickets", first, second)) == set(sandbox.shop.tickets.ids())
    assert sandbox.count() == 4 + 1 + LOOK_FOR_IMPORTS
    assert second.bookmark("tickets")["walk"] == NO_WALK


def test_the_old_gap_is_closed_before_new_changes_are_read(sandbox: Sandbox) -> None:
    """Older versions are emitted before newer ones, whichever run is killed."""
    first = interrupted(sandbox, 3, "tickets")
    sandbox.shop.advance(3600)
    changed = [first.ids("tickets")[0], sandbox.shop.tickets.ids()[0]]
    for ticket in changed:
        sandbox.shop.tickets.update(ticket, subject="Changed")

    second = interrupted(sandbox, 2, "tickets", state=first.state)
    third = run(sandbox.config, "tickets", state=second.state)

    rows = latest("tickets", first, second, third)
    assert {rows[ticket]["subject"] for ticket in changed} == {"Changed"}
    assert set(rows) == set(sandbox.shop.tickets.ids())


def test_no_state_precedes_its_records(sandbox: Sandbox) -> None:
    """Whichever STATE a target has committed, the next run misses nothing."""
    full = run(sandbox.config, "tickets", "customers")
    every = set(sandbox.shop.tickets.ids())

    for index, message in enumerate(full.messages):
        if message["type"] != "STATE":
            continue
        before = Output(full.messages[:index])
        after = run(sandbox.config, "tickets", "customers", state=message["value"])
        assert set(latest("tickets", before, after)) == every
        assert set(latest("customers", before, after)) == set(
            sandbox.shop.customers.ids()
        )


def test_a_refused_saved_cursor_loses_no_records(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """The walk restarts from the first page, with one warning."""
    first = interrupted(sandbox, 3, "tickets")
    sandbox.expire_cursors()
    sandbox.shop.advance(3600)
    sandbox.shop.tickets.update(sandbox.shop.tickets.ids()[0], subject="Changed")
    caplog.clear()

    second = run(sandbox.config, "tickets", state=first.state)

    assert set(second.ids("tickets")) == set(sandbox.shop.tickets.ids())
    assert caplog.text.count("It starts again from the newest row.") == 1
    assert sandbox.count() == 1 + 7 + LOOK_FOR_IMPORTS


EXPIRED = Fault.rewrite(lambda _: {"error": {"msg": "expired"}})


@pytest.mark.parametrize("fault", [*map(Fault.error, (301, 400, 404, 410)), EXPIRED])
def test_any_refusal_of_a_saved_cursor_restarts_the_walk(
    sandbox: Sandbox, fault: Fault
) -> None:
    """The answer to an expired cursor is not documented."""
    first = interrupted(sandbox, 3, "tickets")
    sandbox.faults.add(fault, "/api/tickets")

    second = run(sandbox.config, "tickets", state=first.state)

    # A list that is missing only once is not a refusal: the walk goes on.
    outputs = (first, second) if fault is EXPIRED else (second,)
    assert set(latest("tickets", *outputs)) == set(sandbox.shop.tickets.ids())


def test_a_saved_cursor_survives_transient_failures(sandbox: Sandbox) -> None:
    """They are not refusals, so no page is read again."""
    first = interrupted(sandbox, 3, "tickets")
    sandbox.faults.add(Fault.error(503), "/api/tickets", times=2)

    run(sandbox.config, "tickets", state=first.state)

    assert sandbox.count(status=200) == 4 + 1 + LOOK_FOR_IMPORTS


@pytest.mark.parametrize("status", [401, 403])
def test_missing_permission_is_not_taken_for_a_refused_cursor(
    sandbox: Sandbox, status: int
) -> None:
    """The walk stays in STATE until the permission is granted."""
    first = interrupted(sandbox, 3, "tickets")
    sandbox.faults.add(Fault.error(status), "/api/tickets")

    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, "tickets", state=first.state)

    assert sandbox.count() == 1
    assert failure.value.output.bookmark("tickets") == first.bookmark("tickets")


@pytest.mark.parametrize(
    "walk",
    [
        pytest.param("text", id="no object"),
        pytest.param([], id="a list"),
        pytest.param({}, id="empty"),
        pytest.param({"cursor": "x"}, id="without newest"),
        pytest.param({"newest": None}, id="without cursor"),
        pytest.param({"newest": "soon", "cursor": "x"}, id="newest no date"),
        pytest.param({"newest": None, "cursor": 7}, id="cursor no text"),
        pytest.param({"newest": None, "cursor": ""}, id="cursor empty"),
        pytest.param({"newest": None, "cursor": "x"}, id="without floor"),
        pytest.param({"newest": None, "cursor": "x", "floor": 1}, id="floor no date"),
        pytest.param({"newest": None, "cursor": "x", "shard": 1}, id="newer version"),
    ],
)
def test_an_invalid_walk_is_restarted(
    sandbox: Sandbox,
    walk: Any,  # noqa: ANN401
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The floor follows from the bookmark beside it."""
    done = run(sandbox.config, "tickets")
    state = done.state
    state["bookmarks"]["tickets"]["walk"] = walk
    sandbox.reset_counters()
    caplog.clear()

    again = run(sandbox.config, "tickets", state=state)

    assert sandbox.count() == 1 + LOOK_FOR_IMPORTS
    assert again.bookmark("tickets")["walk"] == NO_WALK
    assert caplog.text.count("It starts again from the newest row.") == 1


def test_a_changed_start_date_does_not_affect_an_unfinished_walk(
    sandbox: Sandbox,
) -> None:
    """The floor is the one with which the walk began."""
    first = interrupted(sandbox, 3, "tickets")
    config = {**sandbox.config, "start_date": "2026-11-01"}

    second = run(config, "tickets", state=first.state)

    assert set(latest("tickets", first, second)) == set(sandbox.shop.tickets.ids())


def test_a_first_sync_with_a_start_date_is_resumed_down_to_it(sandbox: Sandbox) -> None:
    """This holds even if the setting has been removed."""
    config = {**sandbox.config, "start_date": "2026-08-01T00:00:00Z"}
    uninterrupted = run(config, "tickets")
    sandbox.faults.add(Fault.error(403), "/api/tickets", after=2)
    with pytest.raises(PartialRun) as failure:
        run(config, "tickets")

    rest = run(sandbox.config, "tickets", state=failure.value.output.state)

    both = latest("tickets", failure.value.output, rest)
    assert set(both) == set(uninterrupted.ids("tickets"))


def test_a_kill_costs_at_most_two_requests_per_stream() -> None:
    """A sync of 15,000 rows is killed five times; STATE stays small."""
    chance = random.Random(6)  # noqa: S311 (the same kills each time)
    shop = Shop(seed=3, tickets=10_000, customers=5_000, messages_per_ticket=0)
    with Sandbox(shop) as sandbox:
        outputs: list[Output] = []
        state: dict[str, Any] = {}
        for _ in range(5):
            # A refused key ends the whole run like a kill.
            after = chance.randrange(5, 25)
            sandbox.faults.add(Fault.error(401), after=after, times=10_000)
            with pytest.raises(PartialRun) as failure:
                run(sandbox.config, "tickets", "customers", state=state)
            sandbox.faults.clear()
            outputs.append(failure.value.output)
            state = failure.value.output.state
        outputs.append(run(sandbox.config, "tickets", "customers", state=state))

        assert set(latest("tickets", *outputs)) == set(shop.tickets.ids())
        assert set(latest("customers", *outputs)) == set(shop.customers.ids())
        # Each stream repeats a page, and asks once more whether the key is refused.
        assert sandbox.count() <= 150 + 5 * 2 * 4 + LOOK_FOR_IMPORTS
        largest = max(
            len(json.dumps(state)) for output in outputs for state in output.states
        )
        assert largest < 1024


def test_an_interrupted_log_resumes_from_its_last_page(sandbox: Sandbox) -> None:
    """The bookmark of a log moves with every page."""
    first = interrupted(sandbox, 2, "events")

    second = run(sandbox.config, "events", state=first.state)

    assert {*first.ids("events"), *second.ids("events")} == set(
        sandbox.shop.events.ids()
    )
    assert sandbox.count() <= math.ceil(400 / 100) - 2 + 1
