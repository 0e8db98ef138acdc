"""The next run completes an interrupted one without repeating it."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest

from tap_gorgias.replication.bookmarks import NO_WALK
from tests.sandbox import Fault, Sandbox, Shop
from tests.support.runs import LOOK_FOR_IMPORTS, Output, PartialRun, latest, run


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


def test_the_next_run_reads_no_page_again(sandbox: Sandbox) -> None:
    """It reads the remaining pages, and checks the first page once."""
    first = interrupted(sandbox, 3, "tickets")

    second = run(sandbox.config, "tickets", state=first.state)

    assert set(latest("tickets", first, second)) == set(sandbox.shop.tickets.ids())
    assert sandbox.count() == 4 + 1 + LOOK_FOR_IMPORTS
    assert second.bookmark("tickets")["walk"] == NO_WALK


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


@pytest.mark.parametrize(
    "walk",
    [
        pytest.param("text", id="no object"),
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
