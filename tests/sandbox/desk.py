"""The collections that refer to one another: tickets, messages and the like."""

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

_BUMP = 0.2  # seconds from a message to the change of its ticket


class Customers(Collection):
    """The customers."""

    mergeable = True

    def __init__(self, shop: Shop) -> None:
        """Generate the customers of a shop."""
        created, updated = shop.history("customers")
        super().__init__(
            shop,
            "Customer",
            first_id=519_500_002,
            count=shop.sizes["customers"],
            make=lambda n, row_id: customer(shop, row_id, created()[n], updated()[n]),
            fresh=lambda row_id, moment: customer(shop, row_id, moment, moment),
            moments={"created_datetime": created, "updated_datetime": updated},
        )

    def merge(self, source_id: int, target_id: int) -> None:
        """Let a customer vanish into another, with all that refers to it."""
        with self._shop.lock:
            self._remove(source_id, target_id)
            self.update(target_id)
            stub = {name: self.row(target_id)[name] for name in ("id", "name", "email")}
            for row in self._shop.tickets.kept():
                if row["customer"] and row["customer"]["id"] == source_id:
                    row["customer"] = row["customer"] | stub
            for row in self._shop.satisfaction_surveys.kept():
                if row["customer_id"] == source_id:
                    row["customer_id"] = target_id
            self._shop.record_event("Customer", "deleted", source_id)
            data = {"source_customer_id": source_id}
            self._shop.record_event("Customer", "merged", target_id, data)


class Tickets(Collection):
    """The tickets."""

    mergeable = True

    def __init__(self, shop: Shop) -> None:
        """Generate the tickets of a shop."""
        layout = shop.layout
        self._updated = cache(lambda: layout.updated(shop.seed, shop.end))
        super().__init__(
            shop,
            "Ticket",
            first_id=82_000_000,
            count=layout.tickets,
            make=lambda n, row_id: ticket(shop, row_id, self._course(n, row_id)),
            fresh=lambda row_id, moment: ticket(shop, row_id, Course(moment, moment)),
            moments={
                "created_datetime": lambda: layout.slots[: layout.tickets],
                "updated_datetime": self._updated,
            },
        )

    def _course(self, position: int, row_id: int) -> Course:
        """Tell how a generated ticket went."""
        layout = self._shop.layout
        created, updated = layout.slots[position], self._updated()[position]
        count = layout.counts[position]
        if not count:
            return Course(created, updated)
        last = layout.moment_of(position, count - 1)
        agent_first = Facts.of(self._shop, row_id).from_agent
        turn = count - 1 if (count % 2 == 1) != agent_first else count - 2
        received = layout.moment_of(position, turn) if turn >= 0 else None
        return Course(created, updated, count, last, received)

    @override
    def create(self, **fields: Any) -> int:
        """Open a ticket, which an event tells."""
        with self._shop.lock:
            row_id = super().create(**fields)
            self._shop.record_event(self.object_type, "created", row_id)
            return row_id

    def bring_in(self, moment: str, messages: int = 1) -> int:
        """Import a ticket with its messages, all dated back; its event is of today."""
        with self._shop.lock:
            dates = {"created_datetime": moment, "updated_datetime": moment}
            row_id = self.create(**dates)
            for _ in range(messages):
                self._shop.messages.create(row_id, created_datetime=moment)
            self.update(row_id, touch=False, updated_datetime=moment)
            return row_id

    def created_about(self, moment: int) -> int:
        """Return the generated ticket that was created next after a moment."""
        layout = self._shop.layout
        position = bisect_left(layout.slots, moment, hi=layout.tickets)
        return self.id_at(max(min(position, layout.tickets - 1), 0))

    @override
    def delete(self, row_id: int) -> None:
        """Let a ticket vanish with its messages and its survey."""
        with self._shop.lock:
            for message_id in self._shop.messages.of_ticket(row_id):
                self._shop.messages.drop(message_id)
            for survey_id in self._shop.satisfaction_surveys.of_ticket(row_id):
                self._shop.satisfaction_surveys.drop(survey_id)
            super().delete(row_id)

    def merge(self, source_id: int, target_id: int) -> None:
        """Let a ticket vanish into another, which gets its messages."""
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
        """Generate the messages of a shop."""
        layout = shop.layout
        self._changed_tickets: dict[int, list[int]] = {}
        super().__init__(
            shop,
            "TicketMessage",
            first_id=2_200_000_005,
            count=layout.messages,
            make=self._generated,
            fresh=lambda row_id, moment: message(shop, row_id, 0, 0, moment),
            moments={"created_datetime": layout.message_moments},
        )

    def _generated(self, position: int, row_id: int) -> Row:
        """Make up a message of a generated ticket."""
        ticket_position, turn, moment = self._shop.layout.message(position)
        ticket_id = self._shop.tickets.id_at(ticket_position)
        return message(self._shop, row_id, ticket_id, turn, moment)

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
        """Write a message; its ticket changes a moment later."""
        with self._shop.lock:
            self._shop.tickets.row(ticket_id)  # fails if there is no such ticket
            known = self.of_ticket(ticket_id)
            moment = created_datetime or iso(self._shop.tick())
            row = message(self._shop, self._next_id, ticket_id, len(known), 0)
            row |= {"created_datetime": moment, "processed_datetime": moment}
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
        """Let a message vanish: no event tells, and its ticket does not move."""
        with self._shop.lock:
            ticket_id = self.row(row_id)["ticket_id"]
            self.drop(row_id)
            count = len(self.of_ticket(ticket_id))
            self._shop.tickets.update(ticket_id, touch=False, messages_count=count)

    def drop(self, row_id: int) -> None:
        """Take a message from its ticket, which is left as it is."""
        ticket_id = self.row(row_id)["ticket_id"]
        left = [known for known in self.of_ticket(ticket_id) if known != row_id]
        self._changed_tickets[ticket_id] = left
        self._remove(row_id, None)

    def move(self, source_id: int, target_id: int) -> None:
        """Hand all messages of a ticket to another."""
        moved = self.of_ticket(source_id)
        self._changed_tickets[target_id] = self.of_ticket(target_id) + moved
        self._changed_tickets[source_id] = []
        for row_id in moved:
            uri = f"/api/tickets/{target_id}/messages/{row_id}/"
            self.update(row_id, ticket_id=target_id, uri=uri)


class Surveys(Collection):
    """The satisfaction surveys, at most one for a ticket."""

    def __init__(self, shop: Shop) -> None:
        """Spread the surveys of a shop over its tickets."""
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
            fresh=lambda row_id, moment: survey(shop, row_id, 0, 0, moment),
            moments={"created_datetime": lambda: created},
        )

    def _survey(self, row_id: int, ticket_position: int, created: int) -> Row:
        """Make up the survey about a generated ticket."""
        ticket_id = self._shop.tickets.id_at(ticket_position)
        customer_id = Facts.of(self._shop, ticket_id).customer_id
        return survey(self._shop, row_id, ticket_id, customer_id, created)

    @override
    def create(self, ticket_id: int = 0, **fields: Any) -> int:
        """Plan a survey about a ticket."""
        customer = self._shop.tickets.row(ticket_id)["customer"]
        row = {"ticket_id": ticket_id, "customer_id": customer and customer["id"]}
        return super().create(**(row | fields))

    def of_ticket(self, ticket_id: int) -> list[int]:
        """Return the ids of a ticket's surveys."""
        kept = [row["id"] for row in self.kept() if row["ticket_id"] == ticket_id]
        position = self._shop.tickets.position_of(ticket_id)
        if kept or position not in self._by_ticket:
            return kept
        row_id = self.id_at(self._by_ticket[position])
        return [row_id] if row_id in self else []

    def drop(self, row_id: int) -> None:
        """Take a survey out without an event."""
        self._remove(row_id, None)
