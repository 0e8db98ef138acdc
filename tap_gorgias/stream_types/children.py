"""Child streams: one request for each row of a parent stream.

A child walks the list of its parent by itself, with a position of its own. It does not
depend on the sync of the parent: it may be selected later or alone, pause, fail, or be
read at the same time.
"""

from __future__ import annotations

from abc import ABC
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast

from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError
from tap_gorgias.replication import ordering
from tap_gorgias.replication.pages import started
from tap_gorgias.replication.prefetch import prefetched
from tap_gorgias.replication.walks import Step, WalkPlan
from tap_gorgias.stream_types.base import GorgiasStream
from tap_gorgias.stream_types.replication import FeedStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from singer_sdk import Tap
    from singer_sdk.helpers import types

    from tap_gorgias.replication.bookmarks import Position
    from tap_gorgias.replication.pages import Page, Row
    from tap_gorgias.run.context import Run

GONE = {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.NOT_FOUND}
"""The status for a parent that was merged or deleted in the meantime."""


P = TypeVar("P", bound=GorgiasStream)


class ChildStream(GorgiasStream, ABC, Generic[P]):
    """One request for each row of the parent, with several in flight."""

    state_partitioning_keys = ()
    """A million tickets must not make a million bookmarks."""

    requests_in_flight: ClassVar[int] = 8
    """Enough for 8 requests a second, the most of any plan, if each takes a second."""

    contexts_per_state: ClassVar[int] = 10
    """How many parents of a page are read between two saved positions."""

    def __init__(self, tap: Tap, run: Run) -> None:
        super().__init__(tap, run)
        parent_type = cast("type[P]", self.parent_stream_type)
        self.parent = parent_type.reading_for(self)
        """The stream of the parents, whose list is read for this one."""

    def parent_steps(self) -> Iterator[Step]:
        """Walk the list of the parent.

        Yields:
            Rows of the parent, and the position of this stream once their rows have
            been emitted.
        """
        return self.parent.steps()

    def complete(self, row: Row, context: types.Context) -> Row:
        """Add the context of its parent to a row.

        Args:
            row: The row as Gorgias sent it.
            context: The context of its parent.
        """
        return {**context, **row}

    @override
    def steps(self) -> Iterator[Step]:
        for step in self.parent_steps():
            yield from self.steps_of_parents(step)

    @override
    def steps_of(self, context: types.Context) -> Iterator[Step]:
        return self._steps_of(context, partial(self.start_pages, context))

    def steps_of_parents(self, step: Step) -> Iterator[Step]:
        """Read the rows of some parents.

        Args:
            step: Rows of the parent, and the position after them.

        Yields:
            The rows of each parent, and the position after every few of them.
        """
        parents = [
            (row, context)
            for row in self._with_integer_ids(step.rows)
            if (context := self.parent.get_child_context(row, None))
        ]
        responses = prefetched(
            self.start_pages,
            [context for _, context in parents],
            self.requests_in_flight,
        )
        for number, (context, response) in enumerate(responses, start=1):
            yield from self._steps_of(context, response.result)
            if number % self.contexts_per_state == 0 and number < len(parents):
                yield Step([], self._within_page(step, following=parents[number][0]))
        yield Step([], step.position)

    def skips(self, refusal: ApiError, context: types.Context) -> bool:  # noqa: ARG002 (subclasses use it)
        """Tell whether to skip a parent, and log why.

        Args:
            refusal: The response to the request for its rows.
            context: The context of the parent.
        """
        if refusal.status not in GONE:
            return False
        self.logger.info("%s It was deleted or merged: skipped.", refusal)
        return True

    def start_pages(self, context: types.Context) -> Iterator[Page]:
        """Request the first page of a parent's rows, in any thread."""
        return started(self.pages(context=context))

    def pages_of(
        self,
        context: types.Context,  # noqa: ARG002 (subclasses use it)
        response: Callable[[], Iterator[Page]],
    ) -> Iterator[Page]:
        """Return the pages of a parent's rows, the first of which was prefetched.

        Raises:
            ApiError: If Gorgias refuses the first page.
        """
        return response()

    def _steps_of(
        self, context: types.Context, response: Callable[[], Iterator[Page]]
    ) -> Iterator[Step]:
        try:
            pages = self.pages_of(context, response)
        except ApiError as error:
            if not self.skips(error, context):
                raise
            return
        for page in pages:
            rows = [self.complete(row, context) for row in page.rows]
            yield Step(rows, has_next_page=page.next_cursor is not None)

    def _with_integer_ids(self, rows: list[Row]) -> Iterator[Row]:
        for row in rows:
            row_id = self.parent.converter.convert({"id": row.get("id")})["id"]
            if row_id is None:
                self.skip_record(self.parent)
            else:
                yield {**row, "id": row_id}

    def _within_page(self, step: Step, following: Row) -> Position | None:
        before = step.page_position
        reached = ordering.timestamp_of(
            following.get(self.parent.replication_key or "")
        )
        if before is None or before.walk is None or reached is None:
            return None
        return replace(before, walk=replace(before.walk, reached=reached))


class FeedChildStream(ChildStream[FeedStream], FeedStream, ABC):
    """One request for each row of a feed that changed, with a bookmark of its own."""

    @override
    def parent_steps(self) -> Iterator[Step]:
        return self.parent.walk(WalkPlan(self.position(self.floor), self.floor))
