"""Invented secrets in the fields where merchants store theirs; none may leak."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.sandbox.collection import Row

HEADERS: Final[Row] = {
    "Authorization": "Bearer planted-secret-01",
    "X-Api-Key": "planted-secret-02",
}
FORM: Final[Row] = {"ticket": "{{ticket.id}}", "token": "planted-secret-03"}
OAUTH2: Final[Row] = {
    "client_id": "webhook-client",
    "client_secret": "planted-secret-05",
    "access_token": "planted-secret-06",
    "refresh_token": "planted-secret-07",
    "scope": "read write",
}
HMAC_SECRET: Final = "planted-secret-04"
SSO_PROVIDERS: Final[Row] = {
    "8f14e45f": {
        "client_id": "sso-client",
        "client_secret": "planted-secret-08",
        "metadata_url": "https://login.example.com/.well-known/openid-configuration",
    },
    "c9f0f895": {
        "client_id": "other-sso-client",
        "client_secret": "planted-secret-09",
        "metadata_url": "https://sso.example.com/metadata",
    },
}
CONNECTIONS: Final[Row] = {
    "warehouse": {"user": "reader", "password": "planted-secret-10"},
    "push": {"keys": [{"name": "ios", "api_key": "planted-secret-11"}]},
    "stores": {"1001": {"access_token": "planted-secret-12", "token_expires": 3600}},
}
WEBHOOK_URL: Final = "https://hooks.example.com/services/T01/B01/planted-secret-13"
HTTP_ACTION: Final[Row] = {
    "name": "http",
    "title": "Refund last month",
    "type": "user",
    "arguments": {
        "method": "POST",
        "url": "https://shop:planted-secret-14@shop.example/refund?token=planted-secret-15",
        "headers": [
            {"key": "X_API_KEY", "value": "planted-secret-16", "editable": False},
            {"key": "content-type", "value": "application/json", "editable": False},
        ],
        "params": [
            {"key": "ticket", "value": "{{ticket.id}}", "editable": False},
            {"key": "sig", "value": "planted-secret-17", "editable": False},
        ],
        "json": '{"ticket": {{ticket.id}}, "access_token": "planted-secret-18"}',
        "form": [{"key": "apikey", "value": "planted-secret-19", "editable": False}],
        "content_type": "application/json",
    },
}
PERFORMED_ACTION: Final[Row] = {
    **HTTP_ACTION,
    "status": "success",
    "response": {"status_code": 200, "headers": {"Set-Cookie": "planted-secret-20"}},
}
"""An action in a message, with the response of the other system."""
BUTTON: Final[Row] = {
    "label": "Refund",
    "action": {
        "method": "POST",
        "url": "https://shop.example/refund",
        "headers": [
            {
                "id": "1",
                "key": "Authorization",
                "value": "Bearer planted-secret-21",
                "editable": False,
            }
        ],
        "params": [],
        "body": {
            "contentType": "application/json",
            "application/json": {"hmac": "planted-secret-22"},
            "application/x-www-form-urlencoded": [],
        },
    },
}
RULE_CODE: Final = 'const url = "https://shop.example/a?api_key=planted-secret-23";'
EXPORT_URL: Final = "https://uploads.example.com/export.zip?Signature=planted-secret-24"

PLANTED_SECRETS: Final = tuple(
    re.findall(
        r"planted-secret-\d+",
        json.dumps(
            (
                *(HEADERS, FORM, OAUTH2, HMAC_SECRET, SSO_PROVIDERS, CONNECTIONS),
                *(WEBHOOK_URL, PERFORMED_ACTION, BUTTON, RULE_CODE, EXPORT_URL),
            )
        ),
    )
)
