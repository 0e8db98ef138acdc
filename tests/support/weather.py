"""What goes wrong with the answers of Gorgias during a run."""

from __future__ import annotations

import json
import ssl
from base64 import b64decode
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import requests

from tests.sandbox import Answer, Fault
from tests.sandbox.times import SECOND
from tests.support.changes import MIN_ROWS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.sandbox import Request, Sandbox
    from tests.sandbox.collection import Row

    Send = Callable[..., requests.Response]

CUSTOMER = ("Jo Roe", "jo@roe.example", "4111 1111 1111 1111")
"""What every error message says of a customer, and no log may say."""
FAILED = {"error": {"msg": "'{}' <{}> paid with {}, and failed.".format(*CUSTOMER)}}
END = {"prev_cursor": None, "next_cursor": None, "next_items": None}
EMPTY = Answer(200, {"data": [], "meta": END})
NULL = Answer(200, {"data": None, "meta": None})
DEAD = (Answer(400, FAILED), Answer(404, FAILED), Answer(410, FAILED), EMPTY, NULL)
"""How Gorgias may answer a cursor that has expired."""
FLEETING = (
    *map(Fault.error, (429, 500, 502, 503)),
    *(Fault.reset(), Fault.cut(), Fault.html_page(), Fault.truncated_json()),
)
LISTS = ("/api/tickets", "/api/customers", "/api/events", "/api/messages")
REPORTS = "/api/reporting/stats"
SOURCES = {
    "customers": LISTS[1:2],
    "customer_details": LISTS[1:2],
    "deletions": LISTS[2:3],
    "events": LISTS[2:3],
    "ticket_details": LISTS[:3],
    "ticket_messages": LISTS,
    "tickets": LISTS[:3],
}
"""The lists that a stream needs."""
HARMLESS = {
    *("dead cursors", "fleeting", "handshakes", "no date", "date ahead", "swapped"),
    *("deep", "early", "large", "vanishing", "slow target"),
}
"""What fails no stream."""
LOSSY = {"bad rows", "keyless", "no objects"}
"""What costs single rows of a list."""
CONFINED = {"forbidden", "unauthorized", "refused", *LOSSY}
"""What fails only streams that need a certain list."""
MAX_SPOILED = 2
"""Rows in a run."""
PADDING = "." * 60_000


def parent_of(request: Request) -> int | None:
    """Return the ticket or the customer whose rows are requested."""
    if request.path == "/api/messages":
        return int(request.query.get("ticket_id", ["0"])[0]) or None
    last = request.path.rpartition("/")[2]
    return int(last) if last.isdecimal() else None


def without_meta(answer: Answer) -> Answer:
    """Return a page that does not say how its list goes on."""
    return replace(answer, payload={"data": answer.payload["data"]})


CUTS: tuple[Callable[[Answer], Answer], ...] = (
    lambda _: NULL,
    lambda _: Answer(200, {"data": []}),
    without_meta,
    lambda answer: replace(answer, payload={**answer.payload, "meta": {}}),
    lambda answer: replace(answer, status=502),
)


@dataclass
class Weather:
    """Spoils the answers of a sandbox; each run has other faults."""

    sandbox: Sandbox
    chance: random.Random
    kinds: tuple[str, ...]
    lists: tuple[str, ...] = LISTS
    """The lists that may be spoiled."""
    generation: int = 0
    """How often all cursors have expired."""
    spoiled: set[int] = field(default_factory=set)
    """The rows that could not be read as they are; each in one run."""
    expiries: int = 0
    """How often cursors have expired since the run before."""
    bad_parents: set[int] = field(default_factory=set)
    today: tuple[str, ...] = ()
    """The faults of the present run."""
    _status: int = 500
    requests: int = 0
    """How many have been answered in this run."""
    _choice: Any = None
    _fixed: dict[str, bool] = field(default_factory=dict)

    def begin(self, *, parents: list[int], has_called: bool) -> None:
        """Choose the faults of a run."""
        count = min(self.chance.choice([0, 1, 1, 2]), len(self.kinds))
        self.today = tuple(self.chance.sample(self.kinds, count))
        self.requests, self._fixed = 0, {}
        self._after = self.chance.randrange(1, self.chance.choice([8, 40]))
        self._phone_after = self.chance.choice([0, 0, 1, 3] if has_called else [1, 3])
        self._phone_status = self.chance.choice([403, 404])
        self._cut = self.chance.choice(CUTS)
        self._path = self.chance.choice(self.lists)
        self._odd_row = self.chance.randrange(20)
        self._spoiled_before = set(self.spoiled)
        self._ends_in_null = False
        self._status = self.chance.choice([400, 410, 422, 500, 503])
        self._gone = self.chance.choice([301, 404])
        self._reports_status = self.chance.choice([403, 404, 500])
        if "parents" in self.today:
            share = self.chance.choice([1, 2, 8, len(parents)])
            self.bad_parents |= {*self.chance.sample(parents, min(share, len(parents)))}
        elif self.chance.random() < 0.5:
            self.bad_parents.clear()

    def end(self, *rest: str) -> None:
        """Let the sun shine, except for the rest."""
        self.today = rest
        self.bad_parents.clear()

    def expire_cursors(self) -> None:
        """Let all cursors expire, which Gorgias tells in another way each time."""
        self.generation += 1
        self.expiries += 1
        self.sandbox.expire_cursors()

    def spares(self, stream: str, *, rows: bool = False) -> bool:
        """Return whether a stream must be complete, or only its `rows` if not."""
        harmless = HARMLESS | LOSSY if rows else HARMLESS
        if self._path not in SOURCES.get(stream, ()):
            harmless = harmless | CONFINED
        is_calm = harmless.issuperset(self.today) and not self.bad_parents
        return is_calm and self.expiries <= 1 and not self._ends_in_null

    def connecting(self, send: Send) -> Send:
        """Return a function that sends requests as far as the connection allows."""

        def connect(*args: Any, **options: Any) -> requests.Response:
            fails = "handshakes" in self.today and self.chance.random() < 0.08
            if fails and self.requests:
                raise requests.exceptions.SSLError(ssl.SSLEOFError())
            return send(*args, **options)

        return connect

    def spoil(self, request: Request, answer: Answer) -> Answer:
        """Change an answer."""
        self.requests += 1
        cursor = "".join(request.query.get("cursor", []))
        if cursor and (made := _generation_of(cursor)) < self.generation:
            dead = (EMPTY,) if "empty cursors" in self.kinds else DEAD
            answer = dead[made % len(dead)]
            self._ends_in_null |= answer is NULL
        elif "dead cursors" in self.today and self.requests == self._after:
            self.expire_cursors()
        if parent_of(request) in self.bad_parents and answer.status == 200:
            answer = Answer(self._status, FAILED)
        for kind in self.today:
            change = getattr(self, f"_{kind.replace(' ', '_')}", None)
            answer = change(request, answer, cursor) if change else answer
        return answer

    def _cut_pages(self, request: Request, answer: Answer, cursor: str) -> Answer:
        is_page = answer.status == 200 and cursor and "data" in (answer.payload or ())
        if not is_page:
            return answer
        place = request.path + cursor
        is_cut = self._fixed.setdefault(place, self.chance.random() < 0.3)
        return self._cut(answer) if is_cut else answer

    def _null_pages(self, request: Request, answer: Answer, cursor: str) -> Answer:
        self._cut = CUTS[0]
        return self._cut_pages(request, answer, cursor)

    def _fleeting(self, _: Request, answer: Answer, __: str) -> Answer:
        if self.requests > 1 and self.chance.random() < 0.08:
            return self.chance.choice(FLEETING).spoil(answer)
        return answer

    def _early(self, _: Request, answer: Answer, __: str) -> Answer:
        if self.requests > 1 and self.chance.random() < 0.08:
            return Answer(self.chance.choice([408, 425]), FAILED)
        return answer

    def _outage(self, _: Request, answer: Answer, __: str) -> Answer:
        return Answer(503, FAILED) if self.requests > self._after else answer

    def _forbidden(self, request: Request, answer: Answer, _: str) -> Answer:
        is_there = request.path == self._path and self.requests > self._after
        # Without these, imports are missing, of which only a warning tells.
        is_there &= "ticket-created" not in request.query.get("types", ())
        return Answer(403, FAILED) if is_there else answer

    def _unauthorized(self, request: Request, answer: Answer, _: str) -> Answer:
        return Answer(401, FAILED) if request.path == self._path else answer

    def _refused(self, request: Request, answer: Answer, _: str) -> Answer:
        return Answer(429, FAILED) if request.path == self._path else answer

    def _reports(self, request: Request, answer: Answer, _: str) -> Answer:
        is_report = request.path == REPORTS
        return Answer(self._reports_status, FAILED) if is_report else answer

    def _hidden_parents(self, request: Request, answer: Answer, _: str) -> Answer:
        return Answer(self._gone, FAILED) if parent_of(request) else answer

    def _vanishing(self, request: Request, answer: Answer, cursor: str) -> Answer:
        parent, tickets = parent_of(request), self.sandbox.shop.tickets
        if not parent or request.path != "/api/messages":
            return answer
        if cursor and parent in tickets and len(tickets) > MIN_ROWS:
            tickets.delete(parent)
        return answer if parent in tickets else Answer(404, FAILED)

    def _bad_rows(self, request: Request, answer: Answer, _: str) -> Answer:
        is_bad = any(map(self._spoils, self._rows_at(request, answer)))
        return Answer(500, FAILED) if is_bad else answer

    def _keyless(self, request: Request, answer: Answer, _: str) -> Answer:
        for row in self._rows_at(request, answer):
            if self._spoils(row):
                row["id"] = None
        return answer

    def _no_objects(self, request: Request, answer: Answer, _: str) -> Answer:
        rows = self._rows_at(request, answer)
        # Nothing dates the last one.
        rows[:-1] = [None if self._spoils(row) else row for row in rows[:-1]]
        return answer

    def _deep(self, request: Request, answer: Answer, _: str) -> Answer:
        value: list[Any] = []
        for _level in range(250):
            value = [value]
        return self._with_meta(request, answer, {"value": value})

    def _large(self, request: Request, answer: Answer, _: str) -> Answer:
        return self._with_meta(request, answer, {"value": PADDING})

    def _with_meta(self, request: Request, answer: Answer, meta: Row) -> Answer:
        for row in filter(None, self._rows_at(request, answer)):
            row["meta"] = meta
        return answer

    def _swapped(self, request: Request, answer: Answer, _: str) -> Answer:
        rows = _rows_of(answer) if request.path in LISTS else []
        if len(rows) > 1:
            place = self.chance.randrange(len(rows) - 1)
            rows[place : place + 2] = rows[place + 1], rows[place]
        return answer

    def _rows_at(self, request: Request, answer: Answer) -> list[Any]:
        """Return the rows of a page of the list where single rows are spoiled."""
        is_part = parent_of(request) or "ticket_ids" in request.query
        is_there = request.path == self._path and not is_part
        return _rows_of(answer) if is_there else []

    def _spoils(self, row: Any) -> bool:  # noqa: ANN401
        row_id = row and row["id"]
        if row_id is None or row_id in self._spoiled_before:
            return False
        is_full = len(self.spoiled) - len(self._spoiled_before) == MAX_SPOILED
        if row_id // 7 % 20 == self._odd_row and not is_full:
            self.spoiled.add(row_id)
        return row_id in self.spoiled

    def _phone(self, request: Request, answer: Answer, _: str) -> Answer:
        if request.path.startswith("/api/phone/"):
            self._fixed.setdefault(f"{request.path}{self.requests}", True)
            asked = sum(place.startswith(request.path) for place in self._fixed)
            if asked > self._phone_after:
                return Answer(self._phone_status, FAILED)
        return answer

    def _no_date(self, _: Request, answer: Answer, __: str) -> Answer:
        return replace(answer, headers={**answer.headers, "Date": ""})

    def _date_ahead(self, _: Request, answer: Answer, __: str) -> Answer:
        seconds = self.sandbox.shop.timestamp // SECOND + 9 * 60
        date = formatdate(seconds, usegmt=True)
        return replace(answer, headers={**answer.headers, "Date": date})


def _rows_of(answer: Answer) -> list[Any]:
    is_page = answer.status == 200 and isinstance(answer.payload, dict)
    return (answer.payload.get("data") if is_page else None) or []


def _generation_of(cursor: str) -> int:
    try:
        return int(json.loads(b64decode(cursor))[3] or 0)
    except (ValueError, IndexError):
        return 1 << 60
