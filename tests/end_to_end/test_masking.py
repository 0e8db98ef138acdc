"""Credentials of other systems are masked in every stream that can contain them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox import Sandbox, Shop
from tests.sandbox.rows.secrets import BUTTON, HTTP_ACTION, PERFORMED_ACTION
from tests.support.runs import everything, run

if TYPE_CHECKING:
    from collections.abc import Iterator

ACTION = {**PERFORMED_ACTION, "rule": {"button": BUTTON}}
SECRET = "planted-secret"
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "customer_details": ("customers", {"meta": {"token": SECRET}}),
    "deletions": ("events", {"type": "macro-deleted", "data": {"action": ACTION}}),
    "events": ("events", {"data": {"actions": [ACTION]}}),
    "integrations": ("integrations", {"meta": {"page_access_token": SECRET}}),
    "jobs": ("jobs", {"params": {"macro": {"actions": [ACTION]}}}),
    "macros": ("macros", {"actions": [ACTION]}),
    "messages": ("messages", {"actions": [ACTION]}),
    "rules": ("rules", {"settings": {"actions": [ACTION]}}),
    "ticket_details": ("messages", {"actions": [ACTION]}),
    "ticket_messages": ("messages", {"actions": [ACTION]}),
    "widgets": ("widgets", {"template": {"widgets": [{"meta": ACTION}]}}),
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A small shop."""
    with Sandbox(Shop(seed=5, tickets=12, customers=12, events=20)) as sandbox:
        yield sandbox


@pytest.mark.parametrize("stream", ROWS)
def test_credentials_are_masked_in_a_stream(sandbox: Sandbox, stream: str) -> None:
    """Names, methods and hosts stay."""
    name, content = ROWS[stream]
    rows = getattr(sandbox.shop, name)
    row = rows.ids()[-1]
    rows.update(row, **content)

    catalog = everything()
    catalog["streams"] = [
        entry for entry in catalog["streams"] if entry["tap_stream_id"] == stream
    ]
    output = json.dumps(run(sandbox.config, catalog=catalog).records(stream))

    assert SECRET in json.dumps(rows.row(row))
    assert SECRET not in output
    assert "***" in output
    if "actions" in json.dumps(content):
        for kept in ("X_API_KEY", "content-type", "application/json", "POST", "sig"):
            assert f'"{kept}"' in output
        assert '"{{ticket.id}}"' in output
        assert "https://***@shop.example/refund?token=***" in output


def test_the_http_action_of_a_macro_keeps_its_form(sandbox: Sandbox) -> None:
    """Only the credentials in it are replaced."""
    (macro, *_) = run(sandbox.config, "macros").records("macros")

    expected: dict[str, Any] = json.loads(json.dumps(HTTP_ACTION))
    arguments = expected["arguments"]
    arguments["url"] = "https://***@shop.example/refund?token=***"
    for pair in (arguments["headers"][0], arguments["params"][1], arguments["form"][0]):
        pair["value"] = "***"
    arguments["json"] = '{"ticket": {{ticket.id}}, "access_token": "***"}'
    assert macro["actions"][-1] == expected
