"""Streams that send a request for each row of another stream, their parent.

A child walks the list of its parent by itself, with a position of its own, and does not
hang on the parent's sync: it may be selected later or alone, pause, fail, or be read at
the same time. Its contexts are what the SDK calls partitions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError
from tap_gorgias.replication import ordering
from tap_gorgias.replication.pagination import pages
from tap_gorgias.replication.prefetch import ReadAhead, one_ahead
from tap_gorgias.replication.walks import WalkPlan
from tap_gorgias.stream_types.base import GorgiasStream
from tap_gorgias.stream_types.replication import FeedStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers import types

    from tap_gorgias.replication.bookmarks import Position
    from tap_gorgias.replication.pagination import Fetch, Page, Row
    from tap_gorgias.replication.walks import Step

GONE = {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.NOT_FOUND}
"""What Gorgias answers for a parent that was merged or deleted meanwhile."""


P = TypeVar("P", bound=GorgiasStream)


class ChildStream(GorgiasStream, ABC, Generic[P]):
    """A request for each row of the parent, several of them in flight."""

    state_partitioning_keys = ()
    """A million tickets must not make a million bookmarks."""

    _ahead: ReadAhead[types.Context, Page] | None = None

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

    def fetch_for(self, context: types.Context) -> Fetch:
        """Bind the request to a parent.

        Args:
            context: What the parent's `get_child_context` made of its row.

        Returns:
            What gets a page of the parent's rows, given its cursor.
        """
        return self.fetch(**{name: str(value) for name, value in context.items()})

    def complete(self, row: Row, context: types.Context) -> Row:
        """Add to a row what only its parent knows.

        Args:
            row: As Gorgias sent it.
            context: The context of its parent.
        """
        return {**context, **row}

    @override
    def steps(self) -> Iterator[Step]:
        return iter(())

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
        ahead: ReadAhead[types.Context, Page] = ReadAhead(
            lambda context: self.fetch_for(context)(None), self.requests_in_flight
        )
        self._ahead = ahead
        try:
            for step in self.explained(steps):
                wanted = [
                    (row, dict(context))
                    for row in self._with_integer_ids(step.rows)
                    if (context := self.parent.get_child_context(row, None))
                ]
                ahead.expect(context for _, context in wanted)
                for number, (_, context) in enumerate(wanted, start=1):
                    yield context
                    if number % self.contexts_per_state == 0 and number < len(wanted):
                        self._save_within_page(step, following=wanted[number][0])
                self.save_parents(step.position)
        finally:
            ahead.close()
            self.output.flush()

    @override
    def get_records(self, context: types.Context | None) -> Iterable[types.Record]:
        if context is None:
            yield from super().get_records(None)
            return
        yield from self.explained(self._rows_of(context))

    def _rows_of(self, context: types.Context) -> Iterator[Row]:
        try:
            first = self.first_page(context)
        except ApiError as error:
            if not self.skips(error, context):
                raise
            return
        fetch = self.fetch_for(context)
        answers = pages(lambda cursor: first if cursor is None else fetch(cursor))
        for page in one_ahead(answers, lambda page: page.next_cursor is not None):
            self.run.summary.count(self.name, rows=len(page.rows))
            for row in page.rows:
                yield self.complete(row, context)
            if self.progress.due:
                self.progress.tell()

    @override
    def close(self) -> None:
        if self._ahead is not None:
            self._ahead.close()

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

    def first_page(self, context: types.Context) -> Page:
        """Take the first page of a parent's rows, which was asked for ahead.

        Args:
            context: The context of the parent.

        Raises:
            ApiError: If Gorgias refuses.
        """
        return self._ahead.take() if self._ahead else self.fetch_for(context)(None)

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

    @override
    def steps(self) -> Iterator[Step]:
        return iter(())
