"""Statistics are complete and up to date for each period of the shop."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from tap_gorgias import timestamps
from tap_gorgias.config.statistics import PRESETS
from tests.sandbox import Fault, Sandbox, Shop
from tests.support.runs import Files, PartialRun, run, run_command
from tests.support.statistics_runs import (
    ALL_BY_WEEK,
    CREATED,
    PATH,
    config_of,
    read,
    requested_queries,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.sandbox.collection import Row


@pytest.fixture
def shop() -> Shop:
    """A shop with half a year of history."""
    return Shop(seed=11, tickets=300)


def local_day(timestamp: str, zone: str) -> str:
    """Return the start of the local day that contains a timestamp."""
    local = timestamps.parse(timestamp).astimezone(ZoneInfo(zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return timestamps.render(midnight.astimezone(ZoneInfo("UTC")))


def tickets(sandbox: Sandbox) -> list[Row]:
    """Return the tickets of the shop."""
    return list(sandbox.shop.tickets.rows())


@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris", "America/New_York"])
def test_tickets_created_are_the_tickets_of_the_shop(
    sandbox: Sandbox, zone: str
) -> None:
    """The counts match per local day, agent and channel, and in total."""
    output = read(sandbox, "tickets_created", statistics_timezone=zone)

    expected: Counter[tuple[str, str | None, str]] = Counter()
    for ticket in tickets(sandbox):
        agent = ticket["assignee_user"] and str(ticket["assignee_user"]["id"])
        day = local_day(ticket["created_datetime"], zone)
        expected[day, agent, ticket["channel"]] += 1
    rows = output.records(CREATED)
    found = {
        (row["period_start"], row["agent_id"], row["channel"]): row["ticket_count"]
        for row in rows
    }
    assert found == expected
    assert sum(found.values()) == 300
    assert len({row["id"] for row in rows}) == len(rows)
    assert {row["timezone"] for row in rows} == {zone}


def test_a_custom_query_has_the_requested_columns(sandbox: Sandbox) -> None:
    """The query is for the median first response per week without dimensions."""
    query = {
        "name": "response_by_week",
        "scope": "first-response-time",
        "measures": ["medianFirstResponseTime"],
        "granularity": "week",
    }
    output = read(sandbox, query)

    seconds = defaultdict(list)
    for number in sandbox.shop.tickets.ids():
        ticket = sandbox.shop.tickets.row(number)
        messages = map(
            sandbox.shop.messages.row, sandbox.shop.messages.of_ticket(number)
        )
        first = next((one for one in messages if one["from_agent"]), None)
        if first and not ticket["from_agent"]:
            answered = timestamps.parse(first["created_datetime"])
            day = local_day(first["created_datetime"], "UTC")
            monday = timestamps.earlier(day, timedelta(days=answered.weekday()))
            waited = answered - timestamps.parse(ticket["created_datetime"])
            seconds[monday].append(waited.total_seconds())
    assert {
        row["period_start"]: row["median_first_response_time"]
        for row in output.records("statistics_response_by_week")
    } == {week: pytest.approx(median(times)) for week, times in seconds.items()}


def test_every_preset_reads_rows_that_fit_its_schema(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Each takes a request per 90 days, which is not refused."""
    output = read(sandbox, *PRESETS, start_date="2026-08-10")

    for preset in PRESETS:
        rows = output.records(f"statistics_{preset}")
        columns = output.schemas[f"statistics_{preset}"]["schema"]["properties"]
        assert rows
        assert all(row.keys() == columns.keys() for row in rows)
    assert [one.status for one in sandbox.requests] == [200] * len(PRESETS)
    assert not [one for one in caplog.records if one.levelname == "WARNING"]


def test_the_second_run_reads_the_look_back_only(sandbox: Sandbox) -> None:
    """Recent figures may still change; older ones are final."""
    first = read(sandbox, "tickets_created", statistics_lookback_days=7)
    assert first.bookmark(CREATED)["replication_key"] == "period_start"
    newest = first.bookmark(CREATED)["replication_key_value"]
    sandbox.reset_counters()
    sandbox.shop.tickets.create()

    second = read(
        sandbox, "tickets_created", state=first.state, statistics_lookback_days=7
    )

    assert len(sandbox.requests) == 1
    days = {row["period_start"] for row in second.records(CREATED)}
    assert min(days) >= timestamps.earlier(newest, timedelta(days=7))
    rows = {row["id"]: row for out in (first, second) for row in out.records(CREATED)}
    assert total(list(rows.values())) == 301


@pytest.mark.parametrize("look_back", [0, 7])
def test_the_unfinished_period_is_read_again(sandbox: Sandbox, look_back: int) -> None:
    """This holds without any look-back, and the period is read completely."""
    settings: dict[str, Any] = {"statistics_lookback_days": look_back}
    sandbox.shop.tickets.create()
    first = read(sandbox, ALL_BY_WEEK, **settings)
    sandbox.shop.tickets.create()

    second = read(sandbox, ALL_BY_WEEK, state=first.state, **settings)

    before, after = (out.records("statistics_by_week")[-1] for out in (first, second))
    assert after["id"] == before["id"]
    assert after["ticket_count"] == before["ticket_count"] + 1


def test_an_outdated_figure_can_be_recognised(sandbox: Sandbox) -> None:
    """Its row stays in the table, but was not read together with the others."""
    first = read(sandbox, "tickets_created")
    moved = max(tickets(sandbox), key=lambda ticket: str(ticket["created_datetime"]))
    sandbox.shop.tickets.update(moved["id"], assignee_user=None, channel="new-channel")
    first.clock.now += 3600
    second = read(sandbox, "tickets_created", state=first.state, clock=first.clock)

    rows = {row["id"]: row for out in (first, second) for row in out.records(CREATED)}
    newest: dict[str, str] = {}
    for row in rows.values():
        day = row["period_start"]
        newest[day] = max(newest.get(day, ""), row["read_datetime"])
    valid = [
        row
        for row in rows.values()
        if row["read_datetime"] == newest[row["period_start"]]
    ]
    assert total(list(rows.values())) == 301
    assert sum(row["ticket_count"] for row in valid) == 300


def test_the_start_date_begins_with_a_whole_period(sandbox: Sandbox) -> None:
    """The figure of half a week would be wrong for the week."""
    whole = read(sandbox, ALL_BY_WEEK).records("statistics_by_week")
    since = read(sandbox, ALL_BY_WEEK, start_date="2026-09-10T15:00:00Z")
    rows = since.records("statistics_by_week")
    assert rows[0]["period_start"] == "2026-09-07T00:00:00.000000Z"
    assert [_figures(row) for row in rows] == [
        _figures(row) for row in whole if row["period_start"] >= "2026-09-07"
    ]


def _figures(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["id"], row["period_start"], row["ticket_count"]


def test_long_histories_take_a_request_for_90_days_and_resume(sandbox: Sandbox) -> None:
    """Without a start date two years are read; a failure costs the current window."""
    sandbox.faults.add(Fault.error(404), PATH, after=7)
    with pytest.raises(PartialRun) as failed:
        read(sandbox, ALL_BY_WEEK)
    assert len(sandbox.requests) == 8
    before = failed.value.output

    after = read(sandbox, ALL_BY_WEEK, state=before.state)

    assert len(sandbox.requests) == 10
    rows = {
        row["id"]: row
        for output in (before, after)
        for row in output.records("statistics_by_week")
    }
    assert total(list(rows.values())) == 300
    assert requested_queries(sandbox)[0]["filters"][0]["values"] == [
        "2024-10-27T00:00:00"
    ]


def test_filters_are_sent_to_gorgias(sandbox: Sandbox) -> None:
    """The tap adds the period in local time."""
    chosen = {"member": "channel", "operator": "one-of", "values": ["email"]}
    query = {**ALL_BY_WEEK, "filters": [chosen]}
    output = read(
        sandbox, query, start_date="2026-08-20", statistics_timezone="Asia/Tokyo"
    )

    (sent,) = requested_queries(sandbox)
    assert sandbox.requests[0].query["limit"] == ["10000"]
    assert sent == {
        "scope": "tickets-created",
        "timezone": "Asia/Tokyo",
        "filters": [
            # One more day at both ends of the weeks from August 17 to November 8.
            {
                "member": "periodStart",
                "operator": "afterDate",
                "values": ["2026-08-16T00:00:00"],
            },
            {
                "member": "periodEnd",
                "operator": "beforeDate",
                "values": ["2026-11-10T00:00:00"],
            },
            chosen,
        ],
        "dimensions": [],
        "measures": ["ticketCount"],
        "time_dimensions": [{"dimension": "createdDatetime", "granularity": "week"}],
    }
    emails = [
        one
        for one in tickets(sandbox)
        if one["channel"] == "email" and one["created_datetime"] >= "2026-08-16T15"
    ]
    counts = [row["ticket_count"] for row in output.records("statistics_by_week")]
    assert sum(counts) == len(emails)


def test_only_statistics_are_requested_by_post(sandbox: Sandbox) -> None:
    """No other request of the tap has a body."""
    run(config_of(sandbox, "tickets_created"))
    posted = {one.path for one in sandbox.requests if one.method != "GET"}
    assert posted == {PATH}


def test_discovery_includes_the_queries_of_the_config(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Otherwise a catalog as Meltano creates it would not select them."""
    config = config_of(sandbox, "tickets_created", ALL_BY_WEEK, email=None)
    command = Files(tmp_path).arguments(config)
    catalog = json.loads(run_command([*command, "--discover"]).stdout)
    names = {entry["tap_stream_id"] for entry in catalog["streams"]}
    assert {CREATED, "statistics_by_week"} < names

    output = run(config_of(sandbox, "tickets_created", ALL_BY_WEEK), catalog=catalog)
    assert total(output.records("statistics_by_week")) == 300


@pytest.mark.parametrize(
    "change", [{"statistics_timezone": "Europe/Paris"}, {"dimensions": ["channel"]}]
)
def test_a_changed_query_is_read_from_the_beginning(
    sandbox: Sandbox, change: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Its figures do not match those in the target."""
    first = read(sandbox, ALL_BY_WEEK)
    zone = change.get("statistics_timezone", "UTC")
    query = {**ALL_BY_WEEK, "dimensions": change.get("dimensions", [])}

    second = read(sandbox, query, state=first.state, statistics_timezone=zone)
    third = read(sandbox, query, state=second.state, statistics_timezone=zone)

    assert total(second.records("statistics_by_week")) == 300
    assert total(third.records("statistics_by_week")) < 100
    assert caplog.text.count("The query or its time zone has changed since") == 1
