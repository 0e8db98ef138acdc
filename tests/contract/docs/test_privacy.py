"""The levels of masking and the erasure, made from the marks in the schemas."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.streams import STREAMS
from tests.sandbox import Sandbox, Shop
from tests.support import personal
from tests.support.documents import assert_generated, blocks
from tests.support.personal import AGENT, EMAIL, PLANTED, TEXT, found_in
from tests.support.runs import everything, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.runs import Output

ALL = [stream.name for stream in STREAMS]
NO_TEXTS = personal.level(["text"])
NO_PERSONS = personal.level(["text", "person"])


def test_the_pages_are_made_from_the_marks() -> None:
    """A new column appears on the pages, and is masked by the examples."""
    assert_generated("columns", personal.rows_of_table())
    assert_generated("no texts", personal.written(NO_TEXTS))
    assert_generated("no persons", personal.written(NO_PERSONS))
    assert_generated("erasure", personal.erasure())


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A small shop, with a person in every object."""
    shop = Shop(seed=17, tickets=40, customers=30, events=40, voice_calls=12)
    personal.plant(shop)
    with Sandbox(shop) as sandbox:
        yield sandbox


def load(sandbox: Sandbox, settings: dict[str, Any]) -> Output:
    """Read everything, fields included that are off by default."""
    return run({**sandbox.config, **settings}, catalog=everything())


@pytest.fixture(scope="module")
def plain(sandbox: Sandbox) -> Output:
    """The output without stream maps."""
    return load(sandbox, {})


@pytest.fixture(scope="module")
def masked(sandbox: Sandbox) -> Output:
    """The output of the level without persons."""
    return load(sandbox, NO_PERSONS)


def test_everything_is_planted(plain: Output) -> None:
    """The search for what must not appear can fail."""
    assert found_in(json.dumps(plain.messages)) == {*PLANTED, AGENT, TEXT}
    for stream in ALL:
        marked = set(personal.columns(stream))
        holds = {
            name
            for row in plain.records(stream)
            for name, value in row.items()
            if found_in(json.dumps(value))
        }
        assert holds <= marked, stream


def test_no_person_leaves_the_tap(masked: Output) -> None:
    """Neither a name nor an address, a number or a text."""
    assert set(masked.schemas) == set(ALL)
    assert found_in(json.dumps(masked.messages, ensure_ascii=False)) == set()


def test_no_text_leaves_the_tap(sandbox: Sandbox) -> None:
    """Names, addresses and ids stay."""
    output = load(sandbox, NO_TEXTS)

    for stream in ALL:
        texts = set(personal.columns(stream, ["text"]))
        assert not any(texts & row.keys() for row in output.records(stream))
    [customer] = [row for row in output.records("customers") if row["email"] == EMAIL]
    assert customer["name"]
    assert any(row["sender"] for row in output.records("ticket_messages"))


def test_masked_tables_can_still_be_joined(sandbox: Sandbox, masked: Output) -> None:
    """A customer has the same hash in every table, and in those of the shop."""
    salt = NO_PERSONS["stream_map_config"]["salt"]
    hashes = {row["id"]: row["email"] for row in masked.records("customers")}
    address = hashlib.sha256(f"{salt}{EMAIL.lower()}".encode()).hexdigest()

    assert address in hashes.values()
    for row in sandbox.shop.customers.rows():
        digest = hashlib.sha256(f"{salt}{(row['email'] or '').lower()}".encode())
        assert hashes[row["id"]] == (digest.hexdigest() if row["email"] else None)
    for ticket in masked.records("tickets"):
        customer = sandbox.shop.tickets.row(ticket["id"])["customer"]
        if customer:
            assert ticket["customer_id"] == customer["id"]
            assert ticket["customer_email"] == hashes[customer["id"]]
    senders = [row["sender_email"] for row in masked.records("ticket_messages")]
    assert address in senders
    types = masked.schemas["tickets"]["schema"]["properties"]
    assert types["customer_id"]["type"] == ["integer", "null"]


def sqlite(output: Output) -> sqlite3.Connection:
    """Load rows into tables of a database in memory."""
    database = sqlite3.connect(":memory:")
    database.execute("ATTACH ':memory:' AS gorgias")
    for stream, message in output.schemas.items():
        names = list(message["schema"]["properties"])
        listed = ", ".join(f'"{name}"' for name in names)
        database.execute(f'CREATE TABLE gorgias."{stream}" ({listed})')
        database.executemany(
            f'INSERT INTO gorgias."{stream}" VALUES ({", ".join("?" * len(names))})',  # noqa: S608
            [
                [
                    json.dumps(value) if isinstance(value, (dict, list)) else value
                    for value in map(row.get, names)
                ]
                for row in output.records(stream)
            ],
        )
    return database


def dump(database: sqlite3.Connection) -> str:
    """Return all rows of the tables that can contain data of a customer."""
    tables = ["customers", "customer_details", *personal.OF_CUSTOMER]
    return json.dumps(
        [
            database.execute(f"SELECT * FROM gorgias.{table}").fetchall()  # noqa: S608
            for table in tables
        ]
    )


@pytest.mark.parametrize("way", ["deletion", "address"])
def test_a_customer_can_be_erased(sandbox: Sandbox, plain: Output, way: str) -> None:
    """Found by the event of the deletion, or by the address in any case."""
    statements = [one for one in blocks("sql") if "erased_customers" in one]
    by_deletion, by_address, find, empty = statements
    begin = by_deletion if way == "deletion" else by_address
    customer = next(
        row["id"] for row in sandbox.shop.customers.rows() if row["email"] == EMAIL
    )
    with closing(sqlite(plain)) as database:
        count = "SELECT count(*) FROM gorgias.tickets"
        before = database.execute(count).fetchone()
        names = "id, type, object_type, object_id"
        database.execute(
            f"INSERT INTO gorgias.deletions ({names}) VALUES (?, ?, ?, ?)",  # noqa: S608
            [1, "customer-deleted", "Customer", customer],
        )
        for script in (begin.replace("jane@example.com", EMAIL.lower()), find, empty):
            database.executescript(script)

        assert found_in(dump(database)) <= {AGENT}
        assert database.execute(count).fetchone() == before
        others = database.execute("SELECT count(*) FROM gorgias.customers").fetchone()
        assert others[0] >= len(plain.records("customers")) - 5
        kept = (
            "SELECT count(*) FROM gorgias.ticket_messages WHERE body_text IS NOT NULL"
        )
        assert database.execute(kept).fetchone()[0] > 20
