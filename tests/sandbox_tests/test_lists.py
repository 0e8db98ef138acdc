"""Lists of the sandbox that differ from others: view items, phone, custom fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.sandbox import Sandbox, Shop
from tests.sandbox.rows.views import PLANS, Plan
from tests.sandbox_tests.client import Client, client_of, ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.shop import Archived

Row = dict[str, Any]

PHONE = ("voice-calls", "voice-call-events", "voice-call-recordings")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A client of a shop with a view of more than 250 tickets."""
    with client_of(Shop(tickets=320, customers=130, voice_calls=90)) as client:
        yield client


def items(client: Client, view_id: int, **params: Any) -> list[Row]:
    """Return all items of a view by following its links."""
    answer = client.get(f"views/{view_id}/items", **params).json()
    found: list[Row] = answer["data"]
    while link := answer["meta"]["next_items"]:
        query = dict(parse_qsl(urlsplit(link).query))
        answer = client.get(link.removeprefix("/api/").split("?")[0], **params, **query)
        answer = answer.json()
        found += answer["data"]
    return found


def view_named(client: Client, name: str) -> Row:
    """Return the view of this name."""
    return next(row for row in client.shop.views.rows() if row["name"] == name)


@pytest.mark.parametrize("plan", [plan for plan in PLANS if plan.active])
def test_a_view_contains_the_rows_that_match_its_filters(
    client: Client, plan: Plan
) -> None:
    """Every item appears once, in the view's own order."""
    view = view_named(client, plan.name)
    found = items(client, view["id"], limit=7)
    assert len(set(ids(found))) == len(found)
    assert found == items(client, view["id"], limit=100)
    timestamps = [row[plan.order] for row in found]
    assert timestamps == sorted(timestamps, reverse=view["order_dir"] == "desc")
    rows = {row["id"]: row for row in client.rows(f"{plan.type[:-5]}s")}
    differing: set[str] = set()
    if plan.type == "ticket-list":
        added = {"requester", "assignee_user_id", "assignee_team_id"}
        differing = {"custom_fields", *added}
    assert all(row.keys() ^ rows[row["id"]].keys() == differing for row in found)
    expected = {
        "All tickets": rows.keys(),
        "All customers": rows.keys(),
        "Spam": {row_id for row_id, row in rows.items() if row.get("spam")},
        "日本": {row_id for row_id, row in rows.items() if row["language"] == "ja"},
        "Nobody's any more": set(),
        "Ghosts": set(),
    }.get(plan.name, set(ids(found)))
    assert set(ids(found)) == expected


def test_some_views_are_long_and_some_empty(client: Client) -> None:
    """Some views take several pages, and others have no rows."""
    active = [
        row for row in client.shop.views.rows() if not row["deactivated_datetime"]
    ]
    sizes = [len(items(client, row["id"], limit=100)) for row in active]
    assert max(sizes) > 250
    assert sizes.count(0) == 2
    assert len({row["type"] for row in active}) == 2


def test_a_cursor_without_the_ignored_item_returns_the_same_page(
    client: Client,
) -> None:
    """A client that omits `ignored_item` never reaches the second page."""
    path = f"views/{view_named(client, 'All tickets')['id']}/items"
    first = client.get(path, limit=20).json()
    assert first["meta"].keys() == {"next_items", "prev_items", "current_cursor"}
    link = urlsplit(first["meta"]["next_items"])
    assert link.path == f"/api/{path}"
    query = dict(parse_qsl(link.query))
    assert query.keys() == {"cursor", "direction", "ignored_item"}
    assert int(query["ignored_item"]) == first["data"][-1]["id"]
    second = client.get(path, limit=20, **query).json()
    assert second["meta"]["current_cursor"] == query["cursor"]
    assert not set(ids(second["data"])) & set(ids(first["data"]))
    for page, link in ((first, query), (second, second["meta"]["next_items"])):
        known = (
            link if isinstance(link, dict) else dict(parse_qsl(urlsplit(link).query))
        )
        again = client.get(path, limit=20, cursor=known["cursor"]).json()
        assert again["data"] == page["data"]
        assert again["meta"]["next_items"] == page["meta"]["next_items"]


@pytest.mark.parametrize(
    "order",
    ["priority:desc", "last_received_message_datetime:asc", "snooze_datetime:desc"],
)
def test_items_can_be_ordered(client: Client, order: str) -> None:
    """Items have orders that tickets do not have."""
    view_id = view_named(client, "All tickets")["id"]
    found = items(client, view_id, order_by=order, limit=50)
    assert sorted(ids(found)) == client.shop.tickets.ids()
    if order.startswith("priority"):
        names = list(dict.fromkeys(row["priority"] for row in found))
        assert names == ["critical", "high", "normal", "low"]


def test_invalid_requests_for_items_are_refused(client: Client) -> None:
    """Unknown and deactivated views answer 404, invalid parameters 400."""
    path = f"views/{view_named(client, 'Open')['id']}/items"
    off = view_named(client, "Old campaign")["id"]
    assert client.get(f"views/{off}").status_code == 200
    assert client.get(f"views/{off}/items").status_code == 404
    assert client.get("views/1/items").status_code == 404
    refused: list[Row] = [
        {"limit": 101},
        {"page": 2},
        {"order_by": "id:asc"},
        {"cursor": "?"},
        {"direction": "up"},
        {"ignored_item": "last"},
    ]
    assert [client.get(path, **one).status_code for one in refused] == [400] * 6


@pytest.mark.parametrize("name", PHONE)
def test_phone_lists_have_one_order(client: Client, name: str) -> None:
    """Events come oldest first, calls and recordings newest first."""
    path = f"phone/{name}"
    found = client.rows(path, limit=7)
    collection = getattr(client.shop, name.replace("-", "_"))
    expected = collection.ids()
    assert ids(found) == (expected if "event" in name else expected[::-1])
    timestamps = [row["created_datetime"] for row in found]
    assert timestamps == sorted(timestamps, reverse="event" not in name)
    assert client.get(f"{path}/{expected[3]}").json() == collection.row(expected[3])
    assert client.get(f"{path}/1").status_code == 404
    for params in ({"order_by": "created_datetime:asc"}, {"created_datetime[gt]": 1}):
        assert client.get(path, **params).status_code == 400


def test_calls_have_events_and_recordings(client: Client) -> None:
    """Both can be filtered by call, and calls by ticket."""
    calls = client.rows("phone/voice-calls")
    events = client.rows("phone/voice-call-events")
    recordings = client.rows("phone/voice-call-recordings")
    for call in calls[:6]:
        own = [row for row in events if row["call_id"] == call["id"]]
        assert client.rows("phone/voice-call-events", call_id=call["id"]) == own
        own = [row for row in recordings if row["call_id"] == call["id"]]
        assert client.rows("phone/voice-call-recordings", call_id=call["id"]) == own
        assert bool(own) == (call["has_voicemail"] or call["has_call_recording"])
        for row in own:
            assert (row["type"] == "voicemail") == call["has_voicemail"]
        if call["ticket_id"]:
            assert call in client.rows("phone/voice-calls", ticket_id=call["ticket_id"])
    assert {type(event["meta"]) for event in events} == {str, dict, type(None)}
    summaries = [row for call in calls for row in call["summaries"] or []]
    assert {row["recording_id"] for row in summaries} <= set(ids(recordings))
    assert len(summaries) > 5


def test_a_call_keeps_its_place_when_it_ends() -> None:
    """A new call is listed at once and changes at its end."""
    with Sandbox(Shop(tickets=10, voice_calls=3)) as sandbox:
        client, shop = Client(sandbox), sandbox.shop
        ticket_id = shop.tickets.ids()[0]
        call_id = shop.voice_calls.create(ticket_id=ticket_id)
        event_id = shop.voice_call_events.create(call_id=call_id)
        assert client.rows("phone/voice-calls")[0]["status"] == "in-progress"
        shop.voice_calls.update(call_id, status="completed", duration=61)
        recording_id = shop.voice_call_recordings.create(call_id=call_id)
        call = client.rows("phone/voice-calls", ticket_id=ticket_id)[0]
        assert (call["id"], call["duration"]) == (call_id, 61)
        assert call["has_call_recording"] or call["has_voicemail"]
        assert call["updated_datetime"] == shop.now > call["created_datetime"]
        found = [
            ids(client.rows(f"phone/{name}", call_id=call_id)) for name in PHONE[1:]
        ]
        assert found == [[event_id], [recording_id]]
        client.session.close()


def test_phone_lists_can_be_bare_or_refused() -> None:
    """The phone answers as documented, or as for a merchant without it."""
    with Sandbox(Shop(tickets=5), phone="arrays") as sandbox:
        client = Client(sandbox)
        assert len(client.get("phone/voice-calls", limit=8).json()) == 8
        call_id = sandbox.shop.voice_calls.ids()[0]
        assert client.get(f"phone/voice-calls/{call_id}").json()["id"] == call_id
        sandbox.phone = 403
        assert client.get("phone/voice-call-events").status_code == 403
        sandbox.phone = None
        assert client.get("phone/voice-call-recordings").status_code == 404
        assert client.get("tickets").status_code == 200
        client.session.close()


@pytest.mark.parametrize("kind", ["documented", "recorded"])
def test_custom_fields_without_archived_are_as_documented_or_observed(
    kind: Archived,
) -> None:
    """The documentation promises active fields, but all fields were observed."""
    with Sandbox(Shop(tickets=5, custom_fields_archived=kind)) as sandbox:
        client = Client(sandbox)
        for of in ("Ticket", "Customer"):
            whole = [
                r for r in sandbox.shop.custom_fields.rows() if r["object_type"] == of
            ]
            archived = {row["id"] for row in whole if row["deactivated_datetime"]}
            active = set(ids(whole)) - archived
            assert archived
            assert active
            counts = {
                flag: set(ids(client.rows("custom-fields", object_type=of, **params)))
                for flag, params in (
                    (None, {}),
                    (True, {"archived": "true"}),
                    (False, {"archived": "false"}),
                )
            }
            default = active if kind == "documented" else active | archived
            assert counts == {None: default, True: archived, False: active}
        assert client.get("custom-fields").status_code == 400
        client.session.close()
