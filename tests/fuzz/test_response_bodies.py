"""Any response body results in valid rows or a clear error, and loses no row."""

from __future__ import annotations

import functools
import itertools
import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_gorgias.stream_types.stream import GorgiasStream
from tap_gorgias.streams import STREAMS
from tests.fuzz.examples import examples
from tests.fuzz.invariants import CUSTOMER_TEXT, run_and_check
from tests.fuzz.values import RAW, UNUSUAL_VALUES, paths, replaced, to_json
from tests.sandbox import Fault, Sandbox, Shop
from tests.sandbox.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS = 12
KEYS = {"id", "domain"}
UNUSUAL_FIELDS = [value for value in UNUSUAL_VALUES if value not in RAW.values()]
NAMES = sorted(stream.name for stream in STREAMS)
PARENTS = {"ticket_details": "tickets", "customer_details": "customers"} | {
    "ticket_messages": "tickets",
    "view_items": "views",
}
"""The parent stream of each child stream."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A small shop whose lists have several pages."""
    shop = Shop(seed=3, tickets=ROWS, customers=ROWS, events=ROWS, voice_calls=ROWS)
    with pytest.MonkeyPatch.context() as patch, Sandbox(shop) as sandbox:
        patch.setattr(GorgiasStream, "page_size", 5)
        yield sandbox


def change_bodies(
    sandbox: Sandbox, change: Callable[[Any], Any], path: str = "/api/*", **when: int
) -> None:
    """Change the decoded bodies of successful responses, even to invalid JSON."""

    def changed(answer: Answer) -> Answer:
        if answer.status != 200:
            return answer
        text = to_json(change(json.loads(answer.content())))
        return Answer(200, body=text.encode())

    sandbox.faults.add(Fault("changed", changed), path, **when)


def rows_in(body: Any) -> list[Any]:  # noqa: ANN401
    """Return the rows of a response, which may be the body itself."""
    rows = body.get("data") if isinstance(body, dict) else body
    return rows if isinstance(rows, list) else [body]


def streams_of(name: str) -> list[str]:
    """Return the names of a stream and of the stream that it depends on."""
    return [name, *filter(None, [PARENTS.get(name)])]


@functools.cache
def rows_without_faults(sandbox: Sandbox, name: str) -> list[dict[str, Any]]:
    """Return the rows of a run without faults. They are always the same."""
    sandbox.faults.clear()
    return run_and_check(sandbox.config, *streams_of(name)).output.records(name)


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**32))
@examples(4)
def test_invalid_fields_do_not_end_a_run(
    sandbox: Sandbox, name: str, seed: int
) -> None:
    """Every row is emitted, with null for values that cannot be loaded."""
    chance = Random(seed)  # noqa: S311 (no secret)

    def change(body: Any) -> Any:  # noqa: ANN401
        for row in rows_in(body):
            for _ in range(3):
                inner = [path for path in paths(row) if path and path[0] not in KEYS]
                path = chance.choice(inner)
                row.update(replaced(row, path, chance.choice(UNUSUAL_FIELDS)))
        return body

    sandbox.faults.clear()
    change_bodies(sandbox, change, times=10_000)

    outcome = run_and_check(sandbox.config, *streams_of(name))

    assert outcome.errors == []
    if name not in {"deletions", *PARENTS}:
        key = "domain" if name == "account" else "id"
        assert {row[key] for row in outcome.output.records(name)} == {
            row[key] for row in rows_without_faults(sandbox, name)
        }


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**32))
@examples(8)
def test_an_invalid_response_loses_no_row(
    sandbox: Sandbox, name: str, seed: int
) -> None:
    """If an invalid value ends the run, the next run reads the remaining rows."""
    chance = Random(seed)  # noqa: S311 (no secret)

    def change(body: Any) -> Any:  # noqa: ANN401
        for row in rows_in(body):
            row["subject"] = row["name"] = CUSTOMER_TEXT
        outer = [path for path in paths(body) if len(path) < 3]
        path = chance.choice(outer if chance.random() < 0.7 else list(paths(body)))
        return replaced(body, path, chance.choice(UNUSUAL_VALUES))

    sandbox.faults.clear()
    streams = streams_of(name)
    change_bodies(sandbox, change, after=chance.randrange(4))

    outcome = run_and_check(sandbox.config, *streams)
    sandbox.faults.clear()
    rest = run_and_check(sandbox.config, *streams, state=outcome.output.state)

    assert rest.errors == []
    for line in outcome.errors:
        assert line.split(":")[0] in streams
        assert "/api/" in line
    if outcome.errors:
        assert {_key(row) for row in rows_without_faults(sandbox, name)} <= {
            _key(row)
            for output in (outcome.output, rest.output)
            for row in output.records(name)
        }


def _key(row: dict[str, Any]) -> object:
    return row.get("view_id"), row.get("id", row.get("domain"))


ENDLESS_PAGES: dict[str, Callable[[list[Any], int], list[Any]]] = {
    "empty pages": lambda _, __: [],
    "the same rows": lambda rows, _: rows,
    "rotating rows": lambda rows, number: rows[number % 3 :][:2],
    "the same rows between empty pages": lambda rows, n: [] if n % 2 else rows,
}


@pytest.mark.parametrize("kind", ENDLESS_PAGES)
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("tags", "/api/tags"),
        ("tickets", "/api/tickets"),
        ("events", "/api/events"),
        ("deletions", "/api/events"),
        ("voice_call_events", "/api/phone/voice-call-events"),
        ("ticket_messages", "/api/messages"),
        ("view_items", "/api/views/*/items"),
    ],
)
def test_reading_an_endless_list_ends_with_an_error(
    sandbox: Sandbox, kind: str, name: str, path: str
) -> None:
    """After some pages, a cursor leads back to the first."""
    numbers = itertools.count()
    first: list[Any] = []

    def endless_page(body: Any) -> Any:  # noqa: ANN401
        number = next(numbers)
        first[:] = first or body["data"]
        cursor = f"cursor-{number % 7}"
        address = f"/api/views/1/items?cursor={cursor}"
        meta = {"next_cursor": cursor, "next_items": address}
        return {"data": ENDLESS_PAGES[kind](first, number), "meta": meta}

    sandbox.faults.clear()
    answer = Answer(200, {"data": [], "meta": {}})
    fault = Fault("any", lambda given: given if given.status == 200 else answer)
    sandbox.faults.add(
        Fault(
            "endless",
            lambda given: Answer(
                200, endless_page(json.loads(fault.spoil(given).content()))
            ),
        ),
        path,
        times=10_000,
    )
    sandbox.reset_counters()

    outcome = run_and_check(sandbox.config, *streams_of(name))

    assert len(outcome.errors) == 1
    assert outcome.errors[0].startswith(f"{name}: /api/")
    assert "the list would never end." in outcome.errors[0]
    assert sandbox.count() < 250
