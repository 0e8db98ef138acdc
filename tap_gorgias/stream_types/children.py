"""Streams that send a request for each row of another stream, their parent.

A child walks the list of its parent by itself, with a position of its own, and does not
hang on the parent's sync: it may be selected later or alone, pause, fail, or be read at
the same time. Its contexts are what the SDK calls partitions.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError
from tap_gorgias.replication import ordering
from tap_gorgias.replication.prefetch import Prefetcher
from tap_gorgias.replication.walks import Step, WalkPlan
from tap_gorgias.stream_types.base import GorgiasStream
from tap_gorgias.stream_types.replication import FeedStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers import types

    from tap_gorgias.replication.bookmarks import Position
    from tap_gorgias.replication.pages import Page, Row

GONE = {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.NOT_FOUND}
"""What Gorgias answers for a parent that was merged or deleted meanwhile."""


P = TypeVar("P", bound=GorgiasStream)


class ChildStream(GorgiasStream, ABC, Generic[P]):
    """A request for each row of the parent, several of them in flight."""

    state_partitioning_keys = ()
    """A million tickets must not make a million bookmarks."""

    _prefetcher: Prefetcher[types.Context, Iterator[Page]] | None = None

    requests_in_flight: ClassVar[int] = 8
    """Enough for 8 requests a second, the most that any plan allows, at 1 s each."""

    contexts_per_state: ClassVar[int] = 10
    """After so many parents of a page their position is saved."""

    @property
    def parent(self) -> P:
        """The tap's stream of the type `parent_stream_type`."""
        parent_type = cast("type[P]", self.parent_stream_type)
        return cast("P", self.tap.streams[parent_type.name])

    @abstractmethod
    def parent_steps(self) -> Iterator[Step]:
        """Walk the list of the parent.

        Yields:
            Rows of the parent, and this stream's position once it is done with them.
        """

    def complete(self, row: Row, context: types.Context) -> Row:
        """Add to a row what only its parent knows.

        Args:
            row: As Gorgias sent it.
            context: The context of its parent.
        """
        return {**context, **row}

    @override
    def steps(self, context: types.Context | None) -> Iterator[Step]:
        if context is None:
            return
        try:
            pages = self.prefetched_pages(context)
        except ApiError as error:
            if not self.skips(error, context):
                raise
            return
        for page in pages:
            rows = [self.complete(row, context) for row in page.rows]
            yield Step(rows, has_next_page=page.next_cursor is not None)

    @property
    @override
    def partitions(self) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """Contexts of the parents whose rows are wanted, while their list is walked.

        The SDK takes the next context when all rows of the one before are out.
        """
        return self.contexts_of(self.parent_steps())

    def contexts_of(self, steps: Iterator[Step]) -> Iterator[dict[str, Any]]:
        """Turn rows of the parent into contexts, and save how far they are done.

        Args:
            steps: Rows of the parent.

        Yields:
            A context for each parent whose rows are wanted.
        """
        prefetcher = Prefetcher(self._start_pages, self.requests_in_flight)
        self._prefetcher = prefetcher
        try:
            for step in self.explain_page_errors(steps):
                wanted = [
                    (row, dict(context))
                    for row in self._with_integer_ids(step.rows)
                    if (context := self.parent.get_child_context(row, None))
                ]
                prefetcher.expect(context for _, context in wanted)
                for number, (_, context) in enumerate(wanted, start=1):
                    yield context
                    if number % self.contexts_per_state == 0 and number < len(wanted):
                        self._save_within_page(step, following=wanted[number][0])
                self.save_parents(step.position)
        finally:
            prefetcher.close()

    @override
    def close(self) -> None:
        if self._prefetcher is not None:
            self._prefetcher.close()

    def skips(self, refusal: ApiError, context: types.Context) -> bool:  # noqa: ARG002 (others look)
        """Tell whether to go on after a refused request, and say so in the log.

        Args:
            refusal: The answer for a parent.
            context: The context of the parent.
        """
        if refusal.status not in GONE:
            return False
        self.logger.info("%s It was deleted or merged: skipped.", refusal)
        return True

    def prefetched_pages(self, context: types.Context) -> Iterator[Page]:
        """Return the pages of a parent's rows, the first of which was prefetched.

        Args:
            context: The context of the parent.

        Raises:
            ApiError: If Gorgias refuses the first page.
        """
        if self._prefetcher is None:
            return self._start_pages(context)
        return self._prefetcher.take()

    def _start_pages(self, context: types.Context) -> Iterator[Page]:
        pages = self.pages(context)
        return itertools.chain([next(pages)], pages)

    def save_parents(self, position: Position | None) -> None:
        """Save how far the list of the parent is done.

        Args:
            position: A position in the parent's list.
        """
        self.save(position)

    def _with_integer_ids(self, rows: list[Row]) -> Iterator[Row]:
        for row in rows:
            row_id = self.parent.converter.convert({"id": row.get("id")})["id"]
            if row_id is None:
                self.leave_out(self.parent)
            else:
                yield {**row, "id": row_id}

    def _save_within_page(self, step: Step, following: Row) -> None:
        before = step.page_position
        moment = ordering.moment_of(following.get(self.parent.replication_key or ""))
        if before is not None and before.walk is not None and moment is not None:
            walk = replace(before.walk, reached=moment)
            self.save_parents(replace(before, walk=walk))


class FeedChildStream(ChildStream[FeedStream], FeedStream, ABC):
    """A request for each row of a feed that changed, with a bookmark in its order."""

    @override
    def parent_steps(self) -> Iterator[Step]:
        plan = WalkPlan(self.position(self.floor), self.floor)
        return self.parent.walk(self, plan)
