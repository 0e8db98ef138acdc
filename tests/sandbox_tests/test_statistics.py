"""The sandbox computes statistics from its shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox import Shop
from tests.sandbox.scopes import BROKEN_SCOPES, SCOPES
from tests.sandbox_tests.client import Client, client_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

Row = dict[str, Any]

DAYS = {"dimension": "createdDatetime", "granularity": "day"}
START, END = "2026-05-06T00:00:00", "2026-11-02T23:59:59"


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A client of a shop that no test changes."""
    with client_of(Shop(tickets=60)) as client:
        yield client


def query(scope: str, start: str = START, end: str = END, **parts: Any) -> Row:
    """Build a query for a scope, by default for its first measure."""
    period = [
        {"member": "periodStart", "operator": "afterDate", "values": [start]},
        {"member": "periodEnd", "operator": "beforeDate", "values": [end]},
    ]
    filters = period + parts.pop("filters", [])
    measures = list(SCOPES[scope].measures[:1]) if scope in SCOPES else ["ticketCount"]
    whole = {"scope": scope, "timezone": "UTC", "measures": measures, **parts}
    return {"query": whole | {"filters": filters}}


def post(client: Client, body: Any, **params: Any) -> requests.Response:  # noqa: ANN401
    """Send a request for statistics."""
    url = f"{client.url}/api/reporting/stats"
    return client.session.post(url, json=body, params=params, timeout=5)


def total(client: Client, scope: str, name: str) -> Any:  # noqa: ANN401 - any number
    """Return a measure over the whole period."""
    answer = post(client, query(scope, measures=[name])).json()
    assert len(answer["data"]) == 1
    return answer["data"][0][name]


def test_totals_are_those_of_the_shop(client: Client) -> None:
    """Counts of tickets and messages and the mean score match the shop."""
    shop = client.shop
    messages = list(shop.messages.rows())
    tickets = list(shop.tickets.rows())
    surveys = list(shop.satisfaction_surveys.rows())
    sent = sum(message["from_agent"] for message in messages)
    closed = sum(ticket["closed_datetime"] is not None for ticket in tickets)
    scores = [survey["score"] for survey in surveys if survey["score"]]
    assert total(client, "tickets-created", "ticketCount") == len(tickets)
    assert total(client, "tickets-closed", "ticketCount") == closed
    assert total(client, "messages-sent", "messagesCount") == sent
    received = total(client, "messages-received", "messagesCount")
    assert received == len(messages) - sent
    scored = total(client, "satisfaction-surveys", "scoredSurveysCount")
    assert scored == len(scores)
    average = total(client, "satisfaction-surveys", "averageSurveyScore")
    assert average == pytest.approx(sum(scores) / len(scores))
    assert total(client, "first-response-time", "medianFirstResponseTime") > 0


@pytest.mark.parametrize("name", SCOPES)
def test_every_scope_can_be_grouped(client: Client, name: str) -> None:
    """Rows contain the day, the dimensions and the requested measures."""
    scope = SCOPES[name]
    parts: Row = {
        "measures": list(scope.measures),
        "dimensions": list(scope.dimensions),
    }
    expected = {*scope.dimensions, *scope.measures}
    if scope.time:
        days = {"dimension": scope.time, "granularity": "day"}
        parts["time_dimensions"] = [days]
        expected.add(scope.time)
    if scope.required:
        values = {"operator": "one-of", "values": ["319825"]}
        parts["filters"] = [{"member": scope.required, **values}]
    answer = post(client, query(name, **parts), limit=10_000).json()
    rows = answer["data"]
    assert rows
    assert all(row.keys() == expected for row in rows)
    if scope.time:
        assert all(row[scope.time].endswith("T00:00:00.000") for row in rows)
    assert answer["meta"]["total"] == len(rows)


def paged(client: Client, body: Row, limit: int) -> list[Row]:
    """Return the rows of all pages of a query."""
    found: list[Row] = []
    params: Row = {"limit": limit}
    while True:
        answer = post(client, body, **params).json()
        found += answer["data"]
        assert answer["meta"].keys() == {
            *("scope", "prev_cursor", "next_cursor", "total", "offset", "limit")
        }
        if not answer["meta"]["next_cursor"]:
            return found
        params["cursor"] = answer["meta"]["next_cursor"]


def test_pages_without_an_order_overlap(client: Client) -> None:
    """A client that follows them loses rows."""
    body = query("tickets-created", time_dimensions=[DAYS])
    whole = post(client, body, limit=1_000).json()["data"]
    assert sum(row["ticketCount"] for row in whole) == 60
    found = paged(client, body, 7)
    assert len(found) == len(whole)
    assert {str(row) for row in found} < {str(row) for row in whole}


def test_tags_and_custom_fields_are_filtered_by_conditions(client: Client) -> None:
    """Their values contain the operators, and the filter itself has none."""
    tickets = list(client.shop.tickets.rows())
    tag = next(row["tags"][0]["id"] for row in tickets if row["tags"])
    one_of = {"operator": "one-of", "values": [tag]}
    tagged = [r for r in tickets if tag in [one["id"] for one in r["tags"]]]
    filters = [{"member": "tags", "values": [one_of]}]
    answer = post(client, query("tickets-created", filters=filters)).json()
    assert answer["data"] == [{"ticketCount": len(tagged)}]

    field = next(f for r in tickets for f in r["custom_fields"].values())
    same = [r for r in tickets if field in r["custom_fields"].values()]
    condition = {"operator": "one-of", "values": [field["value"]]}
    condition["custom_field_id"] = field["id"]
    filters = [{"member": "customFields", "values": [condition]}]
    answer = post(client, query("tickets-created", filters=filters)).json()
    assert answer["data"] == [{"ticketCount": len(same)}]

    for wrong in (
        {"member": "tags", "operator": "one-of", "values": [one_of]},
        {"member": "customFields", "values": [one_of]},
        {"member": "tags", "values": [{**one_of, "operator": "contains"}]},
    ):
        assert (
            post(client, query("tickets-created", filters=[wrong])).status_code == 400
        )


def test_periods_are_in_the_requested_time_zone(client: Client) -> None:
    """The time zone determines the day of a ticket."""
    zones = [
        post(client, query("tickets-created", time_dimensions=[DAYS], timezone=zone))
        for zone in ("UTC", "Pacific/Kiritimati")
    ]
    assert zones[0].json()["data"] != zones[1].json()["data"]
    chat = {"member": "channel", "operator": "one-of", "values": ["chat"]}
    answer = post(client, query("tickets-created", filters=[chat])).json()
    chats = [row for row in client.shop.tickets.rows() if row["channel"] == "chat"]
    assert answer["data"] == [{"ticketCount": len(chats)}]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"scope": "tickets"}, "tickets-created"),
        ({"measures": ["messagesCount"]}, "ticketCount"),
        ({"measures": []}, "ticketCount"),
        ({"dimensions": ["teamId"]}, "agentId"),
        ({"filters": []}, "periodStart"),
        ({"timezone": "Mars/Olympus"}, "IANA"),
        ({"time_dimensions": [{"dimension": "timestamp", "granularity": "day"}]}, "cr"),
        ({"time_dimensions": [{"dimension": "createdDatetime"}]}, "granularity"),
        ({"time_dimensions": [DAYS, DAYS]}, "maximum length 1"),
        ({"time_dimensions": [{**DAYS, "zone": "UTC"}]}, "Unknown field"),
        ({"limit": 5}, "Unknown field"),
        ({"scope": "auto-qa", "time_dimensions": [DAYS]}, "Invalid query"),
    ],
)
def test_invalid_parts_of_a_query_are_refused(
    client: Client, change: Row, named: str
) -> None:
    """A refusal names the valid values."""
    answer = post(client, {"query": query("tickets-created")["query"] | change})
    assert answer.status_code == 400
    assert named in answer.text


def test_more_than_a_year_is_refused(client: Client) -> None:
    """A period has at most 366 days; bodies and pages are checked too."""
    good = query("tickets-created")
    long = query("tickets-created", "2025-01-01", "2026-01-03")
    assert post(client, long).status_code == 400
    assert post(client, query("tickets-created", "2025-01-01", "2026-01-01")).ok
    bare = {"query": {"scope": "tickets-created", "filters": []}}
    bodies: list[Any] = [{}, [], {"query": 1}, {**good, "limit": 5}, bare]
    assert [post(client, body).status_code for body in bodies] == [400] * 5
    for params in ({"limit": 10_001}, {"cursor": "?"}, {"page": 1}):
        assert post(client, good, **params).status_code == 400
    broken = [post(client, query(name)).status_code for name in BROKEN_SCOPES]
    assert broken == [500] * 3
    assert client.get("reporting/stats").status_code == 405
