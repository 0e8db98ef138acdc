"""Random changes of a shop, some of which become visible late."""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING, TypeAlias

from tests.sandbox.collection import Collection
from tests.sandbox.times import DAY, SECOND, iso, micros

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from tests.sandbox import Shop

    Change: TypeAlias = "Callable[[], object]"

LAST_YEAR = "2025-01-01T00:00:00+00:00"
MAX_LAG_SECONDS = 290
MIN_ROWS = 12
"""So many are never deleted."""
FIELDS = {"tickets": "subject", "customers": "name"}
"""The field of a row that says its version, by collection."""


def version_of(text: str | None) -> int:
    """Return the version that a field of a row says; 0 for generated rows."""
    return int(text[1:]) if text and text[0] == "v" and text[1:].isdigit() else 0


class Changes:
    """Changes a shop, at present or, as far as its lists show, a while ago."""

    def __init__(self, shop: Shop, chance: random.Random, kinds: Sequence[str]) -> None:
        self.shop = shop
        self._kinds = kinds
        self.may_be_late = True
        self._chance = chance
        self._versions = itertools.count(1)
        self._numbers = itertools.count()
        self._hidden: list[tuple[int, int, Change]] = []

    def make(self, most: int, gaps: Sequence[float]) -> None:
        """Make up to so many changes, with some seconds before each."""
        for _ in range(self._chance.randrange(most + 1)):
            self.shop.advance(self._chance.choice(gaps))
            self.reveal()
            kinds = [
                kind
                for kind in self._kinds
                if self.may_be_late or not kind.startswith("late")
            ]
            getattr(self, f"_{self._chance.choice(kinds)}".replace(" ", "_"))()

    def settle(self) -> None:
        """Advance by a day, after which all changes are visible, and make another."""
        self.shop.advance(DAY / SECOND)
        self.reveal()
        self._update_ticket()

    def reveal(self) -> None:
        """Make the changes that have become visible."""
        while self._hidden and self._hidden[0][0] <= self.shop.timestamp:
            heapq.heappop(self._hidden)[2]()

    def _later(self, change: Change) -> None:
        lag = self._chance.randrange(MAX_LAG_SECONDS) * SECOND
        place = self.shop.timestamp + lag, next(self._numbers)
        heapq.heappush(self._hidden, (*place, change))

    def _any(self, collection: Collection) -> int:
        return self._chance.choice(collection.ids())

    def _version(self) -> str:
        return f"v{next(self._versions)}"

    def _update_ticket(self) -> None:
        ticket = self._any(self.shop.tickets)
        self.shop.tickets.update(ticket, subject=self._version())

    def _update_customer(self) -> None:
        customer = self._any(self.shop.customers)
        self.shop.customers.update(customer, name=self._version())

    def _create(self) -> None:
        self._chance.choice(
            [
                self.shop.tickets.create,
                self.shop.customers.create,
                self.shop.tags.create,
            ]
        )()

    def _import(self) -> None:
        self.shop.tickets.import_ticket(LAST_YEAR)

    def _remove(self) -> None:
        shop = self.shop
        rows = shop.tickets if self._chance.random() < 0.5 else shop.customers
        if len(rows) < MIN_ROWS:
            return
        source, target = self._chance.sample(rows.ids(), 2)
        if self._chance.random() < 0.5:
            rows.merge(source, target)
        else:
            rows.delete(source)

    def _purge(self) -> None:
        while len(self.shop.tickets) > 4:
            self.shop.tickets.delete(self._any(self.shop.tickets))

    def _message(self) -> None:
        created = self._chance.choice([None, None, LAST_YEAR])
        self.shop.messages.create(self._any(self.shop.tickets), created)

    def _conversation(self) -> None:
        ticket = self._any(self.shop.tickets)
        for _ in range(20):
            self.shop.messages.create(ticket)

    def _events(self) -> None:
        for _ in range(self._chance.choice([1, 1, 20])):
            self.shop.advance(0.5)
            self.shop.events.create()

    def _call(self) -> None:
        call = self.shop.voice_calls.create()
        self.shop.voice_call_events.create(call)

    def _future(self) -> None:
        rows = self._chance.choice([self.shop.tickets, self.shop.customers])
        self._create_ahead(rows, self._chance.choice([DAY // 2, 400 * DAY]))

    def _future_page(self) -> None:
        for _ in range(10):
            self._create_ahead(self.shop.tickets, 400 * DAY)

    def _create_ahead(self, rows: Collection, ahead: int) -> None:
        date = iso(self.shop.timestamp + ahead)
        rows.create(created_datetime=date, updated_datetime=date)

    def _no_object(self) -> None:
        self._record("ticket-created", None, self.shop.now)

    def _late_update(self) -> None:
        name = self._chance.choice([*FIELDS])
        rows: Collection = getattr(self.shop, name)
        row_id, date, text = self._any(rows), self.shop.timestamp, self._version()

        def change() -> None:
            if row_id not in rows:
                return
            row = rows.row(row_id)
            if version_of(row[FIELDS[name]]) < version_of(text):
                updated = iso(max(date, micros(row["updated_datetime"])))
                fields = {FIELDS[name]: text, "updated_datetime": updated}
                rows.update(row_id, touch=False, **fields)

        self._later(change)

    def _late_creation(self) -> None:
        self._create_late(self.shop.now)

    def _late_import(self) -> None:
        self._create_late(LAST_YEAR)

    def _create_late(self, date: str) -> None:
        created = self.shop.now

        def change() -> None:
            dates = {"created_datetime": date, "updated_datetime": date}
            ticket = Collection.create(self.shop.tickets, **dates)
            self._record("ticket-created", ticket, created)

        self._later(change)

    def _late_event(self) -> None:
        created, about = self.shop.now, self._any(self.shop.tags)
        kind = self._chance.choice(["tag-updated", "tag-deleted"])
        self._later(lambda: self._record(kind, about, created))

    def _record(self, kind: str, about: int | None, created: str) -> None:
        self.shop.events.create(
            object_type=kind.split("-", maxsplit=1)[0].capitalize(),
            object_id=about,
            type=kind,
            created_datetime=created,
        )

    def _late_message(self) -> None:
        ticket, created = self._any(self.shop.tickets), self.shop.now

        def change() -> None:
            if ticket in self.shop.tickets:
                self.shop.messages.create(ticket, created)

        self._later(change)
