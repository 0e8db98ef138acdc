"""Faults on demand: everything that can happen to an answer."""

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
    """A function that turns a good answer into a bad one, with a name."""

    name: str
    spoil: Callable[[Answer], Answer]

    @classmethod
    def error(
        cls, status: int, *, message: str = "Invented fault.", html: bool = False
    ) -> Fault:
        """Answer with an error status, as JSON or as the HTML page of a proxy."""
        answer = Answer(status, {"error": {"msg": message}})
        if html:
            answer = Answer(status, body=_HTML, content_type="text/html")
        return cls(f"status {status}", lambda _: answer)

    @classmethod
    def too_many_requests(cls, retry_after: int | str | None = 1) -> Fault:
        """Answer 429 with Retry-After in seconds, as an HTTP date, or without it."""
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
        """Answer 202 without rows, as reporting does while it computes."""
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
        """Answer with the first half of the JSON under a matching Content-Length."""

        def spoil(answer: Answer) -> Answer:
            body = answer.content()
            return replace(answer, body=body[: len(body) // 2])

        return cls("truncated JSON", spoil)

    @classmethod
    def rewrite(cls, change: Callable[[Any], Any]) -> Fault:
        """Pass the decoded body of a good answer through a function."""

        def spoil(answer: Answer) -> Answer:
            if answer.status != 200:
                return answer
            return replace(answer, payload=change(json.loads(answer.content())))

        return cls("rewrite", spoil)

    @classmethod
    def header(cls, name: str, value: str) -> Fault:
        """Replace the value of a header."""
        return cls(
            f"header {name}",
            lambda answer: replace(answer, headers={**answer.headers, name: value}),
        )

    @classmethod
    def _on_wire(cls, wire: Wire) -> Fault:
        """Change how the answer is transmitted."""
        return cls(wire, lambda answer: replace(answer, wire=wire))


@dataclass
class _PlannedFault:
    """A fault and the requests that it waits for."""

    fault: Fault
    path: str | None
    after: int
    times: int


class Faults:
    """All faults that are still to come."""

    def __init__(self) -> None:
        self._planned: list[_PlannedFault] = []
        self._lock = Lock()

    def add(
        self,
        fault: Fault,
        path: str | None = None,
        *,
        after: int = 0,
        times: int = 1,
    ) -> None:
        """Spoil future answers.

        Args:
            fault: The fault.
            path: A pattern of the paths to match, such as "/api/*"; None for all.
            after: How many matching requests succeed first.
            times: How many matching requests fail after that.
        """
        with self._lock:
            self._planned.append(_PlannedFault(fault, path, after, times))

    def spread(
        self, faults: Sequence[Fault], *, seed: int, every: int, times: int
    ) -> None:
        """Scatter faults over a run, one in each stretch of requests.

        Args:
            faults: The faults to choose from.
            seed: Determines the places and the faults.
            every: The length of a stretch, in requests.
            times: The number of stretches.
        """
        chance = Random(seed)  # noqa: S311 - made-up faults, not a secret
        for stretch in range(times):
            # Each earlier fault hides one request from the later ones.
            place = stretch * every + chance.randrange(every) - stretch
            self.add(chance.choice(faults), after=place)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._planned.clear()

    def next(self, path: str) -> Fault | None:
        """Return the fault for a request, if there is one."""
        with self._lock:
            for planned in self._planned:
                if planned.path is not None and not fnmatchcase(path, planned.path):
                    continue
                if planned.after > 0:
                    planned.after -= 1
                    continue
                planned.times -= 1
                if planned.times == 0:
                    self._planned.remove(planned)
                return planned.fault
            return None
