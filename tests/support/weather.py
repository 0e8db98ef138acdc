"""What goes wrong with the answers of Gorgias during a run."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from tests.sandbox import Answer, Fault
from tests.sandbox.times import SECOND

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.sandbox import Request, Sandbox

FAILED = {"error": {"msg": "Failed."}}
END = {"prev_cursor": None, "next_cursor": None, "next_items": None}
EMPTY = Answer(200, {"data": [], "meta": END})
NULL = Answer(200, {"data": None, "meta": None})
DEAD = (Answer(400, FAILED), Answer(404, FAILED), Answer(410, FAILED), EMPTY, NULL)
"""How Gorgias may answer a cursor that has expired."""
FLEETING = (
    *map(Fault.error, (429, 500, 502, 503)),
    *(Fault.reset(), Fault.cut(), Fault.html_page(), Fault.truncated_json()),
)
PARENTS = ("/api/tickets/", "/api/customers/", "/api/messages")
LISTS = ("/api/tickets", "/api/customers", "/api/events", "/api/messages")


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
    generation: int = 0
    """How often all cursors have expired."""
    bad_parents: set[int] = field(default_factory=set)
    today: tuple[str, ...] = ()
    """The faults of the present run."""
    _status: int = 500
    _requests: int = 0
    _choice: Any = None
    _fixed: dict[str, bool] = field(default_factory=dict)

    def begin(self, *, parents: list[int], has_called: bool) -> None:
        """Choose the faults of a run."""
        count = min(self.chance.choice([0, 1, 1, 2]), len(self.kinds))
        self.today = tuple(self.chance.sample(self.kinds, count))
        self._requests, self._fixed = 0, {}
        self._after = self.chance.randrange(1, 40)
        self._phone_after = self.chance.choice([0, 0, 1, 3] if has_called else [1, 3])
        self._phone_status = self.chance.choice([403, 404])
        self._cut = self.chance.choice(CUTS)
        self._path = self.chance.choice(LISTS)
        self._bad_row = self.chance.randrange(60)
        self._status = self.chance.choice([400, 410, 422, 500, 503])
        self._gone = self.chance.choice([301, 404])
        if "parents" in self.today:
            share = self.chance.choice([1, 2, 8, len(parents)])
            self.bad_parents |= {*self.chance.sample(parents, min(share, len(parents)))}
        elif self.chance.random() < 0.5:
            self.bad_parents.clear()

    def end(self) -> None:
        """Let the sun shine."""
        self.today = ()
        self.bad_parents.clear()

    def expire_cursors(self) -> None:
        """Let all cursors expire, which Gorgias tells in another way each time."""
        self.generation += 1
        self.sandbox.expire_cursors()

    def spoil(self, request: Request, answer: Answer) -> Answer:
        """Change an answer."""
        self._requests += 1
        cursor = "".join(request.query.get("cursor", []))
        if cursor and (made := _generation_of(cursor)) < self.generation:
            dead = (EMPTY,) if "empty cursors" in self.kinds else DEAD
            answer = dead[made % len(dead)]
        elif "dead cursors" in self.today and self.chance.random() < 0.03:
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
        if self.chance.random() < 0.08:
            return self.chance.choice(FLEETING).spoil(answer)
        return answer

    def _outage(self, _: Request, answer: Answer, __: str) -> Answer:
        return Answer(503, FAILED) if self._requests > self._after else answer

    def _forbidden(self, request: Request, answer: Answer, _: str) -> Answer:
        is_late = self._requests > self._after
        return Answer(403, FAILED) if is_late and request.path == self._path else answer

    def _hidden_parents(self, request: Request, answer: Answer, _: str) -> Answer:
        return Answer(self._gone, FAILED) if parent_of(request) else answer

    def _bad_rows(self, request: Request, answer: Answer, _: str) -> Answer:
        if request.path != self._path or parent_of(request) or answer.status != 200:
            return answer
        rows = answer.payload["data"] or ()
        is_bad = any(row["id"] // 7 % 60 == self._bad_row for row in rows)
        return Answer(500, FAILED) if is_bad else answer

    def _phone(self, request: Request, answer: Answer, _: str) -> Answer:
        if request.path.startswith("/api/phone/"):
            self._fixed.setdefault(f"{request.path}{self._requests}", True)
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


def _generation_of(cursor: str) -> int:
    try:
        return int(json.loads(b64decode(cursor))[3] or 0)
    except (ValueError, IndexError):
        return 1 << 60
