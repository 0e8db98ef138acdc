"""Statistics: requests follow the documentation, and no row is missing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias import timestamps
from tap_gorgias.streams.statistics import StatisticsStream
from tests.sandbox import Fault, Sandbox, Shop
from tests.sandbox.scopes import SCOPES
from tests.support.fake_clock import FakeClock
from tests.support.runs import PartialRun
from tests.support.statistics_runs import (
    ALL_BY_WEEK,
    CREATED,
    PATH,
    read,
    requested_queries,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Callable

HALF_A_YEAR = "2026-05-01"
WORKLOAD = {
    "name": "workload",
    "scope": "workload-tickets",
    "measures": ["ticketCount"],
    "granularity": "month",
}


@pytest.fixture
def shop() -> Shop:
    """A shop with half a year of history."""
    return Shop(seed=13, tickets=300, voice_calls=60)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings of the tap."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and record.name.startswith("tap-gorgias")
    ]


@pytest.mark.parametrize("name", SCOPES)
def test_each_scope_is_counted_by_its_own_date(sandbox: Sandbox, name: str) -> None:
    """Scopes without a public date have none."""
    scope = SCOPES[name]
    query: dict[str, Any] = {
        "name": "one",
        "scope": name,
        "measures": list(scope.measures[:1]),
        "dimensions": list(scope.dimensions[:2]),
        "granularity": "month",
    }
    if scope.required:
        one_of = {"operator": "one-of", "values": ["319825"]}
        query["filters"] = [{"member": scope.required, **one_of}]

    output = read(sandbox, query, start_date=HALF_A_YEAR)

    assert {one.status for one in sandbox.requests} == {200}
    rows = output.records("statistics_one")
    assert len({row["period_start"] for row in rows}) > 5
    times = [one.get("time_dimensions") for one in requested_queries(sandbox)]
    by_month = {"dimension": scope.time, "granularity": "month"}
    assert all(one == ([by_month] if scope.time else None) for one in times)


def _cut(rows: int, *, keep_total: bool) -> Callable[[Any], Any]:
    def cut(body: Any) -> Any:  # noqa: ANN401
        meta = {"next_cursor": None}
        if keep_total:
            meta["total"] = body["meta"]["total"]
        return {**body, "data": body["data"][:rows], "meta": meta}

    return cut


@pytest.mark.parametrize("missing", ["shown by the total", "shown by a full page"])
def test_a_truncated_answer_is_requested_again_in_halves(
    sandbox: Sandbox, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same rows are emitted as without truncation."""
    whole = read(sandbox, "tickets_created")
    by_total = missing == "shown by the total"
    if not by_total:
        monkeypatch.setattr(StatisticsStream, "page_size", 30)
    fault = Fault.rewrite(_cut(30, keep_total=by_total))
    sandbox.faults.add(fault, PATH, times=9_999)

    output = read(sandbox, "tickets_created")

    assert sorted(output.ids(CREATED)) == sorted(whole.ids(CREATED))
    assert not any("cursor" in one.query for one in sandbox.requests)
    assert not any("order" in one for one in requested_queries(sandbox))
    marks = [one.bookmark(CREATED)["replication_key_value"] for one in (whole, output)]
    assert marks == sorted(marks)


def test_a_truncated_single_period_fails_the_stream(sandbox: Sandbox) -> None:
    """The position does not move past it."""
    newest = max(t["created_datetime"] for t in sandbox.shop.tickets.rows())
    day = timestamps.render(timestamps.parse(newest[:10]))
    whole = read(sandbox, "tickets_created", start_date="2026-10-01")

    def cut(body: Any) -> Any:  # noqa: ANN401
        is_newest = any(row["createdDatetime"][:10] == day[:10] for row in body["data"])
        return _cut(0, keep_total=True)(body) if is_newest else body

    sandbox.faults.add(Fault.rewrite(cut), PATH, times=9_999)

    with pytest.raises(PartialRun) as failed:
        read(sandbox, "tickets_created", start_date="2026-10-01")

    assert str(failed.value.__cause__) == (
        "statistics_tickets_created: /api/reporting/stats failed: the response for a "
        "single day does not hold all of its rows. Ask for fewer dimensions or a finer "
        "granularity."
    )
    bookmark = failed.value.output.bookmark(CREATED)["replication_key_value"]
    assert bookmark < day <= whole.bookmark(CREATED)["replication_key_value"]
    found = {row["period_start"] for row in failed.value.output.records(CREATED)}
    assert max(found) < bookmark


def test_an_answer_that_is_not_ready_is_waited_for(sandbox: Sandbox) -> None:
    """202 does not count as a failure, and its rows are ignored."""
    sandbox.faults.add(Fault.not_ready(), PATH, times=7)
    clock = FakeClock()

    output = read(sandbox, ALL_BY_WEEK, start_date="2026-10-01", clock=clock)

    for slept, least in zip(clock.sleeps, (1, 2, 4, 8, 16, 32, 60), strict=True):
        assert least <= slept <= least + 1
    assert len(sandbox.requests) == 8
    assert len({one.body for one in sandbox.requests}) == 1
    assert output.records("statistics_by_week")


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_a_scope_without_a_public_date_takes_a_request_per_period(
    sandbox: Sandbox, zone: str
) -> None:
    """Each answer contains only the rows of its period."""
    output = read(sandbox, WORKLOAD, start_date="2026-05-02", statistics_timezone=zone)

    rows = output.records("statistics_workload")
    assert len(sandbox.requests) == len(rows) == 7
    assert total(rows) == 300
    periods = [
        tuple(one["values"][0] for one in query["filters"])
        for query in requested_queries(sandbox)
    ]
    assert periods[0] == ("2026-05-01T00:00:00", "2026-05-31T23:59:59")
    assert periods[-1] == ("2026-11-01T00:00:00", "2026-11-30T23:59:59")
    starts = [timestamps.parse(first, zone) for first, _ in periods]
    assert [row["period_start"] for row in rows] == [*map(timestamps.render, starts)]


def test_a_scope_without_a_public_date_has_a_look_back(sandbox: Sandbox) -> None:
    """It covers recent days and the unfinished one."""
    query = {**WORKLOAD, "granularity": "day", "dimensions": ["channel"]}
    first = read(sandbox, query, start_date="2026-10-20")
    assert len(sandbox.requests) == 14
    sandbox.reset_counters()

    second = read(sandbox, query, state=first.state, statistics_lookback_days=3)

    newest = first.bookmark("statistics_workload")["replication_key_value"]
    behind = timestamps.parse("2026-11-02") - timestamps.parse(newest)
    assert len(sandbox.requests) == 3 + behind.days + 1
    assert second.state == first.state


def test_statistics_can_be_filtered_by_tags_and_custom_fields(sandbox: Sandbox) -> None:
    """The operators are inside the values."""
    tickets = list(sandbox.shop.tickets.rows())
    tag = next(row["tags"][0]["id"] for row in tickets if row["tags"])
    field = next(f for row in tickets for f in row["custom_fields"].values())
    one_of = {"operator": "one-of", "values": [tag]}
    of_field = {"operator": "one-of", "values": [field["value"]]}
    queries = (
        {
            **ALL_BY_WEEK,
            "name": "tagged",
            "filters": [{"member": "tags", "values": [one_of]}],
        },
        {
            **ALL_BY_WEEK,
            "name": "same",
            "filters": [
                {
                    "member": "customFields",
                    "values": [{**of_field, "custom_field_id": field["id"]}],
                }
            ],
        },
    )

    output = read(sandbox, *queries, start_date=HALF_A_YEAR)

    tagged = [row for row in tickets if tag in [one["id"] for one in row["tags"]]]
    same = [row for row in tickets if field in row["custom_fields"].values()]
    assert total(output.records("statistics_tagged")) == len(tagged) > 0
    assert total(output.records("statistics_same")) == len(same) > 0
