"""A first sync emits everything once, in a form that targets can load."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.records.masking import mask_at
from tap_gorgias.replication.bookmarks import NO_WALK
from tap_gorgias.streams import STREAMS
from tests.sandbox import Fault, Sandbox, Shop
from tests.support.runs import PartialRun, catalog_of, run

if TYPE_CHECKING:
    from collections.abc import Iterator

FEEDS = ("customers", "events", "messages", "satisfaction_surveys", "tickets")
COLLECTIONS = (*FEEDS, "tags", "teams", "users")
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A shop in which every list takes several pages."""
    shop = Shop(
        seed=11, tickets=350, customers=260, events=730, satisfaction_surveys=130
    )
    with Sandbox(shop) as sandbox:
        yield sandbox


def rows_of(sandbox: Sandbox, stream: str) -> dict[int, dict[str, Any]]:
    """Return the shop's rows by id."""
    return {row["id"]: row for row in getattr(sandbox.shop, stream).rows()}


@pytest.mark.parametrize("stream", COLLECTIONS)
def test_every_row_is_emitted_once(sandbox: Sandbox, stream: str) -> None:
    """No row is lost between two pages, and none is read twice."""
    ids = run(sandbox.config, stream).ids(stream)

    assert len(ids) == len(set(ids))
    assert set(ids) == set(rows_of(sandbox, stream))


@pytest.mark.parametrize("stream", COLLECTIONS)
def test_every_field_is_emitted_unchanged(sandbox: Sandbox, stream: str) -> None:
    """Only the format of date-times changes, and credentials are masked."""
    rows = rows_of(sandbox, stream)
    (masks,) = (one.masks for one in STREAMS if one.name == stream)

    for record in run(sandbox.config, stream).records(stream):
        row = rows[record["id"]]
        for path in masks:
            row = mask_at(path, row)

        assert set(record) == set(row)
        assert {k: v for k, v in record.items() if not _holds_dates(k, v)} == {
            k: v for k, v in row.items() if not _holds_dates(k, v)
        }


def _holds_dates(name: str, value: Any) -> bool:  # noqa: ANN401
    return name.endswith("datetime") or "datetime" in str(value)


def test_the_account_is_one_record(sandbox: Sandbox) -> None:
    """The account is not a list, and its key is the domain."""
    (account,) = run(sandbox.config, "account").records("account")

    assert account["domain"] == "acme"
    assert account["settings"]


@pytest.mark.parametrize("stream", [*COLLECTIONS, "account"])
def test_dates_have_one_form_at_every_depth(sandbox: Sandbox, stream: str) -> None:
    """All declared date-times are in UTC with six digits and a Z."""
    output = run(sandbox.config, stream)
    schema = output.schemas[stream]["schema"]
    dates = [
        value
        for record in output.records(stream)
        for value in _dates(schema, record, "")
        if value is not None
    ]

    assert dates or stream == "tags"
    assert [date for date in dates if not DATE_TIME.fullmatch(date)] == []


def _dates(schema: dict[str, Any], value: Any, name: str) -> Iterator[Any]:  # noqa: ANN401
    if name.endswith("_datetime"):
        yield value
    elif isinstance(value, dict):
        for key, nested in schema.get("properties", {}).items():
            yield from _dates(nested, value.get(key), key)
    elif isinstance(value, list):
        for item in value:
            yield from _dates(schema["items"], item, name)


def test_without_a_catalog_the_default_selection_is_read(sandbox: Sandbox) -> None:
    """The default selection suits new users."""
    selected = set(run(sandbox.config).schemas)

    assert selected == {stream.name for stream in STREAMS} - {
        "customer_details",
        "messages",
        "ticket_details",
        "view_items",
    }


def test_each_schema_is_written_once_and_before_its_records(sandbox: Sandbox) -> None:
    """Some targets flush at each SCHEMA."""
    seen = []
    for message in run(sandbox.config).messages:
        if message["type"] == "SCHEMA":
            assert message["stream"] not in seen
            seen.append(message["stream"])
        if message["type"] == "RECORD":
            assert message["stream"] in seen


def test_a_first_sync_costs_one_request_per_hundred_rows(sandbox: Sandbox) -> None:
    """Tickets, messages, customers, events and surveys take the minimum of requests."""
    sandbox.reset_counters()
    output = run(sandbox.config, *FEEDS)
    minimum = sum(math.ceil(len(output.records(stream)) / 100) for stream in FEEDS)

    assert sandbox.count() <= 1.02 * minimum + len(FEEDS)


def test_every_request_asks_for_full_pages_in_a_stable_order(sandbox: Sandbox) -> None:
    """A cursor is sent together with the limit and the order."""
    sandbox.reset_counters()
    run(sandbox.config, *FEEDS)

    for request in sandbox.requests:
        assert request.query["limit"] == ["100"]
        assert request.query["order_by"][0].endswith((":asc", ":desc"))


def test_bookmarks_are_the_greatest_values_seen(sandbox: Sandbox) -> None:
    """They never depend on the local clock."""
    output = run(sandbox.config, *FEEDS)

    for stream in FEEDS:
        entry = output.bookmark(stream)
        values = [record[entry["replication_key"]] for record in output.records(stream)]
        assert entry["replication_key_value"] == max(values)
        assert entry.get("walk", NO_WALK) == NO_WALK


@pytest.mark.parametrize("stream", FEEDS)
def test_nothing_older_than_the_start_date_is_read(
    sandbox: Sandbox, stream: str
) -> None:
    """A first sync ends at `start_date` and saves the requests for older rows."""
    full = run(sandbox.config, stream)
    key = full.bookmark(stream)["replication_key"]
    start = sorted(record[key] for record in full.records(stream))[-90]
    sandbox.reset_counters()

    partial = run({**sandbox.config, "start_date": start}, stream)

    assert {record[key] >= start for record in partial.records(stream)} == {True}
    assert len(partial.records(stream)) == sum(
        record[key] >= start for record in full.records(stream)
    )
    assert sandbox.count() == 1


def test_event_types_are_filtered_by_gorgias(sandbox: Sandbox) -> None:
    """Other events cost no requests."""
    every = run(sandbox.config, "events").records("events")
    requested = sorted({event["type"] for event in every})[:2]
    sandbox.reset_counters()

    events = run({**sandbox.config, "event_types": requested}, "events").records(
        "events"
    )

    assert {event["type"] for event in events} == set(requested)
    assert sandbox.requests[0].query["types"] == requested


@pytest.mark.parametrize(
    ("given", "warnings"), [("ticket-split", 1), ("ticket-created", 0)]
)
def test_event_types_without_an_event_are_warned_of(
    sandbox: Sandbox, given: str, warnings: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Gorgias may not refuse a misspelt name, so the table would just stay empty."""
    config = {**sandbox.config, "event_types": [given]}
    first = run(config, "events")
    run(config, "events", state=first.state)

    assert bool(first.ids("events")) is not bool(warnings)
    assert caplog.text.count("returned no events of the types") == 2 * warnings


def test_event_types_that_gorgias_refuses_fail_the_stream(sandbox: Sandbox) -> None:
    """Its message lists the valid types, as many as an error quotes."""
    with pytest.raises(PartialRun) as failed:
        run({**sandbox.config, "event_types": ["ticket-close"]}, "events")
    assert "types: Must be one of: account-created, " in str(failed.value.__cause__)


def test_trashed_tickets_are_emitted(sandbox: Sandbox) -> None:
    """No parameter is needed; `archived=true` of other lists excludes active rows."""
    sandbox.reset_counters()

    tickets = run(sandbox.config, "tickets").records("tickets")

    assert len(tickets) == len(sandbox.shop.tickets)
    assert any(ticket["trashed_datetime"] for ticket in tickets)
    assert not any("trashed" in one.query for one in sandbox.requests)


def test_keys_are_emitted_with_a_catalog_without_keys(sandbox: Sandbox) -> None:
    """Otherwise a target would append rows instead of updating them."""
    catalog = catalog_of("tickets", "tags")
    for entry in catalog["streams"]:
        entry.pop("key_properties")
        entry.pop("replication_key", None)
        for metadata in entry["metadata"]:
            metadata["metadata"].pop("table-key-properties", None)

    output = run(sandbox.config, catalog=catalog)

    assert output.schemas["tickets"]["key_properties"] == ["id"]
    assert output.bookmark("tickets")["replication_key"] == "updated_datetime"


def test_properties_can_be_deselected(sandbox: Sandbox) -> None:
    """Selection works as in any tap."""
    catalog = catalog_of("customers")
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if metadata["breadcrumb"] == ["properties", "email"]:
                metadata["metadata"]["selected"] = False

    output = run(sandbox.config, catalog=catalog)

    assert "email" not in output.records("customers")[0]
    assert "email" not in output.schemas["customers"]["schema"]["properties"]


@pytest.mark.parametrize("part", ["name", "meta"])
def test_parts_of_properties_can_be_deselected(sandbox: Sandbox, part: str) -> None:
    """A catalog may name nested properties, declared or free-form."""
    catalog = catalog_of("tickets")
    breadcrumb = ["properties", "customer", "properties", part]
    entry = next(e for e in catalog["streams"] if e["tap_stream_id"] == "tickets")
    entry["metadata"].append(
        {"breadcrumb": breadcrumb, "metadata": {"selected": False}}
    )

    output = run(sandbox.config, catalog=catalog)

    customers = [row["customer"] for row in output.records("tickets")]
    assert all("email" in customer for customer in customers if customer)
    assert not any(part in customer for customer in customers if customer)


def test_a_property_that_the_catalog_lacks_is_not_emitted(sandbox: Sandbox) -> None:
    """A record contains only what the SCHEMA declares."""
    catalog = catalog_of("customers")
    for entry in catalog["streams"]:
        entry["schema"]["properties"].pop("email", None)

    output = run(sandbox.config, catalog=catalog)

    assert "email" not in output.records("customers")[0]


def test_a_list_without_an_envelope_is_read(sandbox: Sandbox) -> None:
    """Some lists are documented as bare arrays."""
    sandbox.faults.add(Fault.rewrite(lambda body: body["data"]), "/api/users")

    users = run(sandbox.config, "users").ids("users")

    assert set(users) == set(rows_of(sandbox, "users"))
