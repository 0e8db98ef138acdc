"""Statistics: refusals, odd figures and warnings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox import Fault, Sandbox, Shop
from tests.support.runs import PartialRun, catalog_of, run
from tests.support.statistics_runs import ALL_BY_WEEK, CREATED, PATH, config_of, read


@pytest.fixture
def shop() -> Shop:
    """A shop with half a year of history."""
    return Shop(seed=12, tickets=100)


@pytest.mark.parametrize("status", [403, 404, 500])
def test_an_unavailable_scope_is_reported_in_one_warning(
    sandbox: Sandbox, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The run continues, and the position does not move."""
    sandbox.faults.add(Fault.error(status), PATH, times=10 if status == 500 else 1)

    output = read(sandbox, "tags", "tickets_created", parallel_streams=1)

    assert output.records("statistics_tags") == []
    assert output.records(CREATED)
    assert output.bookmark("statistics_tags")["replication_key_value"] is None
    (warning,) = [one for one in caplog.messages if "No rows, " in one]
    assert warning == (
        f"statistics_tags: No rows, answered {status}: the plan lacks the scope "
        "`tags`, or the permission `statistics:read` is missing. Grant it, or remove "
        "the query."
    )


def test_an_invalid_member_ends_the_run(sandbox: Sandbox) -> None:
    """The error lists the valid members, which Gorgias names."""
    query = {**ALL_BY_WEEK, "dimensions": ["teamId"]}
    with pytest.raises(PartialRun) as failed:
        read(sandbox, query)
    error = str(failed.value.__cause__)
    assert error.startswith("statistics_by_week: /api/reporting/stats answered 400: ")
    assert "is not valid. Must be one of: ticketId, agentId, " in error


def test_missing_and_unknown_members_are_reported_once(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Missing ones are null, and the row is kept."""

    def change(body: dict[str, Any]) -> dict[str, Any]:
        for row in body["data"]:
            del row["channel"]
            row["mood"] = "private"
        body["data"][0]["createdDatetime"] = "soon"
        return body

    sandbox.faults.add(Fault.rewrite(change), PATH, times=9)
    output = read(sandbox, "tickets_created", start_date="2026-08-10")

    rows = output.records(CREATED)
    assert {row["channel"] for row in rows} == {None}
    assert [row["period_start"] for row in rows].count(None) == 1
    for warning in (
        "Gorgias does not return `channel`: it is null.",
        "Gorgias returns an unknown property `mood`, which is left out.",
        "Some periods are not valid date-times: they are null.",
    ):
        assert caplog.messages.count(f"{CREATED}: {warning}") == 1
    assert "private" not in caplog.text


@pytest.mark.parametrize("kind", ["no object", "same key"])
def test_a_row_that_the_target_would_lose_makes_the_stream_incomplete(
    sandbox: Sandbox, kind: str
) -> None:
    """A row without an object has no key; of rows with the same key one would stay."""

    def change(body: dict[str, Any]) -> dict[str, Any]:
        same = {**body["data"][1], "ticketCount": 999}
        body["data"][0] = None if kind == "no object" else same
        return body

    sandbox.faults.add(Fault.rewrite(change), PATH)
    with pytest.raises(PartialRun) as failed:
        read(sandbox, "tickets_created", start_date="2026-08-10")
    rows = failed.value.output.records(CREATED)
    assert rows
    assert "***" not in str(rows)
    assert all(row["period_start"] for row in rows)


@pytest.mark.parametrize("text", [True, False])
def test_numbers_may_be_strings(sandbox: Sandbox, *, text: bool) -> None:
    """Ids may be numbers or strings; the key of a row stays the same."""
    plain = read(sandbox, "tickets_created")

    def change(body: dict[str, Any]) -> dict[str, Any]:
        for row in body["data"]:
            row["ticketCount"] = str(row["ticketCount"]) if text else row["ticketCount"]
            row["agentId"] = row["agentId"] and str(row["agentId"])
        return body

    sandbox.faults.add(Fault.rewrite(change), PATH, times=9)
    assert read(sandbox, "tickets_created").records(CREATED) == plain.records(CREATED)


def test_the_key_of_very_long_values_is_short(sandbox: Sandbox) -> None:
    """Indexes of warehouses are limited; two long values still have different keys."""
    query = {
        "name": "values",
        "scope": "ticket-fields",
        "measures": ["ticketCount"],
        "dimensions": ["customFieldValue"],
        "filters": [{"member": "customFieldId", "operator": "one-of", "values": ["1"]}],
    }

    def change(body: dict[str, Any]) -> dict[str, Any]:
        for number, row in enumerate(body["data"]):
            row["customFieldValue"] = "long" * 5_000 + str(number)
        return body

    sandbox.faults.add(Fault.rewrite(change), PATH, times=9)
    rows = read(sandbox, query, start_date="2026-05-01").records("statistics_values")
    assert len({row["id"] for row in rows}) == len(rows) > 1
    assert max(len(row["id"]) for row in rows) <= 255


def test_a_target_keeps_the_table_of_a_stream_without_rows(sandbox: Sandbox) -> None:
    """ACTIVATE_VERSION would drop it, whatever the catalog selects."""
    config = config_of(sandbox, "tags", emit_activate_version_messages=True)
    catalog = catalog_of("statistics_tags", config=config)
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
    sandbox.faults.add(Fault.error(403), PATH)
    kinds = {one["type"] for one in run(config, catalog=catalog).messages}
    assert "ACTIVATE_VERSION" not in kinds
