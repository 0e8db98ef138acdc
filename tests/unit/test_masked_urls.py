"""URLs keep everything but the credentials in them."""

from __future__ import annotations

import pytest

from tap_gorgias.records.masking import mask

TOKEN = "9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c"

USER_INFO = [
    ("https://bob:s3cret@shop.example/hook", "https://***@shop.example/hook"),
    ("https://s3cret@shop.example/hook", "https://***@shop.example/hook"),
    ("https://bob:s3/cret@shop.example/x", "https://***@shop.example/x"),
    ("redis://:s3cret@shop.example:6379/0", "redis://***@shop.example:6379/0"),
    ("bob:s3cret@shop.example/hook", "***@shop.example/hook"),
    ("https://{{user}}@shop.example/", "https://{{user}}@shop.example/"),
    ("https://shop.example:8443/@bob", "https://shop.example:8443/@bob"),
]
QUERIES = [
    (
        "https://a.example/h?api_key=S&id={{t.id}}",
        "https://a.example/h?api_key=***&id={{t.id}}",
    ),
    ("https://a.example/?X_API_KEY=S", "https://a.example/?X_API_KEY=***"),
    ("https://a.example/?apikey=S&sig=S", "https://a.example/?apikey=***&sig=***"),
    ("https://a.example/?code=S", "https://a.example/?code=***"),
    ("https://a.example/#access_token=S", "https://a.example/#access_token=***"),
    ("https://a.example/?token={{x}}&b=", "https://a.example/?token={{x}}&b="),
    ("https://a.example/?user%5Btoken%5D=S", "https://a.example/?user%5Btoken%5D=***"),
    ("https://a.example/?page=2&sort=id", "https://a.example/?page=2&sort=id"),
    (f"https://a.example/?u={TOKEN}", "https://a.example/?u=***"),
    (f"https://a.example/?order_id={TOKEN}", f"https://a.example/?order_id={TOKEN}"),
    (
        "https://a.example/?to=https%3A%2F%2Fb%2F%3Ftoken%3DS",
        "https://a.example/?to=***",
    ),
    ("/refund?token=S", "/refund?token=***"),
    ("shop.example/refund?token=S", "shop.example/refund?token=***"),
    (r"https:\/\/a.example\/h?token=S", r"https:\/\/a.example\/h?token=***"),
    ("<https://a.example/?token=S&amp;b=1>", "<https://a.example/?token=***&amp;b=1>"),
]
PATHS = [
    ("https://hooks.slack.com/services/T0/B0/abc", "https://hooks.slack.com/services/***"),
    ("https://hooks.zapier.com/hooks/catch/1/abc/", "https://hooks.zapier.com/hooks/catch/***"),
    ("https://hook.eu1.make.com/abcdefghijklmnop", "https://hook.eu1.make.com/***"),
    ("https://acme.webhook.office.com/webhookb2/a@b/c", "https://acme.webhook.office.com/***"),
    ("https://discord.com/api/webhooks/1/Abc-d", "https://discord.com/api/webhooks/***/***"),
    ("https://api.telegram.org/bot1:Abc/sendMessage", "https://api.telegram.org/***/sendMessage"),
    ("https://maker.ifttt.com/trigger/e/with/key/abc", "https://maker.ifttt.com/trigger/***"),
    ("hooks.slack.com/services/T0/B0/abc", "hooks.slack.com/services/***"),
    ("https://chat.example/hooks/Ab1", "https://chat.example/hooks/***"),
    ("https://a.example/webhooks/orders/paid", "https://a.example/webhooks/orders/paid"),
    ("https://hooks.example.com/tickets", "https://hooks.example.com/tickets"),
    (f"https://a.example/in/{TOKEN}", "https://a.example/in/***"),
    ("https://a.example/in/Zk3vQx71LmN0pR5tY2w", "https://a.example/in/***"),
    ("https://a.example/orders/{{ticket.id}}", "https://a.example/orders/{{ticket.id}}"),
    ("https://a.example/createOrderAndNotifyAll", "https://a.example/createOrderAndNotifyAll"),
    ("https://a.example/v2/order-confirmations", "https://a.example/v2/order-confirmations"),
    ("https://a.example/12345678901234567890", "https://a.example/12345678901234567890"),
    (f"https://a.example/{TOKEN}/orders.json", "https://a.example/***/orders.json"),
    ("https://a.example/in/kqmzxhfwpa7djtvbnrcysoe2lga", "https://a.example/in/***"),
    ("https://a.example/blue-cotton-t-shirt-2-pack-v3", "https://a.example/blue-cotton-t-shirt-2-pack-v3"),
    (f"https://a.example/{TOKEN}/photo.png", f"https://a.example/{TOKEN}/photo.png"),
    (f"See https://a.example/{TOKEN}.", f"See https://a.example/{TOKEN}."),
]  # fmt: skip


@pytest.mark.parametrize(("url", "expected"), USER_INFO + QUERIES + PATHS)
def test_only_the_credentials_of_a_url_are_masked(url: str, expected: str) -> None:
    """Scheme, host, names of parameters and template variables stay."""
    assert mask({"url": url}) == {"url": expected}
    assert mask([expected]) == [expected]


@pytest.mark.parametrize("text", ["A" * 300_000, 'a="' * 30_000, "://" * 60_000])
def test_long_texts_take_linear_time(text: str) -> None:
    """A message may contain an inline image; the suite has a time limit."""
    mask([text, f"{text}:", f"https://{text}"])
