"""Whatever is in an answer: rows that load, or words. And nothing is lost by it."""

from __future__ import annotations

import functools
import itertools
import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_gorgias.stream_types.paged import PagedStream
from tap_gorgias.streams import STREAMS
from tests.fuzz.promise import CUSTOMERS_WORDS, kept
from tests.fuzz.rubbish import ODDITIES, RAW, places, put, text_of
from tests.fuzz.runs import examples
from tests.sandbox import Fault, Sandbox, Shop
from tests.sandbox.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS = 12
KEYS = {"id", "domain"}
SHALLOW = [oddity for oddity in ODDITIES if oddity not in RAW.values()]
NAMES = sorted(stream.name for stream in STREAMS)
PARENTS = {"ticket_details": "tickets", "customer_details": "customers"} | {
    "ticket_messages": "tickets",
    "view_items": "views",
}
"""Their rows lead to those of the other streams."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A tiny shop that has pages nonetheless."""
    shop = Shop(seed=3, tickets=ROWS, customers=ROWS, events=ROWS, voice_calls=ROWS)
    with pytest.MonkeyPatch.context() as patch, Sandbox(shop) as sandbox:
        patch.setattr(PagedStream, "page_size", 5)
        yield sandbox


def spoil(
    sandbox: Sandbox, change: Callable[[Any], Any], path: str = "/api/*", **when: int
) -> None:
    """Change the decoded bodies of good answers; the texts may be no JSON."""

    def spoiled(answer: Answer) -> Answer:
        if answer.status != 200:
            return answer
        text = text_of(change(json.loads(answer.content())))
        return Answer(200, body=text.encode())

    sandbox.faults.add(Fault("spoiled", spoiled), path, **when)


def rows_in(body: Any) -> list[Any]:  # noqa: ANN401
    """Return the rows of any answer, as they stand in it."""
    rows = body.get("data") if isinstance(body, dict) else body
    return rows if isinstance(rows, list) else [body]


def streams_of(name: str) -> list[str]:
    """Select a stream, and the one that it hangs on."""
    return [name, *filter(None, [PARENTS.get(name)])]


@functools.cache
def healthy(sandbox: Sandbox, name: str) -> list[dict[str, Any]]:
    """Return what a run without faults brings; the shop never changes."""
    sandbox.faults.clear()
    return kept(sandbox.config, *streams_of(name)).output.records(name)


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**32))
@examples(4)
def test_fields_of_any_kind_stop_no_stream(
    sandbox: Sandbox, name: str, seed: int
) -> None:
    """A row with rubbish in it comes out, with null for what nobody can load."""
    chance = Random(seed)  # noqa: S311 (no secret)

    def change(body: Any) -> Any:  # noqa: ANN401
        for row in rows_in(body):
            for _ in range(3):
                inner = [path for path in places(row) if path and path[0] not in KEYS]
                path = chance.choice(inner)
                row.update(put(row, path, chance.choice(SHALLOW)))
        return body

    sandbox.faults.clear()
    spoil(sandbox, change, times=10_000)

    outcome = kept(sandbox.config, *streams_of(name))

    assert outcome.errors == []
    if name not in {"deletions", *PARENTS}:
        key = "domain" if name == "account" else "id"
        assert {row[key] for row in outcome.output.records(name)} == {
            row[key] for row in healthy(sandbox, name)
        }


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**32))
@examples(8)
def test_after_an_answer_of_any_shape_nothing_is_lost(
    sandbox: Sandbox, name: str, seed: int
) -> None:
    """One answer is rubbish, anywhere in it: the next run makes up for a failure."""
    chance = Random(seed)  # noqa: S311 (no secret)

    def change(body: Any) -> Any:  # noqa: ANN401
        for row in rows_in(body):
            row["subject"] = row["name"] = CUSTOMERS_WORDS
        outer = [path for path in places(body) if len(path) < 3]
        path = chance.choice(outer if chance.random() < 0.7 else list(places(body)))
        return put(body, path, chance.choice(ODDITIES))

    sandbox.faults.clear()
    streams = streams_of(name)
    spoil(sandbox, change, after=chance.randrange(4))

    outcome = kept(sandbox.config, *streams)
    sandbox.faults.clear()
    rest = kept(sandbox.config, *streams, state=outcome.output.state)

    assert rest.errors == []
    for line in outcome.errors:
        assert line.split(":")[0] in streams
        assert "/api/" in line
    if outcome.errors:
        assert {_key(row) for row in healthy(sandbox, name)} <= {
            _key(row)
            for output in (outcome.output, rest.output)
            for row in output.records(name)
        }


def _key(row: dict[str, Any]) -> object:
    return row.get("view_id"), row.get("id", row.get("domain"))


ENDLESS: dict[str, Callable[[list[Any], int], list[Any]]] = {
    "empty pages": lambda _, __: [],
    "the same rows": lambda rows, _: rows,
    "rows that go round": lambda rows, number: rows[number % 3 :][:2],
    "empty pages between the same rows": lambda rows, n: [] if n % 2 else rows,
}


@pytest.mark.parametrize("kind", ENDLESS)
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
def test_a_list_without_an_end_is_left(
    sandbox: Sandbox, kind: str, name: str, path: str
) -> None:
    """Each page has a cursor never seen before, and none has a new row."""
    numbers = itertools.count()
    first: list[Any] = []

    def endless(body: Any) -> Any:  # noqa: ANN401
        number = next(numbers)
        first[:] = first or body["data"]
        cursor = f"fresh-{number}"
        address = f"/api/views/1/items?cursor={cursor}"
        meta = {"next_cursor": cursor, "next_items": address}
        return {"data": ENDLESS[kind](first, number), "meta": meta}

    sandbox.faults.clear()
    answer = Answer(200, {"data": [], "meta": {}})
    fault = Fault("any", lambda given: given if given.status == 200 else answer)
    sandbox.faults.add(
        Fault(
            "endless",
            lambda given: Answer(
                200, endless(json.loads(fault.spoil(given).content()))
            ),
        ),
        path,
        times=10_000,
    )
    sandbox.reset_counters()

    outcome = kept(sandbox.config, *streams_of(name))

    assert len(outcome.errors) == 1
    assert outcome.errors[0].startswith(f"{name}: /api/")
    assert outcome.errors[0].endswith("so the list would never end.")
    assert sandbox.count() < 250
