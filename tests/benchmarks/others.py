"""Count the requests of another program against the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from tests.sandbox import Sandbox, Shop

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "https://acme.gorgias.com"
CHANGED = 41


def send_to(sandbox: Sandbox) -> None:
    """Redirect requests to Gorgias to the sandbox."""
    prepare = requests.Session.prepare_request

    def prepare_for_sandbox(
        self: requests.Session, request: requests.Request
    ) -> requests.PreparedRequest:
        request.url = str(request.url).replace(HOST, sandbox.url)
        return prepare(self, request)

    requests.Session.prepare_request = prepare_for_sandbox  # type: ignore[method-assign]


def count(run: Callable[[], str]) -> None:
    """Print the number of requests of a first sync, and of a run an hour later.

    Args:
        run: Makes the other program continue to read tickets, messages and customers,
            and returns a description of what it read.
    """
    shop = Shop(tickets=2_500, customers=1_500)
    sizes = f"{len(shop.tickets)} tickets, {len(shop.messages)} messages"
    with Sandbox(shop) as sandbox:
        send_to(sandbox)
        read = run()
        print(f"first sync of {sizes}: {sandbox.count()} requests; {read}")  # noqa: T201 (its purpose)
        shop.advance(3600)
        for ticket in shop.tickets.ids()[:CHANGED]:
            shop.messages.create(ticket)
        for customer in shop.customers.ids()[:CHANGED]:
            shop.customers.update(customer)
        sandbox.reset_counters()
        read = run()
        print(f"{CHANGED} of each changed: {sandbox.count()} requests; {read}")  # noqa: T201 (its purpose)
