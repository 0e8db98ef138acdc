"""Names of credentials are recognized in any style."""

from __future__ import annotations

import pytest

from tap_gorgias.records.secrets import is_secret_name


@pytest.mark.parametrize(
    "name",
    [
        *("secret", "client_secret", "clientSecret", "token", "access_token"),
        *("refreshToken", "ACCESS_TOKEN", "password", "passwordHash", "db-password"),
        *("passphrase", "credential", "credentials", "private_key", "privateKey"),
        *("privatekey", "api_key", "apiKey", "APIKey", "apikey", "APIKEY", "x-api-key"),
        *("X-Api-Key", "X_API_KEY", "secret_key", "signing_keys", "key", "Key"),
        *("authorization", "Authorization", "signature", "request signature"),
        *("sig", "hmac", "X-Hub-Hmac-Sha256", "jwt", "pwd", "auth", "X-Auth", "cookie"),
        *("Set-Cookie", "session_id", "PHPSESSID", "oauth2", "api_key_2", "token1"),
        *("passcode", "pw", "userpwd", "dbpass", "authorisation", "totp_seed"),
        *("userkey", "masterkey", "webhookkey", "secret_id"),
        *("accesskey", "xapikey", "user[token]", "db.password", "bearer", "otp"),
    ],
)
def test_names_of_secrets_are_recognised(name: str) -> None:
    """Their style of writing does not matter."""
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "1001", "id", "client_id", "clientId", "key_id", "access_key_id"),
        *("accessKeyId", "token_ids", "keyboard", "monkey", "keyword", "turkey_store"),
        *("hotkeyed", "name", "user", "author", "metadata_url", "été", "source_key"),
        *("destination_key", "primary_key", "auth_type", "pass_through", "shipping"),
        *("design", "processId", "whatsapp_keyword", "oauth", "possession_id"),
    ],
)
def test_other_names_are_not_taken_for_secrets(name: str) -> None:
    """Ids and similar words are not masked."""
    assert not is_secret_name(name)
