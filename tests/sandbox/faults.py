"""Faults on demand: what can happen to an answer on its way."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from random import Random
from threading import Lock
from typing import TYPE_CHECKING, Any

from tests.sandbox.answers import Answer, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HTML = b"<!doctype html><html><body><h1>Bad gateway</h1></body></html>"


@dataclass(frozen=True)
class Fault:
    """Something that turns a good answer into a bad one."""

    name: str
    spoil: Callable[[Answer], Answer]

    @classmethod
    def error(
        cls, status: int, *, message: str = "Invented fault.", html: bool = False
    ) -> Fault:
        """Answer with an error status, as JSON or as a proxy's HTML page."""
        answer = Answer(status, {"error": {"msg": message}})
        if html:
            answer = Answer(status, body=_HTML, content_type="text/html")
        return cls(f"status {status}", lambda _: answer)

    @classmethod
    def too_many_requests(cls, retry_after: int | str | None = 1) -> Fault:
        """Answer 429: wait for seconds, until an HTTP date, or who knows."""
        headers = {} if retry_after is None else {"Retry-after": str(retry_after)}
        answer = Answer(429, {"error": {"msg": "Too many requests."}}, headers=headers)
        return cls("status 429", lambda _: answer)

    @classmethod
    def reset(cls) -> Fault:
        """Reset the connection instead of answering."""
        return cls._on_wire("reset")

    @classmethod
    def hang(cls) -> Fault:
        """Never answer, until the client gives up or the sandbox stops."""
        return cls._on_wire("hang")

    @classmethod
    def cut(cls) -> Fault:
        """Close the connection in the middle of the body."""
        return cls._on_wire("cut")

    @classmethod
    def not_ready(cls) -> Fault:
        """Answer 202 as reporting does: accepted, without the rows."""
        meta = {"prev_cursor": None, "next_cursor": None, "total": 0}
        answer = Answer(202, {"object": "list", "data": [], "meta": meta})
        return cls("status 202", lambda _: answer)

    @classmethod
    def html_page(cls) -> Fault:
        """Answer 200 with a web page."""
        answer = Answer(200, body=_HTML, content_type="text/html")
        return cls("html page", lambda _: answer)

    @classmethod
    def truncated_json(cls) -> Fault:
        """Answer with half of the JSON, as if that were all."""

        def spoil(answer: Answer) -> Answer:
            body = answer.content()
            return replace(answer, body=body[: len(body) // 2])

        return cls("truncated JSON", spoil)

    @classmethod
    def rewrite(cls, change: Callable[[Any], Any]) -> Fault:
        """Pass a good answer's decoded body through a function."""

        def spoil(answer: Answer) -> Answer:
            if answer.status != 200:
                return answer
            return replace(answer, payload=change(json.loads(answer.content())))

        return cls("rewrite", spoil)

    @classmethod
    def header(cls, name: str, value: str) -> Fault:
        """Send a header with another value."""
        return cls(
            f"header {name}",
            lambda answer: replace(answer, headers={**answer.headers, name: value}),
        )

    @classmethod
    def _on_wire(cls, wire: Wire) -> Fault:
        """Send the answer in another way."""
        return cls(wire, lambda answer: replace(answer, wire=wire))


@dataclass
class _Order:
    """A fault that waits for its requests."""

    fault: Fault
    path: str | None
    after: int
    times: int


class Faults:
    """The faults still to come."""

    def __init__(self) -> None:
        """Start without any."""
        self._orders: list[_Order] = []
        self._lock = Lock()

    def add(
        self,
        fault: Fault,
        path: str | None = None,
        *,
        after: int = 0,
        times: int = 1,
    ) -> None:
        """Spoil coming answers.

        Args:
            fault: What goes wrong.
            path: Only for this path; "*" stands for anything.
            after: How many matching requests go well first.
            times: How many matching requests go wrong then.
        """
        with self._lock:
            self._orders.append(_Order(fault, path, after, times))

    def spread(
        self, faults: Sequence[Fault], *, seed: int, every: int, times: int
    ) -> None:
        """Scatter faults over a run: one in every so many requests.

        Args:
            faults: What may go wrong.
            seed: Another seed gives other places and other faults.
            every: In each stretch of so many requests, one goes wrong.
            times: How many go wrong in all.
        """
        chance = Random(seed)  # noqa: S311 - made-up faults, not a secret
        for stretch in range(times):
            # Each order sees the requests its forerunners let pass, one less each.
            place = stretch * every + chance.randrange(every) - stretch
            self.add(chance.choice(faults), after=place)

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._orders.clear()

    def next(self, path: str) -> Fault | None:
        """Return the fault of a request, if it is to go wrong."""
        with self._lock:
            for order in self._orders:
                if order.path is not None and not fnmatchcase(path, order.path):
                    continue
                if order.after > 0:
                    order.after -= 1
                    continue
                order.times -= 1
                if order.times == 0:
                    self._orders.remove(order)
                return order.fault
            return None
