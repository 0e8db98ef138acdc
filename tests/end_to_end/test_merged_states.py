"""A refresh that is stopped anywhere replaces what older runs left in STATE.

Meltano merges its states into theirs. The result must be that of the refresh, or rows
are lost or read again, with exit code 0.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.replication import walks
from tap_gorgias.replication.pages import proven
from tests.sandbox import Fault, Sandbox, Shop
from tests.support.merging import merged, without_empty_walks, without_nulls
from tests.support.runs import Output, PartialRun, everything, run

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE_ROWS = 8
PAGES = "tap_gorgias.stream_types.stream.GorgiasStream.page_size"


def shop_of(seed: int) -> Shop:
    """Return a shop with several short pages of each list."""
    return Shop(
        seed=seed,
        tickets=30,
        customers=20,
        events=60,
        messages_per_ticket=2,
        satisfaction_surveys=20,
        voice_calls=20,
    )


def interrupted_history(
    sandbox: Sandbox, config: Mapping[str, Any], chance: random.Random
) -> dict[str, Any]:
    """Return the state after runs that are killed anywhere, while tickets change."""
    shop = sandbox.shop
    catalog = everything(config)
    state: dict[str, Any] = {}
    for _ in range(chance.randrange(1, 4)):
        for _ in range(chance.randrange(4)):
            shop.advance(chance.choice([1, 3600, 90_000]))
            shop.tickets.update(chance.choice(shop.tickets.ids()))
        output = run(config, catalog=catalog, state=state)
        end = chance.choice([None, chance.randrange(1, len(output.messages))])
        state = Output(output.messages[:end]).state
    return state


@pytest.mark.parametrize("seed", range(8))
def test_a_stopped_refresh_replaces_any_state(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run after it loses nothing, and reads what the refresh left."""
    monkeypatch.setattr(PAGES, PAGE_ROWS)
    chance = random.Random(seed)  # noqa: S311 (to be repeated)
    with Sandbox(shop_of(seed)) as sandbox:
        config = {
            **sandbox.config,
            "statistics": ["tickets_created"],
            "ticket_messages_settle_hours": chance.choice([0, 24]),
            "start_date": chance.choice([None, "2026-09-01"]),
            "parallel_streams": chance.choice([1, 6]),
        }
        old = interrupted_history(sandbox, config, chance)
        whole = run(config, catalog=everything(config))
        for _ in range(6):
            refresh = Output(whole.messages[: chance.randrange(1, len(whole.messages))])

            state = merged(refresh.state, old)

            assert state == refresh.state
        again = run(config, catalog=everything(config), state=state)
        for stream in whole.schemas:
            read = {*keys_of(refresh, stream), *keys_of(again, stream)}
            assert read == set(keys_of(whole, stream)), stream


def keys_of(output: Output, stream: str) -> list[str]:
    """Return the primary keys of the records of a stream."""
    return [
        f"{row.get('view_id')} {row.get('id', row.get('domain'))}"
        for row in output.records(stream)
    ]


def test_a_whole_run_and_a_stopped_one_can_be_merged_in_any_order(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither leaves a null where the other has an object, with which Meltano fails."""
    monkeypatch.setattr(PAGES, PAGE_ROWS)
    states = run(sandbox.config, catalog=everything()).states
    for state in states:
        assert merged(state, states[-1]) == state
        assert merged(states[-1], state) == states[-1]

    with pytest.raises(TypeError):
        _ = [
            merged(state, without_empty_walks(states[-1]))
            for state in map(without_empty_walks, states)
        ]


@pytest.mark.parametrize("is_careless", [False, True])
def test_a_key_that_is_left_out_would_lose_rows(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, *, is_careless: bool
) -> None:
    """The old cursor would survive beside the new bookmark: this tests the test.

    A cursor that leads past rows is discarded, but only if their dates show it.
    """
    monkeypatch.setattr(PAGES, PAGE_ROWS)
    monkeypatch.setattr(walks, "_resumed", lambda pages, at: proven(pages, at.cursor))
    stream = "voice_call_events"
    first = run(sandbox.config, stream).state
    sandbox.faults.add(Fault.error(401), "/api/phone/*", after=1)
    with pytest.raises(PartialRun) as failure:
        run(sandbox.config, stream)
    refresh = failure.value.output

    if is_careless:
        state = merged(without_nulls(refresh.state), without_nulls(first))
    else:
        state = merged(refresh.state, first)
    again = run(sandbox.config, stream, state=state)

    lost = set(sandbox.shop.voice_call_events.ids()) - {
        *refresh.ids(stream),
        *again.ids(stream),
    }
    assert bool(lost) is is_careless


@pytest.fixture
def shop() -> Shop:
    """A shop with several pages of calls and their events."""
    return Shop(seed=6, tickets=30, customers=20)
