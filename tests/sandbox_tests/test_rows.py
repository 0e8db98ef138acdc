"""The rows of the sandbox match the documentation, including secrets and odd dates."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox import PLANTED_SECRETS, Sandbox, Shop
from tests.sandbox_tests.client import Client, client_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = dict[str, Any]

FIELDS = {
    "custom_fields": """id external_id object_type label description priority required
        requirement_type managed_type definition created_datetime updated_datetime
        deactivated_datetime""",
    "integrations": """id name type description created_datetime updated_datetime
        deactivated_datetime locked_datetime decoration meta http user uri
        application_id managed business_hours_id deleted_datetime mappings facebook
        smooch""",
    "jobs": """id type status params info meta user_id created_datetime
        scheduled_datetime started_datetime ended_datetime failed_datetime
        locked_datetime cancel_requested_datetime cancelled_datetime uri""",
    "macros": """id external_id name intent language usage actions created_datetime
        updated_datetime archived_datetime uri""",
    "rules": """id name description code code_ast event_types priority type settings
        created_datetime updated_datetime deactivated_datetime uri""",
    "views": """id name slug category type visibility fields filters filters_ast
        order_by order_dir search decoration section_id shared_with_teams
        shared_with_users created_datetime deactivated_datetime uri""",
    "widgets": """id type context integration_id app_id order template
        created_datetime updated_datetime deactivated_datetime uri""",
    "voice_calls": """id integration_id ticket_id phone_number_id external_id provider
        status direction phone_number_source country_source phone_number_destination
        country_destination duration started_datetime created_datetime
        updated_datetime initiated_by_agent_id last_answered_by_agent_id
        last_rang_agent_id customer_id has_voicemail has_call_recording summaries
        termination_status queue_id status_in_queue answered_by_external_number
        answered_by_external_customer_id monitoring_status last_monitoring_agent_id""",
    "voice_call_events": """id type account_id call_id user_id customer_id
        created_datetime meta""",
    "voice_call_recordings": """id call_id external_id url duration type
        created_datetime deleted_datetime deleted_by_user_id error_code
        transcription_status""",
}
LIST_ONLY = "excerpt integrations messages_count last_sent_message_not_delivered"
DETAIL_ONLY = """events imported assignee_user_id assignee_team_id messages
    processed_datetime satisfaction_survey reply_options requester"""
CUSTOMER_DETAIL_ONLY = "channels customer integrations external_data ecommerce_data"


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A client of a shop that no test changes."""
    with client_of(Shop(seed=3, tickets=60, customers=40, voice_calls=12)) as client:
        yield client


@pytest.mark.parametrize("name", FIELDS)
def test_rows_have_exactly_the_documented_fields(client: Client, name: str) -> None:
    """No row lacks a field or has an additional one."""
    rows = list(getattr(client.shop, name).rows())
    assert rows
    assert all(row.keys() == set(FIELDS[name].split()) for row in rows)


def test_syntax_trees_are_large_and_deep(client: Client) -> None:
    """The trees of rules and views are as large as real ones."""
    sizes = [len(json.dumps(row["code_ast"])) for row in client.rows("rules")]
    assert all(15_000 < size < 60_000 for size in sizes)
    views = client.rows("views")
    assert len(views) >= 8
    assert max(len(json.dumps(row["filters_ast"])) for row in views) > 5_000
    assert max(depth(row["filters_ast"]) for row in views) > 10


def depth(value: Any) -> int:  # noqa: ANN401 - any JSON value
    """Return the depth of nested objects and lists."""
    inner = value.values() if isinstance(value, dict) else value
    return (
        1 + max(map(depth, inner), default=0) if isinstance(value, dict | list) else 0
    )


def test_jobs_can_be_filtered(client: Client) -> None:
    """Jobs have two filters, each with a list of values."""
    rows = client.rows("jobs")
    done = [row for row in rows if row["status"] == "done"]
    assert client.rows("jobs", status="done") == done
    assert client.rows("jobs", type=rows[0]["type"])[0] == rows[0]
    assert client.get("jobs", status="cancelled").status_code == 400


def test_secrets_are_planted_where_merchants_store_them(client: Client) -> None:
    """Each planted secret is in the lists of its object, and in no other."""
    lists = "account account/settings integrations jobs macros messages rules widgets"
    texts = {name: client.get(name).text for name in lists.split()}
    placed = [
        {name for name, text in texts.items() if secret in text}
        for secret in PLANTED_SECRETS
    ]
    assert placed == [
        *[{"integrations"}] * 7,
        *[{"account", "account/settings"}] * 5,
        {"integrations"},
        *[{"macros", "messages"}] * 6,
        {"messages"},
        *[{"widgets"}] * 2,
        {"rules"},
        {"jobs"},
    ]
    over_http = client.rows("integrations", type="http")
    assert len(over_http) == 3
    parts = ("headers", "form", "oauth2")
    assert all(any(row["http"][part] for part in parts) for row in over_http)


def test_a_single_ticket_has_other_fields_than_a_listed_one(client: Client) -> None:
    """The detail lacks some fields of the list and has others."""
    surveyed = 0
    for row in client.rows("tickets"):
        detail = client.get(f"tickets/{row['id']}").json()
        expected = (row.keys() - set(LIST_ONLY.split())) | set(DETAIL_ONLY.split())
        if not row["custom_fields"]:
            expected -= {"custom_fields"}
        assert detail.keys() == expected
        assert detail["events"] == []
        assert detail["requester"] == row["customer"]
        assert "channels" in detail["customer"]
        assert "created_datetime" not in detail["customer"]
        for message in detail["messages"]:
            assert not message.keys() & {"headers", "macros", "deleted_datetime"}
        surveyed += detail["satisfaction_survey"] is not None
    assert surveyed == len(client.shop.satisfaction_surveys)


def test_a_single_customer_has_more_fields_than_a_listed_one(client: Client) -> None:
    """The detail has channels and the data of other systems."""
    details = [
        (row, client.get(f"customers/{row['id']}").json())
        for row in client.rows("customers")
    ]
    for row, detail in details:
        assert detail.keys() == row.keys() | set(CUSTOMER_DETAIL_ONLY.split())
        assert {channel["type"] for channel in detail["channels"]} <= {"email", "phone"}
        known = set(map(str, client.shop.integrations.ids()))
        assert detail["integrations"].keys() <= known
    for name in CUSTOMER_DETAIL_ONLY.split():
        assert any(detail[name] for _, detail in details) == (name != "customer")


def test_deleted_and_merged_tickets_have_no_messages() -> None:
    """A deleted ticket answers 404, a merged one 301."""
    with Sandbox(Shop(tickets=8)) as sandbox:
        client, tickets = Client(sandbox), sandbox.shop.tickets
        deleted, merged, target = tickets.ids()[:3]
        long_ago = tickets.source_of(target)
        tickets.delete(deleted)
        tickets.merge(merged, target)
        assert client.get(f"tickets/{deleted}").status_code == 404
        for source in (merged, long_ago):
            answer = client.get(f"tickets/{source}")
            assert answer.status_code == 301
            assert answer.headers["Location"] == f"/api/tickets/{target}/"
        for missing in (deleted, merged, long_ago, 1):
            answer = client.get("messages", ticket_id=missing)
            assert (answer.status_code, answer.json()["data"]) == (200, [])
        client.session.close()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [1, 30, 200, 900])
def test_hardly_any_ticket_changed_just_now(seed: int, size: int) -> None:
    """A ticket changes after its last message, and rarely in the last minutes."""
    shop = Shop(seed=seed, tickets=size)
    now, late = datetime.fromisoformat(shop.now), 0
    for ticket in shop.tickets.rows():
        updated = datetime.fromisoformat(ticket["updated_datetime"])
        last = datetime.fromisoformat(ticket["last_message_datetime"])
        assert last + timedelta(seconds=0.2) <= updated <= now
        late += now - updated < timedelta(minutes=2)
    assert late <= 1
