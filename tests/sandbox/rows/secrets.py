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

PLANTED_SECRETS: Final = tuple(
    re.findall(
        r"planted-secret-\d+",
        json.dumps([HEADERS, FORM, OAUTH2, HMAC_SECRET, SSO_PROVIDERS, CONNECTIONS]),
    )
)
