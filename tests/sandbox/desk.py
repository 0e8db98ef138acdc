"""Collections that refer to one another: tickets, messages, customers and surveys."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.sandbox.collection import Collection, Row
from tests.sandbox.compat import override
from tests.sandbox.rows.messages import message
from tests.sandbox.rows.people import customer
from tests.sandbox.rows.records import survey
from tests.sandbox.rows.tickets import Course, Facts, ticket
from tests.sandbox.times import iso

if TYPE_CHECKING:
    from tests.sandbox.shop import Shop

_BUMP = 0.2  # seconds between a message and the change of its ticket


class Customers(Collection):
    """The customers."""

    mergeable = True

    def __init__(self, shop: Shop) -> None:
        created, updated = shop.history("customers")
        super().__init__(
            shop,
            "Customer",
            first_id=519_500_002,
            count=shop.sizes["customers"],
            make=lambda n, row_id: customer(shop, row_id, created()[n], updated()[n]),
            make_new=lambda row_id, timestamp: customer(
                shop, row_id, timestamp, timestamp
            ),
            timestamps={"created_datetime": created, "updated_datetime": updated},
        )

    def merge(self, source_id: int, target_id: int) -> None:
        """Merge a customer and everything that refers to it into another."""
        with self._shop.lock:
            self._remove(source_id, target_id)
            self.update(target_id)
            stub = {name: self.row(target_id)[name] for name in ("id", "name", "email")}
            for row in self._shop.tickets.stored_rows():
                if row["customer"] and row["customer"]["id"] == source_id:
                    row["customer"] = row["customer"] | stub
            for row in self._shop.satisfaction_surveys.stored_rows():
                if row["customer_id"] == source_id:
                    row["customer_id"] = target_id
            self._shop.record_event("Customer", "deleted", source_id)
            data = {"source_customer_id": source_id}
            self._shop.record_event("Customer", "merged", target_id, data)


class Tickets(Collection):
    """The tickets."""

    mergeable = True

    def __init__(self, shop: Shop) -> None:
        layout = shop.layout
        self._updated = cache(lambda: layout.updated(shop.seed, shop.end))
        super().__init__(
            shop,
            "Ticket",
            first_id=82_000_000,
            count=layout.tickets,
            make=lambda n, row_id: ticket(shop, row_id, self._course(n, row_id)),
            make_new=lambda row_id, timestamp: ticket(
                shop, row_id, Course(timestamp, timestamp)
            ),
            timestamps={
                "created_datetime": lambda: layout.slots[: layout.tickets],
                "updated_datetime": self._updated,
            },
        )

    def _course(self, position: int, row_id: int) -> Course:
        """Return the course of a generated ticket."""
        layout = self._shop.layout
        created, updated = layout.slots[position], self._updated()[position]
        count = layout.counts[position]
        if not count:
            return Course(created, updated)
        last = layout.timestamp_of(position, count - 1)
        agent_first = Facts.of(self._shop, row_id).from_agent
        turn = count - 1 if (count % 2 == 1) != agent_first else count - 2
        received = layout.timestamp_of(position, turn) if turn >= 0 else None
        return Course(created, updated, count, last, received)

    @override
    def create(self, **fields: Any) -> int:
        """Create a ticket and record an event."""
        with self._shop.lock:
            row_id = super().create(**fields)
            self._shop.record_event(self.object_type, "created", row_id)
            return row_id

    def import_ticket(self, timestamp: str, messages: int = 1) -> int:
        """Import a backdated ticket with messages; only its event has today's date."""
        with self._shop.lock:
            dates = {"created_datetime": timestamp, "updated_datetime": timestamp}
            row_id = self.create(**dates)
            for _ in range(messages):
                self._shop.messages.create(row_id, created_datetime=timestamp)
            self.update(row_id, touch=False, updated_datetime=timestamp)
            return row_id

    def first_created_after(self, timestamp: int) -> int:
        """Return the first generated ticket created at or after a timestamp."""
        layout = self._shop.layout
        position = bisect_left(layout.slots, timestamp, hi=layout.tickets)
        return self.id_at(max(min(position, layout.tickets - 1), 0))

    @override
    def delete(self, row_id: int) -> None:
        """Delete a ticket with its messages and its survey."""
        with self._shop.lock:
            for message_id in self._shop.messages.of_ticket(row_id):
                self._shop.messages.drop(message_id)
            for survey_id in self._shop.satisfaction_surveys.of_ticket(row_id):
                self._shop.satisfaction_surveys.drop(survey_id)
            super().delete(row_id)

    def merge(self, source_id: int, target_id: int) -> None:
        """Merge a ticket into another, which gets its messages."""
        with self._shop.lock:
            messages = self._shop.messages
            messages.move(source_id, target_id)
            for survey_id in self._shop.satisfaction_surveys.of_ticket(source_id):
                self._shop.satisfaction_surveys.drop(survey_id)
            self._remove(source_id, target_id)
            self.update(target_id, messages_count=len(messages.of_ticket(target_id)))
            sides = {"survivor": target_id, "vanished": source_id}
            about = sides[self._shop.ticket_merged]
            self._shop.record_event("Ticket", "merged", about)


class Messages(Collection):
    """The messages."""

    def __init__(self, shop: Shop) -> None:
        layout = shop.layout
        self._changed_tickets: dict[int, list[int]] = {}
        super().__init__(
            shop,
            "TicketMessage",
            first_id=2_200_000_005,
            count=layout.messages,
            make=self._generated,
            make_new=lambda row_id, timestamp: message(shop, row_id, 0, 0, timestamp),
            timestamps={"created_datetime": layout.message_timestamps},
        )

    def _generated(self, position: int, row_id: int) -> Row:
        """Build a message of a generated ticket."""
        ticket_position, turn, timestamp = self._shop.layout.message(position)
        ticket_id = self._shop.tickets.id_at(ticket_position)
        return message(self._shop, row_id, ticket_id, turn, timestamp)

    def of_ticket(self, ticket_id: int) -> list[int]:
        """Return the ids of a ticket's messages, oldest first."""
        if ticket_id in self._changed_tickets:
            return list(self._changed_tickets[ticket_id])
        position = self._shop.tickets.position_of(ticket_id)
        if position is None:
            return []
        layout = self._shop.layout
        turns = range(layout.counts[position])
        return [self.id_at(layout.message_at(position, turn)) for turn in turns]

    @override
    def create(
        self, ticket_id: int = 0, created_datetime: str | None = None, **fields: Any
    ) -> int:
        """Create a message; its ticket changes shortly after."""
        with self._shop.lock:
            self._shop.tickets.row(
                ticket_id
            )  # raises KeyError if there is no such ticket
            known = self.of_ticket(ticket_id)
            timestamp = created_datetime or iso(self._shop.tick())
            row = message(self._shop, self._next_id, ticket_id, len(known), 0)
            row |= {"created_datetime": timestamp, "processed_datetime": timestamp}
            row |= {"sent_datetime": None, "failed_datetime": None}
            row_id = super().create(**(row | fields))
            self._changed_tickets[ticket_id] = [*known, row_id]
            self._shop.advance(_BUMP)
            times = {"last_message_datetime": row["created_datetime"]}
            if not row["from_agent"]:
                times["last_received_message_datetime"] = row["created_datetime"]
            self._shop.tickets.update(ticket_id, messages_count=len(known) + 1, **times)
            return row_id

    @override
    def delete(self, row_id: int) -> None:
        """Delete a message without an event and without changing its ticket's date."""
        with self._shop.lock:
            ticket_id = self.row(row_id)["ticket_id"]
            self.drop(row_id)
            count = len(self.of_ticket(ticket_id))
            self._shop.tickets.update(ticket_id, touch=False, messages_count=count)

    def drop(self, row_id: int) -> None:
        """Remove a message from its ticket without changing the ticket."""
        ticket_id = self.row(row_id)["ticket_id"]
        left = [known for known in self.of_ticket(ticket_id) if known != row_id]
        self._changed_tickets[ticket_id] = left
        self._remove(row_id, None)

    def move(self, source_id: int, target_id: int) -> None:
        """Move all messages of a ticket to another."""
        moved = self.of_ticket(source_id)
        self._changed_tickets[target_id] = self.of_ticket(target_id) + moved
        self._changed_tickets[source_id] = []
        for row_id in moved:
            uri = f"/api/tickets/{target_id}/messages/{row_id}/"
            self.update(row_id, ticket_id=target_id, uri=uri)


class Surveys(Collection):
    """The satisfaction surveys, at most one per ticket."""

    def __init__(self, shop: Shop) -> None:
        """Distribute the surveys of a shop over its tickets."""
        layout, count = shop.layout, shop.sizes["satisfaction_surveys"]
        tickets = [number * layout.tickets // count for number in range(count)]
        created = array("q", [layout.slots[ticket + 1] for ticket in tickets])
        self._by_ticket = {ticket: number for number, ticket in enumerate(tickets)}
        super().__init__(
            shop,
            "SatisfactionSurvey",
            first_id=6_960_000,
            count=count,
            make=lambda n, row_id: self._survey(row_id, tickets[n], created[n]),
            make_new=lambda row_id, timestamp: survey(shop, row_id, 0, 0, timestamp),
            timestamps={"created_datetime": lambda: created},
        )

    def _survey(self, row_id: int, ticket_position: int, created: int) -> Row:
        """Build the survey of a generated ticket."""
        ticket_id = self._shop.tickets.id_at(ticket_position)
        customer_id = Facts.of(self._shop, ticket_id).customer_id
        return survey(self._shop, row_id, ticket_id, customer_id, created)

    @override
    def create(self, ticket_id: int = 0, **fields: Any) -> int:
        """Create a survey of a ticket."""
        customer = self._shop.tickets.row(ticket_id)["customer"]
        row = {"ticket_id": ticket_id, "customer_id": customer and customer["id"]}
        return super().create(**(row | fields))

    def of_ticket(self, ticket_id: int) -> list[int]:
        """Return the ids of a ticket's surveys."""
        stored_rows = [
            row["id"] for row in self.stored_rows() if row["ticket_id"] == ticket_id
        ]
        position = self._shop.tickets.position_of(ticket_id)
        if stored_rows or position not in self._by_ticket:
            return stored_rows
        row_id = self.id_at(self._by_ticket[position])
        return [row_id] if row_id in self else []

    def drop(self, row_id: int) -> None:
        """Remove a survey without an event."""
        self._remove(row_id, None)
