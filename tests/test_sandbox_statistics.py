"""The sandbox works statistics out from its shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox import Sandbox, Shop
from tests.sandbox.scopes import BROKEN_SCOPES, SCOPES
from tests.test_sandbox import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

Row = dict[str, Any]

START, END = "2026-05-06T00:00:00", "2026-11-02T23:59:59"


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Serve a shop that no test changes."""
    with Sandbox(Shop(tickets=60)) as sandbox:
        one = Client(sandbox)
        yield one
        one.session.close()


def query(scope: str, start: str = START, end: str = END, **parts: Any) -> Row:
    """Ask for the first measure of a scope."""
    period = [
        {"member": "periodStart", "operator": "afterDate", "values": [start]},
        {"member": "periodEnd", "operator": "beforeDate", "values": [end]},
    ]
    filters = period + parts.pop("filters", [])
    measures = list(SCOPES[scope].measures[:1]) if scope in SCOPES else ["ticketCount"]
    whole = {"scope": scope, "timezone": "UTC", "measures": measures, **parts}
    return {"query": whole | {"filters": filters}}


def post(client: Client, body: Any, **params: Any) -> requests.Response:  # noqa: ANN401
    """Ask for statistics."""
    url = f"{client.url}/api/reporting/stats"
    return client.session.post(url, json=body, params=params, timeout=5)


def total(client: Client, scope: str, name: str) -> Any:  # noqa: ANN401 - any number
    """Ask for one number over the whole period."""
    answer = post(client, query(scope, measures=[name])).json()
    assert len(answer["data"]) == 1
    return answer["data"][0][name]


def test_totals_are_those_of_the_shop(client: Client) -> None:
    """Tickets, messages and scores add up."""
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
def test_every_scope_can_be_cut_up(client: Client, name: str) -> None:
    """Rows hold the day, the dimensions and the measures asked for."""
    scope = SCOPES[name]
    parts: Row = {
        "measures": list(scope.measures),
        "dimensions": list(scope.dimensions),
        "time_dimensions": [{"dimension": scope.time, "granularity": "day"}],
        "order": [[scope.time, "desc"]],
    }
    if scope.required:
        values = {"operator": "one-of", "values": ["319825"]}
        parts["filters"] = [{"member": scope.required, **values}]
    answer = post(client, query(name, **parts), limit=10_000).json()
    rows = answer["data"]
    assert rows
    expected = {scope.time, *scope.dimensions, *scope.measures}
    assert all(row.keys() == expected for row in rows)
    days = [row[scope.time] for row in rows]
    assert days == sorted(days, reverse=True)
    assert all(day.endswith("T00:00:00.000") for day in days)
    assert answer["meta"]["total"] == len(rows)


def test_statistics_have_pages(client: Client) -> None:
    """Pages hold every row once, and end with a null cursor."""
    days = {"dimension": "createdDatetime", "granularity": "day"}
    body = query("tickets-created", time_dimensions=[days])
    whole = post(client, body, limit=1_000).json()["data"]
    assert sum(row["ticketCount"] for row in whole) == 60
    found: list[Row] = []
    params: Row = {"limit": 7}
    while True:
        answer = post(client, body, **params).json()
        found += answer["data"]
        assert answer["meta"].keys() == {
            *("scope", "prev_cursor", "next_cursor", "total", "offset", "limit")
        }
        if not answer["meta"]["next_cursor"]:
            break
        params["cursor"] = answer["meta"]["next_cursor"]
    assert found == whole


def test_periods_are_local(client: Client) -> None:
    """A timezone moves tickets to other days, and filters choose among them."""
    days = {"dimension": "createdDatetime", "granularity": "day"}
    zones = [
        post(client, query("tickets-created", time_dimensions=[days], timezone=zone))
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
        ({"order": [["agentId", "asc"]]}, "ticketCount"),
        ({"time_dimensions": [{"dimension": "timestamp", "granularity": "day"}]}, "cr"),
    ],
)
def test_what_is_not_valid_is_refused(client: Client, change: Row, named: str) -> None:
    """A refusal names what would be valid."""
    answer = post(client, {"query": query("tickets-created")["query"] | change})
    assert answer.status_code == 400
    assert named in answer.text


def test_more_than_a_year_is_refused(client: Client) -> None:
    """A period has at most 366 days; bodies and pages are checked as well."""
    good = query("tickets-created")
    long = query("tickets-created", "2025-01-01", "2026-01-03")
    assert post(client, long).status_code == 400
    assert post(client, query("tickets-created", "2025-01-01", "2026-01-01")).ok
    bodies: list[Any] = [{}, [], {"query": 1}]
    assert [post(client, body).status_code for body in bodies] == [400] * 3
    for params in ({"limit": 10_001}, {"cursor": "?"}, {"page": 1}):
        assert post(client, good, **params).status_code == 400
    broken = [post(client, query(name)).status_code for name in BROKEN_SCOPES]
    assert broken == [500] * 5
    assert client.get("reporting/stats").status_code == 405
