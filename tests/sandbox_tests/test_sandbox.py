"""The sandbox behaves like the Gorgias API."""
# ruff: noqa: D103 - the names of the tests describe the behaviour

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox import Fault, Sandbox, Shop
from tests.sandbox.endpoints import ENDPOINTS, Listing
from tests.sandbox_tests.client import Client, ids

if TYPE_CHECKING:
    from collections.abc import Iterator

SAME_TIMESTAMP = "2026-10-01T12:00:00.000001+00:00"
LISTINGS = {name: one for name, one in ENDPOINTS.items() if isinstance(one, Listing)}
BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
ORDERS = [
    (name, order)
    for name, one in LISTINGS.items()
    for order in one.orders
    if name not in {"custom-fields", "macros"}  # no request lists all of them
]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Shop(tickets=60, customers=40, events=80)) as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with closing(Client(sandbox)) as client:
        yield client


def sortable(value: str | float | None) -> tuple[bool, Any]:
    """Return a key that sorts nulls last and ignores a missing fraction."""
    if isinstance(value, str) and "T" in value and "." not in value:
        value = value.replace("+", ".0+")
    return value is None, value


@pytest.mark.parametrize(("name", "order"), ORDERS)
def test_pages_hold_every_row_once_in_order(
    client: Client, name: str, order: str
) -> None:
    collection = getattr(client.shop, LISTINGS[name].collection)
    found = client.rows(name, order_by=order, limit=7)
    assert sorted(ids(found)) == collection.ids()
    assert found == client.rows(name, order_by=order, limit=100)
    assert {row["id"]: row for row in found} == {r["id"]: r for r in collection.rows()}
    field, _, way = order.partition(":")
    values = [sortable(row[field]) for row in found if field in row]
    assert values == sorted(values, reverse=way == "desc")


def test_pages_can_be_read_backwards(client: Client) -> None:
    first = client.get("tickets", limit=20).json()
    second = client.get("tickets", limit=20, cursor=first["meta"]["next_cursor"]).json()
    back = client.get("tickets", limit=20, cursor=second["meta"]["prev_cursor"]).json()
    assert first["meta"]["prev_cursor"] is None
    assert len(client.get("tickets").json()["data"]) == 30  # the default limit
    assert back["data"] == first["data"]
    assert back["meta"] == first["meta"]


@pytest.mark.parametrize("order", ["updated_datetime:asc", "updated_datetime:desc"])
@pytest.mark.parametrize("timestamp", [SAME_TIMESTAMP, None])
def test_rows_with_equal_timestamps_fill_several_pages(
    client: Client, order: str, timestamp: str | None
) -> None:
    chosen = client.shop.tickets.ids()[10:40]
    for row_id in chosen:
        client.shop.tickets.update(row_id, updated_datetime=timestamp)
    found = ids(client.rows("tickets", order_by=order, limit=7))
    assert sorted(found) == client.shop.tickets.ids()
    same = [row_id for row_id in found if row_id in chosen]
    assert same == sorted(chosen, reverse=order.endswith("desc"))
    if timestamp is None:
        assert same == (found[-30:] if order.endswith("asc") else found[:30])


def test_unknown_parameters_are_refused(client: Client) -> None:
    answer = client.get("tickets", page=2)
    assert answer.status_code == 400
    assert answer.json()["error"]["data"] == {"page": ["Unknown field."]}
    assert client.get("account", limit=1).status_code == 400


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 101},
        {"order_by": "updated_datetime"},
        {"order_by": "id:asc"},
        {"cursor": "nonsense"},
        {"ticket_ids": list(range(101))},
    ],
)
def test_invalid_values_are_refused(client: Client, params: dict[str, Any]) -> None:
    assert client.get("tickets", **params).status_code == 400


def test_cursors_expire_and_belong_to_their_request(client: Client) -> None:
    cursor = client.get("tickets").json()["meta"]["next_cursor"]
    assert client.get("tickets", cursor=cursor).status_code == 200
    assert client.get("customers", cursor=cursor).status_code == 400
    other_order = client.get("tickets", cursor=cursor, order_by="created_datetime:asc")
    assert other_order.status_code == 400
    client.sandbox.expire_cursors()
    assert client.get("tickets", cursor=cursor).status_code == 400
    cursor = client.get("tickets").json()["meta"]["next_cursor"]
    assert client.get("tickets", cursor=cursor).status_code == 200


def test_events_can_be_filtered_by_time(client: Client) -> None:
    events = list(client.shop.events.rows())
    start, end = events[20]["created_datetime"], events[50]["created_datetime"]
    params = {"created_datetime[gt]": start, "created_datetime[lte]": end}
    expected = [e for e in events if start < e["created_datetime"] <= end]
    assert client.rows("events", limit=7, **params) == expected[::-1]


def test_events_can_be_filtered_by_type_and_object(client: Client) -> None:
    kinds = ["ticket-created", "tag-updated"]
    found = client.rows("events", types=kinds)
    rows = list(client.shop.events.rows())
    assert sorted(ids(found)) == [row["id"] for row in rows if row["type"] in kinds]
    target = rows[0]
    params = {"object_type": target["object_type"], "object_id": target["object_id"]}
    assert target in client.rows("events", **params)
    del params["object_id"]
    assert client.get("events", **params).status_code == 400


def test_the_collections_of_the_shop_are_consistent(client: Client) -> None:
    shop = client.shop
    messages = list(shop.messages.rows())
    timestamps = [message["created_datetime"] for message in messages]
    assert len(set(timestamps)) < len(timestamps)  # some timestamps are equal
    for ticket in shop.tickets.rows():
        own = [message for message in messages if message["ticket_id"] == ticket["id"]]
        assert len(own) == ticket["messages_count"]
        assert own[-1]["created_datetime"] == ticket["last_message_datetime"]
        assert ticket["updated_datetime"] > ticket["last_message_datetime"]
        assert own[0]["created_datetime"] == ticket["created_datetime"]
        assert ticket["customer"]["id"] in shop.customers
    surveyed = [survey["ticket_id"] for survey in shop.satisfaction_surveys.rows()]
    assert len(set(surveyed)) == len(surveyed)
    assert all(ticket_id in shop.tickets for ticket_id in surveyed)
    ticket_id = surveyed[0]
    assert ids(client.rows("messages", ticket_id=ticket_id)) == sorted(
        shop.messages.of_ticket(ticket_id), reverse=True
    )
    assert len(client.rows("satisfaction-surveys", ticket_id=ticket_id)) == 1


def test_a_single_ticket_has_its_messages(client: Client) -> None:
    row = next(iter(client.shop.tickets.rows()))
    detail = client.get(f"tickets/{row['id']}").json()
    assert len(detail["messages"]) == row["messages_count"]
    assert "channels" in detail["customer"]
    assert "excerpt" not in detail
    assert "channels" in client.get(f"customers/{row['customer']['id']}").json()


def test_an_update_moves_a_row_to_the_head(client: Client) -> None:
    oldest = client.rows("tickets", order_by="updated_datetime:asc")[0]
    client.shop.tickets.update(oldest["id"], subject="Again")
    newest = client.get("tickets", order_by="updated_datetime:desc").json()["data"][0]
    assert (newest["id"], newest["subject"]) == (oldest["id"], "Again")
    assert newest["updated_datetime"] == client.shop.now


def test_a_new_message_changes_its_ticket(client: Client) -> None:
    shop = client.shop
    before = next(iter(shop.tickets.rows()))
    message_id = shop.messages.create(before["id"])
    after = client.get("tickets", order_by="updated_datetime:desc").json()["data"][0]
    assert after["id"] == before["id"]
    assert after["messages_count"] == before["messages_count"] + 1
    assert client.get("messages").json()["data"][0]["id"] == message_id


def test_rows_are_created_and_deleted(client: Client) -> None:
    shop = client.shop
    new_id = shop.tickets.create(subject="New")
    assert client.get("tickets").json()["data"][0]["id"] == new_id
    shop.tickets.delete(new_id)
    old_id = shop.tickets.ids()[0]
    shop.tickets.delete(old_id)
    assert client.get(f"tickets/{old_id}").status_code == 404
    assert old_id not in ids(client.rows("tickets"))
    assert not client.rows("messages", ticket_id=old_id)
    event = client.get("events").json()["data"][0]
    assert (event["type"], event["object_id"]) == ("ticket-deleted", old_id)


@pytest.mark.parametrize("name", ["tickets", "customers"])
def test_a_merged_id_answers_301(client: Client, name: str) -> None:
    collection = getattr(client.shop, name)
    source, target = collection.ids()[:2]
    collection.merge(source, target)
    answer = client.get(f"{name}/{source}")
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"/api/{name}/{target}/"
    assert answer.content == b""
    assert source not in ids(client.rows(name))
    tickets = client.rows("tickets")
    assert sum(row["messages_count"] for row in tickets) == len(client.shop.messages)
    assert source not in [row["customer"]["id"] for row in tickets]


def test_changes_can_happen_during_a_read(client: Client) -> None:
    chosen = client.shop.tickets.ids()[3]
    client.sandbox.before_request(lambda shop, _: shop.tickets.update(chosen))
    found = ids(client.rows("tickets", order_by="updated_datetime:asc", limit=20))
    assert set(found) == set(client.shop.tickets.ids())
    assert found[-1] == chosen


def test_credentials_are_checked(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/api/account"
    assert requests.get(url, timeout=5).status_code == 401
    assert requests.get(url, auth=("a", "b"), timeout=5).status_code == 401
    answer = requests.get(url, headers={"Authorization": "Bearer x"}, timeout=5)
    assert answer.json() == {"error": {"msg": "Unauthorized"}}
    assert not any(request.authorized for request in sandbox.requests)


def test_a_refresh_token_gives_an_access_token(sandbox: Sandbox) -> None:
    config = sandbox.oauth_config
    form = {"grant_type": "refresh_token", "refresh_token": config["refresh_token"]}
    client = (config["client_id"], config["client_secret"])
    url = f"{sandbox.url}/oauth/token"
    answer = requests.post(url, form, auth=client, timeout=5).json()
    assert answer["expires_in"] == 0
    assert "refresh_token" not in answer
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    account = f"{sandbox.url}/api/account"
    assert requests.get(account, headers=headers, timeout=5).status_code == 200
    sandbox.auth.revoke_tokens()
    assert requests.get(account, headers=headers, timeout=5).status_code == 401
    form["refresh_token"] = "wrong"
    refused = requests.post(url, form, auth=client, timeout=5)
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_grant"})


def test_forbidden_endpoints_methods_and_paths_are_refused(client: Client) -> None:
    client.sandbox.forbidden.add("events")
    assert client.get("events").status_code == 403
    for method in ("POST", "PUT", "DELETE"):
        url = f"{client.url}/api/tickets"
        assert client.session.request(method, url, timeout=5).status_code == 405
    assert client.sandbox.count("/api/tickets", status=405) == 3
    assert client.get("nowhere").status_code == 404
    client.sandbox.reset_counters()
    assert client.sandbox.count() == 0


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.error(502, html=True), 502),
        (Fault.too_many_requests("Mon, 02 Nov 2026 08:00:05 GMT"), 429),
    ],
)
def test_faults_can_answer_with_a_status(
    client: Client, fault: Fault, status: int
) -> None:
    client.sandbox.faults.add(fault, path="/api/tickets", after=1, times=2)
    statuses = [client.get(name).status_code for name in ["users", *["tickets"] * 4]]
    assert statuses == [200, 200, status, status, 200]


@pytest.mark.parametrize("fault", [Fault.reset(), Fault.cut()])
def test_faults_can_break_connections(client: Client, fault: Fault) -> None:
    client.sandbox.faults.add(fault)
    with pytest.raises(BROKEN):
        client.get("tickets")
    assert client.get("tickets").status_code == 200


def test_faults_can_hang_until_the_client_times_out(client: Client) -> None:
    client.sandbox.faults.add(Fault.hang())
    with pytest.raises(requests.ReadTimeout):
        client.session.get(f"{client.url}/api/tickets", timeout=0.1)


def test_stopping_is_quick_even_when_answers_hang(client: Client) -> None:
    client.sandbox.faults.add(Fault.hang())
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(client.get, "tickets")
        while not client.sandbox.count():
            time.sleep(0.001)
        start = time.monotonic()
        client.sandbox.stop()
        assert time.monotonic() - start < 0.1
        assert isinstance(waiting.exception(5), requests.ConnectionError)


@pytest.mark.parametrize("fault", [Fault.html_page(), Fault.truncated_json()])
def test_faults_can_send_bodies_that_are_not_json(client: Client, fault: Fault) -> None:
    client.sandbox.faults.add(fault)
    answer = client.get("tickets")
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_faults_can_rewrite_bodies(client: Client) -> None:
    bare = Fault.rewrite(lambda body: body["data"])
    client.sandbox.faults.add(bare, path="/api/tickets*")
    assert isinstance(client.get("tickets").json(), list)
    assert isinstance(client.get("tickets").json(), dict)


def test_faults_can_be_scattered_over_a_run(client: Client) -> None:
    kinds = [Fault.error(500), Fault.error(503)]
    client.sandbox.faults.spread(kinds, seed=2, every=5, times=4)
    statuses = [client.get("tags").status_code for _ in range(25)]
    stretches = [statuses[start : start + 5] for start in range(0, 25, 5)]
    assert [5 - stretch.count(200) for stretch in stretches] == [1, 1, 1, 1, 0]


def test_a_seed_gives_the_same_shop() -> None:
    one, same, other = Shop(seed=7), Shop(seed=7), Shop(seed=8)
    for name in (listing.collection for listing in LISTINGS.values()):
        rows = list(getattr(one, name).rows())
        assert rows == list(getattr(same, name).rows())
        assert rows != list(getattr(other, name).rows())


def test_archived_macros_and_fields_are_listed_separately(client: Client) -> None:
    archived = client.rows("macros", archived="true", order_by="usage:asc", limit=3)
    live = client.rows("macros", order_by="updated_datetime:desc", limit=3)
    assert sorted(ids(archived + live)) == client.shop.macros.ids()
    assert client.get("custom-fields").status_code == 400
    fields = [
        row
        for kind in ("Ticket", "Customer")
        for row in client.rows("custom-fields", object_type=kind, limit=2)
    ]
    assert sorted(ids(fields)) == client.shop.custom_fields.ids()
